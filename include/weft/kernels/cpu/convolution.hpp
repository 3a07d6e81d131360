/// \file
/// Convolution on the CPU, as im2col and matrix product, tile by tile.
#pragma once

#include "weft/core/tensor_view.hpp"
#include "weft/kernels/cpu/dense.hpp"
#include "weft/kernels/window.hpp"

namespace weft::kernels {
inline namespace WEFT_BUILD_NAMESPACE {

/// Windows over images (N, H, W, channels), and the filters (window, window, channels / groups,
/// filters) that each is multiplied with. Filters and channels are cut into as many groups; filters
/// of a group see the channels of that group alone.
struct Convolution {
    Window2D window;
    Index filters = 1;
    Index groups = 1;

    constexpr Index group_channels() const { return window.channels / groups; }
    constexpr Index group_filters() const { return filters / groups; }
    /// The elements of a patch: the rows of a group's filter matrix.
    constexpr Index depth() const { return window.taps() * group_channels(); }
};

namespace detail {

/// Output positions that are multiplied at once: their patches stay in the second-level cache.
inline constexpr Index patch_tile = 64;

/// Where the patches of a convolution, or of its transpose, are read.
struct PatchSource {
    WindowAxis rows, columns;
    Index channels;       ///< of the image
    Index first_channel;  ///< of those taken
    Index taken_channels;
    /// The image is thought of with so many steps from one element to the next, zeros in between:
    /// the strides of the convolution of which this is the transpose.
    Index row_spread = 1, column_spread = 1;

    Index positions() const { return rows.output * columns.output; }
    Index depth() const { return rows.window * columns.window * taken_channels; }
    Index image_size() const { return rows.input * columns.input * channels; }

    /// Whether a patch is just the channels of a pixel, so that the image is the patch matrix.
    bool is_pointwise() const {
        const auto single = [](const WindowAxis& axis) {
            return axis.window == 1 && axis.stride == 1 && axis.input == axis.output;
        };
        return single(rows) && single(columns) && taken_channels == channels && row_spread == 1 &&
               column_spread == 1;
    }
};

/// The input element that tap k of output o meets; -1 where it is padding.
inline Index tap_position(const WindowAxis& axis, Index spread, Index o, Index k) {
    const Index position = o * axis.stride + k * axis.dilation - axis.before;
    if (position < 0 || position >= axis.input * spread || position % spread != 0) return -1;
    return position / spread;
}

/// The taps of one window row: patch (window, taken_channels) from the image row.
template <class Scalar>
void gather_patch_row(const PatchSource& source, const Scalar* image_row, Index out_column,
                      Scalar* patch) {
    const WindowAxis& axis = source.columns;
    const Index taken = source.taken_channels;
    if (source.column_spread == 1 && axis.dilation == 1 && taken == source.channels) {
        // The taps inside the image lie side by side, as in the patch.
        const Index start = out_column * axis.stride - axis.before;
        const Index begin = std::clamp<Index>(-start, 0, axis.window);
        const Index end = std::clamp<Index>(axis.input - start, begin, axis.window);
        std::fill_n(patch, begin * taken, Scalar(0));
        std::copy_n(image_row + (start + begin) * taken, (end - begin) * taken,
                    patch + begin * taken);
        std::fill_n(patch + end * taken, (axis.window - end) * taken, Scalar(0));
        return;
    }
    for (Index k = 0; k < axis.window; ++k, patch += taken) {
        const Index column = tap_position(axis, source.column_spread, out_column, k);
        if (column < 0) {
            std::fill_n(patch, taken, Scalar(0));
        } else {
            std::copy_n(image_row + column * source.channels + source.first_channel, taken, patch);
        }
    }
}

/// Writes the patches of output positions [first, first + count) of one image, one after another:
/// patches (count, depth).
template <class Scalar>
void gather_patches(const PatchSource& source, const Scalar* image, Index first, Index count,
                    Scalar* patches) {
    const Index row_taps = source.columns.window * source.taken_channels;
    const Index row_size = source.columns.input * source.channels;
    for (Index position = first; position < first + count; ++position) {
        const Index out_row = position / source.columns.output;
        const Index out_column = position % source.columns.output;
        for (Index k = 0; k < source.rows.window; ++k, patches += row_taps) {
            const Index row = tap_position(source.rows, source.row_spread, out_row, k);
            if (row < 0) {
                std::fill_n(patches, row_taps, Scalar(0));
            } else {
                gather_patch_row(source, image + row * row_size, out_column, patches);
            }
        }
    }
}

/// The tiles that the output positions of some images are cut into.
struct PatchTiles {
    PatchTiles(Index images, Index positions_per_image)
        : positions(positions_per_image),
          per_image((positions + patch_tile - 1) / patch_tile),
          count(images * per_image) {}

    Index image(Index tile) const { return tile / per_image; }
    Index first(Index tile) const { return tile % per_image * patch_tile; }
    Index size(Index tile) const { return std::min(patch_tile, positions - first(tile)); }

    Index positions, per_image, count;
};

/// The patches (size, depth) of a tile: the image's own memory where they lie there, else gathered.
template <class Scalar>
const Scalar* tile_patches(const PatchSource& source, const PatchTiles& tiles, Index tile,
                           const Scalar* images, Scalar* memory) {
    const Scalar* image = images + tiles.image(tile) * source.image_size();
    if (source.is_pointwise()) return image + tiles.first(tile) * source.channels;
    gather_patches(source, image, tiles.first(tile), tiles.size(tile), memory);
    return memory;
}

/// y (N, positions, columns of y_channels) = patches of x times filters (depth, columns), which
/// pack(memory) packs.
template <class Scalar, class Pack>
void multiply_patches(Cpu& cpu, Index images, const PatchSource& source, const Scalar* x,
                      Index columns, const Pack& pack, Scalar* y, Index y_channels,
                      const Epilogue<Scalar>& epilogue = {}) {
    const Index depth = source.depth();
    const Index packed = packed_size<Scalar>(depth, columns);
    const Index per_thread = patch_tile * depth;
    auto* const memory = reinterpret_cast<Scalar*>(cpu.scratch(
        static_cast<std::size_t>(packed + cpu.threads() * per_thread) * sizeof(Scalar)));
    pack(memory);
    const PatchTiles tiles(images, source.positions());
    parallel_for(cpu, tiles.count, [&](Index tile, int worker) {
        const Scalar* patches =
            tile_patches(source, tiles, tile, x, memory + packed + worker * per_thread);
        Scalar* const y_tile =
            y + (tiles.image(tile) * tiles.positions + tiles.first(tile)) * y_channels;
        multiply_packed(tiles.size(tile), columns, depth, row_major(patches, depth), memory, y_tile,
                        y_channels, epilogue);
    });
}

/// The windows of a group of a convolution.
inline PatchSource forward_patches(const Convolution& c, Index group) {
    return {c.window.rows, c.window.columns, c.window.channels, group * c.group_channels(),
            c.group_channels()};
}

/// The windows of a group of its transpose, which run over the gradients of the outputs.
inline PatchSource transposed_patches(const Convolution& c, Index group) {
    const auto transposed = [](const WindowAxis& axis) {
        return WindowAxis{.input = axis.output,
                          .window = axis.window,
                          .stride = 1,
                          .dilation = axis.dilation,
                          .before = axis.extent() - 1 - axis.before,
                          .output = axis.input};
    };
    return {transposed(c.window.rows),
            transposed(c.window.columns),
            c.filters,
            group * c.group_filters(),
            c.group_filters(),
            c.window.rows.stride,
            c.window.columns.stride};
}

}  // namespace detail

/// Y = act(X * W + b), the cross-correlation of images with filters:
///   y_nopf = act(b_f + sum_ijc x_n,(o s + i d - before),(p s + j d - before),c w_ijcf).
///
///   X (N, H, W, C)   W (kh, kw, C / groups, F)   b (F), or an empty view   Y (N, OH, OW, F)
template <class Scalar>
void convolution_forward(Cpu& cpu, const Convolution& c, TensorView<const Scalar> x,
                         TensorView<const Scalar> w, TensorView<const Scalar> b,
                         Activation activation, TensorView<Scalar> y) {
    const bool fuse_relu = activation == Activation::relu;
    const Index columns = c.group_filters();
    for (Index group = 0; group < c.groups; ++group) {
        const Index first = group * columns;
        detail::multiply_patches<Scalar>(
            cpu, x.shape()[0], detail::forward_patches(c, group), x.data(), columns,
            [&](Scalar* packed) {
                pack_rows<Scalar>(c.depth(), 0, c.depth(), columns,
                                  {w.data() + first, c.filters, 1}, packed);
            },
            y.data() + first, c.filters,
            {.bias = b ? b.data() + first : nullptr, .relu = fuse_relu});
    }
    if (!fuse_relu) activation_forward<Scalar>(cpu, activation, y, y);
}

/// dX from G = dL/dY * act': each input element gathers from the outputs that saw it, which is the
/// convolution of G, spread by the strides, with the filters turned round.
///
///   G (N, OH, OW, F)   W (kh, kw, C / groups, F)   dX (N, H, W, C)
template <class Scalar>
void convolution_input_gradient(Cpu& cpu, const Convolution& c, TensorView<const Scalar> g,
                                TensorView<const Scalar> w, TensorView<Scalar> dx) {
    const Index channels = c.group_channels(), filters = c.group_filters(), taps = c.window.taps();
    for (Index group = 0; group < c.groups; ++group) {
        detail::multiply_patches<Scalar>(
            cpu, g.shape()[0], detail::transposed_patches(c, group), g.data(), channels,
            [&](Scalar* packed) {
                for (Index tap = 0; tap < taps; ++tap) {
                    const Scalar* of_tap = w.data() + (taps - 1 - tap) * channels * c.filters;
                    pack_rows<Scalar>(taps * filters, tap * filters, filters, channels,
                                      {of_tap + group * filters, 1, c.filters}, packed);
                }
            },
            dx.data() + group * channels, c.window.channels);
    }
}

/// dW_ijcf = sum over images and positions of x at tap (i, j), channel c, times G: patches^T G.
/// Summed in at most 16 parts, cut by the number of tiles, and the parts in order.
///
///   X (N, H, W, C)   G (N, OH, OW, F)   dW (kh, kw, C / groups, F)
template <class Scalar>
void convolution_filter_gradient(Cpu& cpu, const Convolution& c, TensorView<const Scalar> x,
                                 TensorView<const Scalar> g, TensorView<Scalar> dw) {
    const Index depth = c.depth(), columns = c.group_filters(), size = depth * columns;
    const detail::PatchTiles tiles(x.shape()[0], c.window.positions());
    const Index parts = std::min<Index>(16, tiles.count);
    const Index patch_size = detail::patch_tile * depth;
    const Index per_thread = patch_size + packed_size<Scalar>(detail::patch_tile, columns);
    auto* const sums = reinterpret_cast<Scalar*>(cpu.scratch(
        static_cast<std::size_t>(parts * size + cpu.threads() * per_thread) * sizeof(Scalar)));
    for (Index group = 0; group < c.groups; ++group) {
        const detail::PatchSource source = detail::forward_patches(c, group);
        parallel_for(cpu, parts, [&](Index part, int worker) {
            Scalar* const memory = sums + parts * size + worker * per_thread;
            const Index begin = tiles.count * part / parts;
            const Index end = tiles.count * (part + 1) / parts;
            for (Index tile = begin; tile < end; ++tile) {
                const Index rows = tiles.size(tile);
                const Scalar* patches = detail::tile_patches(source, tiles, tile, x.data(), memory);
                const Scalar* g_tile =
                    g.data() + group * columns +
                    (tiles.image(tile) * tiles.positions + tiles.first(tile)) * c.filters;
                pack_rows<Scalar>(rows, 0, rows, columns, {g_tile, c.filters, 1},
                                  memory + patch_size);
                multiply_packed<Scalar>(depth, columns, rows,
                                        row_major(patches, depth).transposed(), memory + patch_size,
                                        sums + part * size, columns, {.accumulate = tile > begin});
            }
        });
        parallel_ranges(cpu, depth, detail::row_grain(columns), [&](Index begin, Index end) {
            for (Index row = begin; row < end; ++row) {
                Scalar* const out = dw.data() + row * c.filters + group * columns;
                std::fill_n(out, columns, Scalar(0));
                for (Index part = 0; part < parts; ++part) {
                    const Scalar* more = sums + part * size + row * columns;
                    for (Index f = 0; f < columns; ++f) out[f] += more[f];
                }
            }
        });
    }
}

}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft::kernels
