/// \file
/// Kernels of kernels/cuda/activation.hpp.
#include "weft/kernels/cuda/activation.hpp"

#include "activation.cuh"
#include "launch.cuh"
#include "softmax.cuh"

#include <cassert>

namespace weft::kernels {
namespace {

/// y = function(x), elementwise.
template <class Scalar, class Function>
void map(Cuda& device, TensorView<const Scalar, Cuda> x, TensorView<Scalar, Cuda> y,
         Function function) {
    cuda::for_each(device, y.size(), [x = x.data(), y = y.data(), function] __device__(int i) {
        y[i] = function(x[i]);
    });
}

/// dx = function(x, dy), elementwise.
template <class Scalar, class Function>
void map(Cuda& device, TensorView<const Scalar, Cuda> x, TensorView<const Scalar, Cuda> dy,
         TensorView<Scalar, Cuda> dx, Function function) {
    cuda::for_each(device, dx.size(),
                   [x = x.data(), dy = dy.data(), dx = dx.data(), function] __device__(int i) {
                       dx[i] = function(x[i], dy[i]);
                   });
}

}  // namespace

template <class Scalar>
void activation_forward(Cuda& device, Activation activation, TensorView<const Scalar, Cuda> x,
                        TensorView<Scalar, Cuda> y) {
    if (activation == softmax) return cuda::softmax_forward<Scalar>(device, x, y);
    map(device, x, y,
        [activation] __device__(Scalar value) { return cuda::activate(activation, value); });
}

template <class Scalar>
void activation_backward(Cuda& device, Activation activation, TensorView<const Scalar, Cuda> y,
                         TensorView<const Scalar, Cuda> dy, TensorView<Scalar, Cuda> dx) {
    assert(!needs_input(activation));
    if (activation == softmax) return cuda::softmax_backward<Scalar>(device, y, dy, dx);
    if (activation == relu) {  // a gradient that is not finite stops at 0
        return map(device, y, dy, dx, [] __device__(Scalar out, Scalar gradient) {
            return out > 0 ? gradient : Scalar(0);
        });
    }
    map(device, y, dy, dx, [activation] __device__(Scalar out, Scalar gradient) {
        return gradient * cuda::slope_at_output(activation, out);
    });
}

template <class Scalar>
void activation_backward_from_input(Cuda& device, Activation activation,
                                    TensorView<const Scalar, Cuda> x,
                                    TensorView<const Scalar, Cuda> dy,
                                    TensorView<Scalar, Cuda> dx) {
    assert(needs_input(activation));
    map(device, x, dy, dx, [activation] __device__(Scalar value, Scalar gradient) {
        return gradient * cuda::slope_at_input(activation, value);
    });
}

template <class Scalar>
void scale_and_offset(Cuda& device, TensorView<const Scalar, Cuda> x, Scalar scale, Scalar offset,
                      TensorView<Scalar, Cuda> y) {
    map(device, x, y, [scale, offset] __device__(Scalar value) { return scale * value + offset; });
}

template decltype(activation_forward<float>) activation_forward<float>;
template decltype(activation_forward<double>) activation_forward<double>;
template decltype(activation_backward<float>) activation_backward<float>;
template decltype(activation_backward<double>) activation_backward<double>;
template decltype(activation_backward_from_input<float>) activation_backward_from_input<float>;
template decltype(activation_backward_from_input<double>) activation_backward_from_input<double>;
template decltype(scale_and_offset<float>) scale_and_offset<float>;
template decltype(scale_and_offset<double>) scale_and_offset<double>;

}  // namespace weft::kernels
