/// \file
/// Kernels of kernels/cuda/dense.hpp.
#include "weft/kernels/cuda/dense.hpp"

#include "beside.cuh"
#include "product.cuh"
#include "weft/kernels/cuda/activation.hpp"

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
void dense_forward_dropping(Cuda& device, TensorView<const Scalar, Cuda> x,
                            TensorView<const Scalar, Cuda> w, TensorView<const Scalar, Cuda> b,
                            Activation activation, const Dropping& dropping,
                            TensorView<Scalar, Cuda> y) {
    const int features = cuda::narrow(w.shape()[0]), units = cuda::narrow(w.shape()[1]);
    const int rows = cuda::narrow(y.size()) / units;
    cuda::narrow(x.size());
    cuda::narrow(w.size());
    const cuda::Output<Scalar> out(y.data(), units, units, 0, b.data(), activation);
    cuda::multiply<Scalar>(device, {rows, units, features},
                           cuda::Matrix<Scalar, true>(x.data(), rows, features, features),
                           cuda::Matrix<Scalar, false>(w.data(), units, features, units),
                           cuda::DroppingOutput<Scalar>(out, dropping));
}

template <class Scalar>
void dense_backward_through(Cuda& device, const Before& before, TensorView<const Scalar, Cuda> x,
                            TensorView<const Scalar, Cuda> w, TensorView<const Scalar, Cuda> dz,
                            TensorView<Scalar, Cuda> dw, TensorView<Scalar, Cuda> db,
                            TensorView<Scalar, Cuda> dx) {
    const int features = cuda::narrow(w.shape()[0]), units = cuda::narrow(w.shape()[1]);
    const int rows = cuda::narrow(dz.size()) / units;
    cuda::narrow(x.size());
    cuda::narrow(w.size());
    const auto of_w = [&](Cuda& on) {
        const cuda::Output<Scalar> out(dw.data(), units, units);
        cuda::multiply<Scalar>(on, {features, units, rows},
                               cuda::Matrix<Scalar, false>(x.data(), features, rows, features),
                               cuda::SummedMatrix<Scalar>(dz.data(), units, rows, units),
                               out.with_column_sums(db.data(), units));
    };
    if (!dx) return of_w(device);
    cuda::run_beside(device, of_w, [&] {
        cuda::multiply<Scalar>(device, {rows, features, units},
                               cuda::Matrix<Scalar, true>(dz.data(), rows, units, units),
                               cuda::Matrix<Scalar, true>(w.data(), features, units, units),
                               cuda::Output<Scalar>(dx.data(), features, features)
                                   .through(before, x.data(), features));
    });
}

template <class Scalar>
void dense_backward(Cuda& device, TensorView<const Scalar, Cuda> x,
                    TensorView<const Scalar, Cuda> w, TensorView<const Scalar, Cuda> dz,
                    TensorView<Scalar, Cuda> dw, TensorView<Scalar, Cuda> db,
                    TensorView<Scalar, Cuda> dx) {
    dense_backward_through<Scalar>(device, {}, x, w, dz, dw, db, dx);
}

template decltype(dense_forward<float>) dense_forward<float>;
template decltype(dense_forward<double>) dense_forward<double>;
template decltype(dense_forward_dropping<float>) dense_forward_dropping<float>;
template decltype(dense_forward_dropping<double>) dense_forward_dropping<double>;
template decltype(dense_backward_through<float>) dense_backward_through<float>;
template decltype(dense_backward_through<double>) dense_backward_through<double>;
template decltype(dense_backward<float>) dense_backward<float>;
template decltype(dense_backward<double>) dense_backward<double>;

}  // namespace weft::kernels
