/// \file
/// The three passes of a convolution, each into memory that it has to overwrite.
#pragma once

#include "tests/support/dirty_scratch.hpp"
#include "tests/support/window_cases.hpp"
#include "weft/core/tensor.hpp"
#include "weft/kernels/cpu/convolution.hpp"

#include <algorithm>

namespace weft::convolution_runs {

template <class Scalar>
Tensor<Scalar> forward(const ConvolutionCase& c, TensorView<const Scalar> x,
                       const Tensor<Scalar>& w, TensorView<const Scalar> b = {},
                       Activation activation = linear, int threads = 1) {
    Shape output = c.output();
    Tensor<Scalar> y(output.sample().batch(x.shape()[0]));
    std::ranges::fill(y, Scalar(99));  // to be overwritten
    Cpu cpu(threads);
    dirty_scratch(cpu);
    convolution_forward<Scalar>(cpu, c.convolution(), x, w, b, activation, y);
    return y;
}

template <class Scalar>
Tensor<Scalar> input_gradient(const ConvolutionCase& c, TensorView<const Scalar> g,
                              const Tensor<Scalar>& w, int threads = 1) {
    Tensor<Scalar> dx(c.input().sample().batch(g.shape()[0]));
    std::ranges::fill(dx, Scalar(99));
    Cpu cpu(threads);
    dirty_scratch(cpu);
    convolution_input_gradient<Scalar>(cpu, c.convolution(), g, w, dx);
    return dx;
}

template <class Scalar>
Tensor<Scalar> filter_gradient(const ConvolutionCase& c, const Tensor<Scalar>& x,
                               const Tensor<Scalar>& g, int threads = 1,
                               TensorView<Scalar> db = {}) {
    Tensor<Scalar> dw(c.kernel());
    std::ranges::fill(dw, Scalar(99));
    Cpu cpu(threads);
    dirty_scratch(cpu);
    convolution_filter_gradient<Scalar>(cpu, c.convolution(), x, g, dw, db);
    return dw;
}

}  // namespace weft::convolution_runs
