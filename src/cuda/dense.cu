/// \file
/// Kernels of kernels/cuda/dense.hpp.
#include "weft/kernels/cuda/dense.hpp"

#include "product.cuh"
#include "weft/kernels/cuda/activation.hpp"
#include "weft/kernels/cuda/reduction.hpp"

namespace weft::kernels {

template <class Scalar>
void dense_forward(Cuda& device, TensorView<const Scalar, Cuda> x, TensorView<const Scalar, Cuda> w,
                   TensorView<const Scalar, Cuda> b, Activation activation,
                   TensorView<Scalar, Cuda> y) {
    const int features = cuda::narrow(w.shape()[0]), units = cuda::narrow(w.shape()[1]);
    const int rows = cuda::narrow(y.size()) / units;
    cuda::narrow(x.size());
    cuda::narrow(w.size());
    const Activation elementwise = activation == softmax ? linear : activation;
    cuda::multiply<Scalar>(device, {rows, units, features},
                           cuda::Matrix<Scalar, true>(x.data(), rows, features, features),
                           cuda::Matrix<Scalar, false>(w.data(), units, features, units),
                           {y.data(), units, units, 0, b.data(), elementwise});
    if (activation == softmax) activation_forward<Scalar>(device, softmax, y, y);
}

template <class Scalar>
void dense_backward(Cuda& device, TensorView<const Scalar, Cuda> x,
                    TensorView<const Scalar, Cuda> w, TensorView<const Scalar, Cuda> dz,
                    TensorView<Scalar, Cuda> dw, TensorView<Scalar, Cuda> db,
                    TensorView<Scalar, Cuda> dx) {
    const int features = cuda::narrow(w.shape()[0]), units = cuda::narrow(w.shape()[1]);
    const int rows = cuda::narrow(dz.size()) / units;
    cuda::narrow(x.size());
    cuda::narrow(w.size());
    if (db) column_sums<Scalar>(device, rows, units, dz.data(), db.data());
    cuda::multiply<Scalar>(device, {features, units, rows},
                           cuda::Matrix<Scalar, false>(x.data(), features, rows, features),
                           cuda::Matrix<Scalar, false>(dz.data(), units, rows, units),
                           {dw.data(), units, units});
    if (dx) {
        cuda::multiply<Scalar>(device, {rows, features, units},
                               cuda::Matrix<Scalar, true>(dz.data(), rows, units, units),
                               cuda::Matrix<Scalar, true>(w.data(), features, units, units),
                               {dx.data(), features, features});
    }
}

template decltype(dense_forward<float>) dense_forward<float>;
template decltype(dense_forward<double>) dense_forward<double>;
template decltype(dense_backward<float>) dense_backward<float>;
template decltype(dense_backward<double>) dense_backward<double>;

}  // namespace weft::kernels
