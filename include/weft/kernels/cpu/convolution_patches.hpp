/// \file
/// The windows of a convolution as rows of a matrix: gathered, or as runs through the image.
#pragma once

#include "weft/kernels/convolution.hpp"
#include "weft/kernels/cpu/matmul_kernel.hpp"

namespace weft::kernels {
inline namespace WEFT_BUILD_NAMESPACE {

namespace detail {

/// Output positions that are multiplied at once: their patches stay in the second-level cache.
inline constexpr Index patch_tile = 64;

/// The source of the patches of a convolution, or of its transpose.
struct PatchSource {
    WindowAxis rows, columns;
    Index channels;       ///< of the image
    Index first_channel;  ///< of the channels taken
    Index taken_channels;
    /// The image is treated as if spread: `spread` steps from one element to the next, with zeros
    /// in between. For a transpose these are the strides of the convolution; else 1.
    Index row_spread = 1, column_spread = 1;

    Index positions() const { return rows.output * columns.output; }
    Index depth() const { return rows.window * columns.window * taken_channels; }
    Index image_size() const { return rows.input * columns.input * channels; }

    /// Whether a patch is just the channels of a pixel: then the image is the patch matrix.
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

/// The tiles of the output positions of some images.
struct PatchTiles {
    PatchTiles(Index images, Index positions_per_image)
        : positions(positions_per_image),
          per_image(blocks_of(positions, patch_tile)),
          count(images * per_image) {}

    Index image(Index tile) const { return tile / per_image; }
    Index first(Index tile) const { return tile % per_image * patch_tile; }
    Index size(Index tile) const { return (std::min)(patch_tile, positions - first(tile)); }

    Index positions, per_image, count;
};

/// The patches (size, depth) of a tile: the image's own memory if they lie there, else gathered.
template <class Scalar>
const Scalar* tile_patches(const PatchSource& source, const PatchTiles& tiles, Index tile,
                           const Scalar* images, Scalar* memory) {
    const Scalar* image = images + tiles.image(tile) * source.image_size();
    if (source.is_pointwise()) return image + tiles.first(tile) * source.channels;
    gather_patches(source, image, tiles.first(tile), tiles.size(tile), memory);
    return memory;
}

/// The elements of scratch memory that a Run takes, and an Index.
template <class Scalar>
inline constexpr Index run_size = static_cast<Index>(sizeof(Run) / sizeof(Scalar));
template <class Scalar>
inline constexpr Index index_size = static_cast<Index>(sizeof(Index) / sizeof(Scalar));

/// The patch of one output position of an image as runs of a product with filters (depth, ...),
/// whose rows are filter_row elements apart. Padding is in none of them. Runs end where the
/// filters' rows are cut, at the multiples of `cut`: at most as many as taps and cuts.
WEFT_NOINLINE inline Runs patch_runs(const PatchSource& source, Index out_row, Index out_column,
                                     Index filter_row, Index cut, Run* runs) {
    const Index taken = source.taken_channels;
    Index count = 0, next_cut = cut;
    for (Index i = 0; i < source.rows.window; ++i) {
        const Index row = tap_position(source.rows, source.row_spread, out_row, i);
        if (row < 0) continue;
        for (Index j = 0; j < source.columns.window; ++j) {
            const Index column = tap_position(source.columns, source.column_spread, out_column, j);
            if (column < 0) continue;
            Index a =
                (row * source.columns.input + column) * source.channels + source.first_channel;
            Index b = (i * source.columns.window + j) * taken;
            for (const Index end = b + taken; b < end;) {
                const bool is_cut = b >= next_cut;
                while (b >= next_cut) next_cut += cut;
                const Index depth = (std::min)(end, next_cut) - b;
                Run* const last = runs + count - 1;
                if (count > 0 && !is_cut && last->a + last->depth == a &&
                    last->b + last->depth * filter_row == b * filter_row) {
                    last->depth += depth;
                } else {
                    runs[count++] = {a, b * filter_row, depth};
                }
                a += depth;
                b += depth;
            }
        }
    }
    return {runs, count};
}

/// Calls part(runs, is_first, is_last) for the runs of patch_runs between one cut and the next.
template <class Part>
EIGEN_ALWAYS_INLINE void for_parts(Runs runs, Index filter_row, Index cut, const Part& part) {
    Index first = 0, next_cut = 0;
    do {
        next_cut += cut * filter_row;
        Index next = runs.count;
        if (runs.count > 0 && runs.first[runs.count - 1].b >= next_cut) {
            for (next = first; runs.first[next].b < next_cut;) ++next;
            if (next == first) continue;
        }
        part(Runs{runs.first + first, next - first}, first == 0, next == runs.count);
        first = next;
    } while (first < runs.count);
}

/// Whether the patches of an output column lie between the image's sides. Then those `spread`
/// columns further that do so, too, have the same runs, one step further.
inline bool is_inside(const WindowAxis& axis, Index spread, Index o) {
    const Index start = o * axis.stride - axis.before;
    return start >= 0 && start + axis.extent() <= axis.input * spread;
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

/// The outputs whose tap k is inside the image: [begin, end).
struct OutputRange {
    OutputRange(const WindowAxis& axis, Index k) {
        const Index offset = k * axis.dilation - axis.before;
        begin = offset >= 0 ? 0 : (-offset + axis.stride - 1) / axis.stride;
        end = offset >= axis.input ? 0 : (axis.input - 1 - offset) / axis.stride + 1;
        end = (std::min)(end, axis.output);
        begin = (std::min)(begin, end);
    }

    Index begin, end;
};

}  // namespace detail
}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft::kernels
