/// \file
/// Winograd's convolution F(2 x 2, 3 x 3): when it pays, its tiles, and the transforms of images.
#pragma once

#include "weft/kernels/cpu/convolution_patches.hpp"

WEFT_PACKETS_BEGIN

namespace weft::kernels {
inline namespace WEFT_BUILD_NAMESPACE {
namespace detail {

/// The output of a convolution in tiles of 2 x 2. A tile sees 4 x 4 inputs.
struct WinogradTiles {
    WinogradTiles(const PatchSource& images_of, Index images)
        : source(images_of),
          down(blocks_of(source.rows.output, 2)),
          across(blocks_of(source.columns.output, 2)),
          count(images * down * across) {}

    struct Place {
        Index image, row, column;  ///< of the tile's first output
    };

    /// Calls body(t, place) for tiles first + t, t < number.
    template <class Body>
    EIGEN_ALWAYS_INLINE void for_each(Index first, Index number, const Body& body) const {
        Place place{first / (down * across), first / across % down * 2, first % across * 2};
        for (Index t = 0; t < number; ++t) {
            body(t, place);
            place.column += 2;
            if (place.column < source.columns.output) continue;
            place.column = 0;
            place.row += 2;
            if (place.row < source.rows.output) continue;
            place.row = 0;
            ++place.image;
        }
    }

    PatchSource source;
    Index down, across, count;
};

/// Whether a convolution has windows of 3 x 3 one step apart, enough channels and filters to pay for
/// the transforms, and images of which tiles need at most 4 / 5 of the products, or 16 / 25 with 32
/// channels or filters. Measured on Zen 4 at batch 32: 64 channels of 14 x 14 take 0.7 of the
/// time, 128 of 7 x 7 0.8 to 0.85, 32 of 28 x 28 0.85; 16 of 28 x 28 are 10 % slower. Multiples of 16
/// are whole packets everywhere. Images of fewer than 9 tiles do not pay for the transform of the
/// filters when they come alone: with 4, as 4 x 4 has, they take 1.2 to 1.7 times as long.
inline bool pays_to_transform(const PatchSource& source, Index filters) {
    const auto fits = [](const WindowAxis& axis) {
        return axis.window == 3 && axis.stride == 1 && axis.dilation == 1;
    };
    const auto fills = [](Index channels) { return channels >= 32 && channels % 16 == 0; };
    const bool is_plain = fits(source.rows) && fits(source.columns) && source.row_spread == 1 &&
                          source.column_spread == 1 && source.taken_channels == source.channels;
    if (!is_plain || !fills(source.channels) || !fills(filters)) return false;
    // The products of an axis, without those with padding.
    const auto products = [](const WindowAxis& axis) {
        Index inside = 0;
        for (Index k = 0; k < 3; ++k) {
            const OutputRange range(axis, k);
            inside += range.end - range.begin;
        }
        return inside;
    };
    const WinogradTiles tiles(source, 1);
    const Index least = (std::min)(source.channels, filters) >= 48 ? 20 : 25;
    return tiles.count >= 9 &&
           least * tiles.count <= products(source.rows) * products(source.columns);
}

/// The rows that row a of a transform adds: the first, and the second with its sign; -1 is none.
struct WinogradRow {
    Index first, second;
    int sign;
};
/// B^T of images, (4, 4), and A of gradients, (4, 2).
inline constexpr WinogradRow image_rows[4]{{0, 2, -1}, {1, 2, 1}, {2, 1, -1}, {1, 3, -1}};
inline constexpr WinogradRow gradient_rows[4]{{0, -1, 1}, {0, 1, 1}, {0, 1, -1}, {-1, 1, -1}};

/// Transformed tiles, 16 matrices (tiles, channels): element (a, b) of tile t has its channels at
/// data + row(4 a + b, t).
struct WinogradMatrices {
    Index tiles, channels;

    /// Not a power of two, or rows would meet in the same few lines of a cache.
    Index step() const { return channels + 16; }
    Index row(Index matrix, Index tile) const { return (matrix * tiles + tile) * step(); }
    Index size(Index matrices) const { return matrices * tiles * step(); }
};

/// The rows of inputs that a tile sees, and of gradients of its outputs: four and two pixels, zeros
/// outside the image.
template <class Scalar, Index Pixels>
struct WinogradPixels {
    /// Row k, -1 for none, of rows that begin at (row, column) of an image of `rows` and `columns`.
    EIGEN_ALWAYS_INLINE WinogradPixels(const Scalar* image, Index rows, Index columns,
                                       Index channels, Index row, Index column, Index k,
                                       const Scalar* zeros) {
        const bool is_inside = k >= 0 && row + k >= 0 && row + k < rows;
        Index pixel = ((row + k) * columns + column) * channels;
        for (Index b = 0; b < Pixels; ++b, pixel += channels) {
            data[b] = is_inside && column + b >= 0 && column + b < columns ? image + pixel : zeros;
        }
    }

    const Scalar* data[std::size_t{Pixels}];
};

/// Row k of the inputs of a tile.
template <class Scalar>
EIGEN_ALWAYS_INLINE WinogradPixels<Scalar, 4> input_pixels(const WinogradTiles& tiles,
                                                           const WinogradTiles::Place& place,
                                                           Index k, const Scalar* x,
                                                           const Scalar* zeros) {
    const PatchSource& source = tiles.source;
    return {x + place.image * source.image_size(),
            source.rows.input,
            source.columns.input,
            source.channels,
            place.row - source.rows.before,
            place.column - source.columns.before,
            k,
            zeros};
}

/// Row k of the gradients of a tile's outputs, of so many channels.
template <class Scalar>
EIGEN_ALWAYS_INLINE WinogradPixels<Scalar, 2> output_pixels(const WinogradTiles& tiles,
                                                            const WinogradTiles::Place& place,
                                                            Index k, const Scalar* g,
                                                            Index channels, const Scalar* zeros) {
    const Index rows = tiles.source.rows.output, columns = tiles.source.columns.output;
    return {g + place.image * rows * columns * channels,
            rows,
            columns,
            channels,
            place.row,
            place.column,
            k,
            zeros};
}

/// A row of B^T d B: from the rows p and q that image_rows names, q with its sign, the first
/// `channels` channels, written `matrix` apart.
template <class Scalar>
WEFT_FLATTEN void transform_image_row(const WinogradPixels<Scalar, 4>& p,
                                      const WinogradPixels<Scalar, 4>& q, int sign, Index channels,
                                      Scalar* to, Index matrix) {
    const auto s = broadcast(static_cast<Scalar>(sign));
    for (Index c = 0; c < channels; c += packet_size<Scalar>) {
        const auto e0 = pmadd(s, load(q.data[0] + c), load(p.data[0] + c));
        const auto e1 = pmadd(s, load(q.data[1] + c), load(p.data[1] + c));
        const auto e2 = pmadd(s, load(q.data[2] + c), load(p.data[2] + c));
        const auto e3 = pmadd(s, load(q.data[3] + c), load(p.data[3] + c));
        store<Scalar>(to + c, psub(e0, e2));
        store<Scalar>(to + c + matrix, padd(e1, e2));
        store<Scalar>(to + c + 2 * matrix, psub(e2, e1));
        store<Scalar>(to + c + 3 * matrix, psub(e1, e3));
    }
}

/// A row of A g A^T in the same way, of `filters` channels.
template <class Scalar>
WEFT_FLATTEN void transform_gradient_row(const WinogradPixels<Scalar, 2>& p,
                                         const WinogradPixels<Scalar, 2>& q, int sign,
                                         Index filters, Scalar* to, Index matrix) {
    const auto s = broadcast(static_cast<Scalar>(sign));
    for (Index f = 0; f < filters; f += packet_size<Scalar>) {
        const auto e0 = pmadd(s, load(q.data[0] + f), load(p.data[0] + f));
        const auto e1 = pmadd(s, load(q.data[1] + f), load(p.data[1] + f));
        store<Scalar>(to + f, e0);
        store<Scalar>(to + f + matrix, padd(e0, e1));
        store<Scalar>(to + f + 2 * matrix, psub(e0, e1));
        store<Scalar>(to + f + 3 * matrix, pnegate(e1));
    }
}

}  // namespace detail
}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft::kernels

WEFT_PACKETS_END
