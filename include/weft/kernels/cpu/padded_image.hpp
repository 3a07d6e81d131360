/// \file
/// PaddedImage: a copy of an image between its padding.
#pragma once

#include "weft/kernels/cpu/packet.hpp"
#include "weft/kernels/window.hpp"

namespace weft::kernels {
inline namespace WEFT_BUILD_NAMESPACE {
namespace detail {

/// An image (rows, columns, channels) between its padding, as far as windows reach.
template <class Scalar>
struct PaddedImage {
    WindowAxis rows, columns;
    Index channels = 0;

    /// Elements of a row, and of all, with room for whole packets behind them.
    Index row_size() const { return reach(columns) * channels; }
    Index size() const { return round_up(reach(rows) * row_size() + packet_size<Scalar>, 16); }

    /// Writes the image into zeros, in whole packets: the zeros behind a row end in padding or where
    /// the next row is written.
    void copy(const Scalar* image, Scalar* padded) const {
        const Index before = columns.before * channels, input = columns.input * channels;
        const Index taken = (std::min)(input, row_size() - before);
        const Index count = (std::min)(rows.input, reach(rows) - rows.before);
        padded += rows.before * row_size() + before;
        for (Index row = 0; row < count; ++row, image += input, padded += row_size()) {
            for (Index j = 0; j < taken; j += packet_size<Scalar>) {
                store(padded + j, load_up_to(image + j, taken - j));
            }
        }
    }

private:
    /// Rows or columns with padding.
    static Index reach(const WindowAxis& axis) {
        return (axis.output - 1) * axis.stride + axis.window;
    }
};

}  // namespace detail
}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft::kernels
