/// \file
/// Kernels of layers on the CPU, compiled once. The contracts are those of kernels/cpu.
#pragma once

#include "weft/kernels/compiled/choice.hpp"

namespace weft::kernels {
inline namespace WEFT_BUILD_NAMESPACE {
inline namespace calls {  // so that none is taken for the kernel it calls

template <class Scalar>
void dense_forward(Cpu& cpu, TensorView<const Scalar> x, TensorView<const Scalar> w,
                   TensorView<const Scalar> b, Activation activation, TensorView<Scalar> y) {
    detail::chosen<Scalar>().dense_forward(cpu, x, w, b, activation, y);
}

template <class Scalar>
void dense_backward(Cpu& cpu, TensorView<const Scalar> x, TensorView<const Scalar> w,
                    TensorView<const Scalar> dz, TensorView<Scalar> dw, TensorView<Scalar> db,
                    TensorView<Scalar> dx) {
    detail::chosen<Scalar>().dense_backward(cpu, x, w, dz, dw, db, dx);
}

template <class Scalar>
void convolution_forward(Cpu& cpu, const Convolution& c, TensorView<const Scalar> x,
                         TensorView<const Scalar> w, TensorView<const Scalar> b,
                         Activation activation, TensorView<Scalar> y) {
    detail::chosen<Scalar>().convolution_forward(cpu, c, x, w, b, activation, y);
}

template <class Scalar>
void convolution_input_gradient(Cpu& cpu, const Convolution& c, TensorView<const Scalar> g,
                                TensorView<const Scalar> w, TensorView<Scalar> dx) {
    detail::chosen<Scalar>().convolution_input_gradient(cpu, c, g, w, dx);
}

template <class Scalar>
void convolution_filter_gradient(Cpu& cpu, const Convolution& c, TensorView<const Scalar> x,
                                 TensorView<const Scalar> g, TensorView<Scalar> dw,
                                 TensorView<Scalar> db) {
    detail::chosen<Scalar>().convolution_filter_gradient(cpu, c, x, g, dw, db);
}

template <class Scalar>
void column_sums(Cpu& cpu, TensorView<const Scalar> x, TensorView<Scalar> sums) {
    detail::chosen<Scalar>().column_sums(cpu, x, sums);
}

template <class Scalar>
void activation_forward(Cpu& cpu, Activation activation, TensorView<const Scalar> x,
                        TensorView<Scalar> y) {
    detail::chosen<Scalar>().activation_forward(cpu, activation, x, y);
}

template <class Scalar>
void activation_backward(Cpu& cpu, Activation activation, TensorView<const Scalar> y,
                         TensorView<const Scalar> dy, TensorView<Scalar> dx) {
    detail::chosen<Scalar>().activation_backward(cpu, activation, y, dy, dx);
}

template <class Scalar>
void activation_backward_from_input(Cpu& cpu, Activation activation, TensorView<const Scalar> x,
                                    TensorView<const Scalar> dy, TensorView<Scalar> dx) {
    detail::chosen<Scalar>().activation_backward_from_input(cpu, activation, x, dy, dx);
}

template <class Scalar>
void scale_and_offset(Cpu& cpu, TensorView<const Scalar> x, Scalar scale, Scalar offset,
                      TensorView<Scalar> y) {
    detail::chosen<Scalar>().scale_and_offset(cpu, x, scale, offset, y);
}

template <class Scalar>
void max_pool_forward(Cpu& cpu, const Window2D& window, TensorView<const Scalar> x,
                      TensorView<Scalar> y, std::uint8_t* taps) {
    detail::chosen<Scalar>().max_pool_forward(cpu, window, x, y, taps);
}

template <class Scalar>
void max_pool_forward(Cpu& cpu, const Window2D& window, TensorView<const Scalar> x,
                      TensorView<Scalar> y, std::int32_t* taps) {
    detail::chosen<Scalar>().max_pool_forward_wide(cpu, window, x, y, taps);
}

template <class Scalar>
void max_pool_backward(Cpu& cpu, const Window2D& window, TensorView<const Scalar> y,
                       TensorView<const Scalar> dy, const std::uint8_t* taps,
                       TensorView<Scalar> dx) {
    detail::chosen<Scalar>().max_pool_backward(cpu, window, y, dy, taps, dx);
}

template <class Scalar>
void max_pool_backward(Cpu& cpu, const Window2D& window, TensorView<const Scalar> y,
                       TensorView<const Scalar> dy, const std::int32_t* taps,
                       TensorView<Scalar> dx) {
    detail::chosen<Scalar>().max_pool_backward_wide(cpu, window, y, dy, taps, dx);
}

template <class Scalar>
void max_pool_forward_normalizing(Cpu& cpu, const Window2D& window, const Normalizing<Scalar>& norm,
                                  const Dropping& dropping, TensorView<const Scalar> x,
                                  TensorView<Scalar> y, std::uint8_t* taps, Scalar* chosen) {
    detail::chosen<Scalar>().max_pool_forward_normalizing(cpu, window, norm, dropping, x, y, taps,
                                                          chosen);
}

template <class Scalar>
void max_pool_backward_normalizing(Cpu& cpu, const Window2D& window,
                                   const Normalizing<Scalar>& norm, const Dropping& dropping,
                                   bool x_is_relu, TensorView<const Scalar> x,
                                   TensorView<Scalar> dy, const std::uint8_t* taps,
                                   const Scalar* chosen, TensorView<Scalar> dx) {
    detail::chosen<Scalar>().max_pool_backward_normalizing(cpu, window, norm, dropping, x_is_relu,
                                                           x, dy, taps, chosen, dx);
}

template <class Scalar>
void average_pool_forward(Cpu& cpu, const Window2D& window, TensorView<const Scalar> x,
                          TensorView<Scalar> y) {
    detail::chosen<Scalar>().average_pool_forward(cpu, window, x, y);
}

template <class Scalar>
void average_pool_backward(Cpu& cpu, const Window2D& window, TensorView<const Scalar> dy,
                           TensorView<Scalar> dx) {
    detail::chosen<Scalar>().average_pool_backward(cpu, window, dy, dx);
}

template <class Scalar>
void batch_norm_forward(Cpu& cpu, const Normalizing<Scalar>& norm, TensorView<const Scalar> x,
                        TensorView<Scalar> y) {
    detail::chosen<Scalar>().batch_norm_forward(cpu, norm, x, y);
}

template <class Scalar>
void batch_norm_apply(Cpu& cpu, const Normalizing<Scalar>& norm, TensorView<const Scalar> x,
                      TensorView<Scalar> y) {
    detail::chosen<Scalar>().batch_norm_apply(cpu, norm, x, y);
}

template <class Scalar>
void batch_norm_inference(Cpu& cpu, const Normalizing<Scalar>& norm, TensorView<const Scalar> x,
                          TensorView<Scalar> y) {
    detail::chosen<Scalar>().batch_norm_inference(cpu, norm, x, y);
}

template <class Scalar>
void batch_norm_backward(Cpu& cpu, const Normalizing<Scalar>& norm, TensorView<const Scalar> x,
                         TensorView<const Scalar> dy, bool x_is_relu, TensorView<Scalar> dx) {
    detail::chosen<Scalar>().batch_norm_backward(cpu, norm, x, dy, x_is_relu, dx);
}

template <class Scalar>
void dropout_forward(Cpu& cpu, const Dropping& dropping, TensorView<const Scalar> x,
                     TensorView<Scalar> y) {
    detail::chosen<Scalar>().dropout_forward(cpu, dropping, x, y);
}

template <class Scalar>
void dropout_backward(Cpu& cpu, const Dropping& dropping, TensorView<const Scalar> dy,
                      TensorView<Scalar> dx) {
    detail::chosen<Scalar>().dropout_backward(cpu, dropping, dy, dx);
}

}  // namespace calls
}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft::kernels
