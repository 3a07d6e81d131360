/// \file
/// Sums, products and concatenations of tensors on the CPU.
#pragma once

#include "weft/kernels/cpu/elementwise.hpp"

#include <cassert>

WEFT_PACKETS_BEGIN

namespace weft::kernels {
inline namespace WEFT_BUILD_NAMESPACE {

/// y = x + z, elementwise. y may be one of them.
template <class Scalar>
void add_elements(Cpu& cpu, TensorView<const Scalar> x, TensorView<const Scalar> z,
                  TensorView<Scalar> y) {
    detail::parallel_transform<Scalar>(
        cpu, y.size(), y.data(), [](const auto& a, const auto& b) { return padd(a, b); }, x.data(),
        z.data());
}

/// y = x z, elementwise. y may be one of them.
template <class Scalar>
void multiply_elements(Cpu& cpu, TensorView<const Scalar> x, TensorView<const Scalar> z,
                       TensorView<Scalar> y) {
    detail::parallel_transform<Scalar>(
        cpu, y.size(), y.data(), [](const auto& a, const auto& b) { return pmul(a, b); }, x.data(),
        z.data());
}

/// y_r,(to + j) = x_r,(from + j) for j < columns.   x (R, C), C >= from + columns
///   y (R, C'), C' >= to + columns
template <class Scalar>
void copy_columns(Cpu& cpu, TensorView<const Scalar> x, Index from, Index columns,
                  TensorView<Scalar> y, Index to) {
    const Index rows = x.shape()[0], x_row = x.shape()[1], y_row = y.shape()[1];
    assert(y.shape()[0] == rows && from + columns <= x_row && to + columns <= y_row);
    const Index grain =
        (std::max<Index>)(1, detail::elementwise_grain / (std::max<Index>)(1, columns));
    parallel_ranges(cpu, rows, grain, [&](Index begin, Index end) {
        for (Index r = begin; r < end; ++r) {
            std::copy_n(x.data() + r * x_row + from, columns, y.data() + r * y_row + to);
        }
    });
}

/// y_r,j = x_s,j with s = samples_(first + r), of matrices whose rows lie x_row and `columns` elements
/// apart.   X: Scalar, or std::uint8_t, whose numbers are converted
template <class Scalar, class X>
void gather_samples(Cpu& cpu, Index rows, Index columns, const X* x, Index x_row,
                    const std::int32_t* samples, const std::int32_t* first, Scalar* y) {
    const Index grain =
        (std::max<Index>)(1, detail::elementwise_grain / (std::max<Index>)(1, columns));
    parallel_ranges(cpu, rows, grain, [&](Index begin, Index end) {
        for (Index r = begin; r < end; ++r) {
            std::copy_n(x + samples[*first + r] * x_row, columns, y + r * columns);
        }
    });
}

/// row = row `taken` of rows, each of so many bytes;   ++taken.
inline void copy_next_row(Cpu&, Index row_bytes, const std::byte* rows, std::int32_t* taken,
                          std::byte* row) {
    std::copy_n(rows + *taken * row_bytes, row_bytes, row);
    ++*taken;
}

}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft::kernels

WEFT_PACKETS_END
