/// \file
/// Kernels that move numbers and update parameters on the CPU, compiled once. The contracts are those of kernels/cpu.
#pragma once

#include "weft/kernels/compiled/choice.hpp"

#include <algorithm>

namespace weft::kernels {
inline namespace WEFT_BUILD_NAMESPACE {
inline namespace calls {  // so that none is taken for the kernel it calls

inline std::string_view kernels_build(const Cpu&) { return cpu_kernels_build(); }

template <class Scalar>
void copy_to_device(const Cpu&, TensorView<const Scalar> from, TensorView<Scalar> to) {
    std::copy(from.begin(), from.end(), to.begin());
}

template <class Scalar>
void copy_to_host(const Cpu&, TensorView<const Scalar> from, TensorView<Scalar> to) {
    std::copy(from.begin(), from.end(), to.begin());
}

template <class Scalar>
void copy_elements(Cpu& cpu, TensorView<const Scalar> x, TensorView<Scalar> y) {
    detail::chosen<Scalar>().copy_elements(cpu, x, y);
}

template <class Scalar>
void add_elements(Cpu& cpu, TensorView<const Scalar> x, TensorView<const Scalar> z,
                  TensorView<Scalar> y) {
    detail::chosen<Scalar>().add_elements(cpu, x, z, y);
}

template <class Scalar>
void multiply_elements(Cpu& cpu, TensorView<const Scalar> x, TensorView<const Scalar> z,
                       TensorView<Scalar> y) {
    detail::chosen<Scalar>().multiply_elements(cpu, x, z, y);
}

template <class Scalar>
void copy_columns(Cpu& cpu, TensorView<const Scalar> x, Index from, Index columns,
                  TensorView<Scalar> y, Index to) {
    detail::chosen<Scalar>().copy_columns(cpu, x, from, columns, y, to);
}

template <class Scalar>
void gather_samples(Cpu& cpu, Index rows, Index columns, const Scalar* x, Index x_row,
                    const std::int32_t* samples, const std::int32_t* first, Scalar* y) {
    detail::chosen<Scalar>().gather_samples(cpu, rows, columns, x, x_row, samples, first, y);
}
template <class Scalar>
void gather_samples(Cpu& cpu, Index rows, Index columns, const std::uint8_t* x, Index x_row,
                    const std::int32_t* samples, const std::int32_t* first, Scalar* y) {
    detail::chosen<Scalar>().gather_samples_of_bytes(cpu, rows, columns, x, x_row, samples, first,
                                                     y);
}

inline void copy_next_row(Cpu& cpu, Index row_bytes, const std::byte* rows, std::int32_t* taken,
                          std::byte* row) {
    detail::chosen<float>().copy_next_row(cpu, row_bytes, rows, taken, row);
}

template <class Scalar>
void transpose_samples(Cpu& cpu, TensorView<const Scalar> x, TensorView<Scalar> y) {
    detail::chosen<Scalar>().transpose_samples(cpu, x, y);
}

template <class Scalar>
void pad_images(Cpu& cpu, TensorView<const Scalar> x, Index top, Index left, TensorView<Scalar> y) {
    detail::chosen<Scalar>().pad_images(cpu, x, top, left, y);
}

template <class Scalar>
void crop_images(Cpu& cpu, TensorView<const Scalar> x, Index top, Index left,
                 TensorView<Scalar> y) {
    detail::chosen<Scalar>().crop_images(cpu, x, top, left, y);
}

template <class Scalar>
void sgd_update(Cpu& cpu, const DeviceStep<SGDStep<Scalar>>& step,
                TensorView<const Scalar> gradient, TensorView<Scalar> parameter) {
    detail::chosen<Scalar>().sgd_update(cpu, step, gradient, parameter);
}

template <class Scalar>
void momentum_update(Cpu& cpu, const DeviceStep<SGDStep<Scalar>>& step, bool nesterov,
                     TensorView<const Scalar> gradient, TensorView<Scalar> velocity,
                     TensorView<Scalar> parameter) {
    detail::chosen<Scalar>().momentum_update(cpu, step, nesterov, gradient, velocity, parameter);
}

template <class Scalar>
void rmsprop_update(Cpu& cpu, const DeviceStep<RMSpropStep<Scalar>>& step,
                    TensorView<const Scalar> gradient, TensorView<Scalar> square,
                    TensorView<Scalar> average, TensorView<Scalar> velocity,
                    TensorView<Scalar> parameter) {
    detail::chosen<Scalar>().rmsprop_update(cpu, step, gradient, square, average, velocity,
                                            parameter);
}

template <class Scalar>
void adam_update(Cpu& cpu, const DeviceStep<AdamStep<Scalar>>& step,
                 TensorView<const Scalar> gradient, TensorView<Scalar> first_moment,
                 TensorView<Scalar> second_moment, TensorView<Scalar> parameter) {
    detail::chosen<Scalar>().adam_update(cpu, step, gradient, first_moment, second_moment,
                                         parameter);
}

template <class Scalar>
void add_penalty(Cpu& cpu, TensorView<const Scalar> x, double l1, double l2, bool adds,
                 double* sum) {
    detail::chosen<Scalar>().add_penalty(cpu, x, l1, l2, adds, sum);
}

template <class Scalar>
void add_penalty_gradient(Cpu& cpu, TensorView<const Scalar> x, double l1, double l2,
                          TensorView<Scalar> gradient) {
    detail::chosen<Scalar>().add_penalty_gradient(cpu, x, l1, l2, gradient);
}

template <class Scalar>
void clip_values(Cpu& cpu, TensorView<Scalar> x, double limit) {
    detail::chosen<Scalar>().clip_values(cpu, x, limit);
}

template <class Scalar>
void clip_norm(Cpu& cpu, TensorView<Scalar> x, double limit) {
    detail::chosen<Scalar>().clip_norm(cpu, x, limit);
}

template <class Scalar>
void make_non_negative(Cpu& cpu, TensorView<Scalar> w, const double* wrong = nullptr) {
    detail::chosen<Scalar>().make_non_negative(cpu, w, wrong);
}

template <class Scalar>
void limit_column_norms(Cpu& cpu, TensorView<Scalar> w, double limit,
                        const double* wrong = nullptr) {
    detail::chosen<Scalar>().limit_column_norms(cpu, w, limit, wrong);
}

template <class Scalar>
void weight_rows(Cpu& cpu, TensorView<const Scalar> weights, TensorView<Scalar> losses,
                 TensorView<Scalar> gradient) {
    detail::chosen<Scalar>().weight_rows(cpu, weights, losses, gradient);
}

}  // namespace calls
}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft::kernels
