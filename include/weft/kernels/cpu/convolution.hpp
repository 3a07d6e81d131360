/// \file
/// Convolution on the CPU: matrix products with patches of images, mostly read in place, or with
/// their transforms.
#pragma once

#include "weft/core/tensor_view.hpp"
#include "weft/kernels/cpu/convolution_filter_gradient.hpp"
#include "weft/kernels/cpu/convolution_patches.hpp"
#include "weft/kernels/cpu/dense.hpp"
#include "weft/kernels/cpu/winograd.hpp"
#include "weft/kernels/cpu/winograd_filter_gradient.hpp"

namespace weft::kernels {
inline namespace WEFT_BUILD_NAMESPACE {

namespace detail {

/// y (images, positions, columns of y_channels) = patches of x times filters (depth, columns),
/// packed by pack_rows.
template <class Scalar>
struct PatchProduct {
    const PatchSource& source;
    const Scalar* x;
    Index columns;
    const Scalar* filters;
    Scalar* y;
    Index y_channels;
    Epilogue<Scalar> epilogue;

    static constexpr Index width = MatmulBlocking<Scalar>::panel_columns;

    /// Number of images multiplied together. They share an output position, hence the same taps
    /// outside the image, so padding is skipped and no patch is copied.
    static constexpr Index image_block = MatmulBlocking<Scalar>::rows;

    /// Output row `out_row` of image_block images from the first on.
    WEFT_NOINLINE void multiply_row(Index first_image, Index out_row, Run* runs) const {
        for_each_step(out_row, [&](Index column, Index o, Index steps, Scalar* to) {
            multiply_runs(patch_runs(source, out_row, o, width, cut(), runs), column, image_block,
                          {steps, step(), source.column_spread * y_channels},
                          {x + first_image * source.image_size(), 0, source.image_size(), 1},
                          to + first_image * source.positions() * y_channels,
                          source.positions() * y_channels);
        });
    }

    /// Output row `out_row` of one image that is spread: positions with the same runs are the rows
    /// of a product, which skips the zeros in between.
    WEFT_NOINLINE void multiply_spread_row(Index image, Index out_row, Run* runs) const {
        for_each_step(out_row, [&](Index column, Index o, Index steps, Scalar* to) {
            multiply_runs(patch_runs(source, out_row, o, width, cut(), runs), column, steps, {},
                          {x + image * source.image_size(), step(), step(), 1},
                          to + image * source.positions() * y_channels,
                          source.column_spread * y_channels);
        });
    }

    /// A tile of one image, its patches gathered.
    WEFT_NOINLINE void multiply_tile(const PatchTiles& tiles, Index tile, Scalar* memory) const {
        const Scalar* const patches = tile_patches(source, tiles, tile, x, memory);
        const Index first = tiles.image(tile) * tiles.positions + tiles.first(tile);
        multiply_packed(tiles.size(tile), columns, source.depth(),
                        row_major(patches, source.depth()), filters, y + first * y_channels,
                        y_channels, epilogue);
    }

private:
    Index cut() const { return depth_of_chains<Scalar>(source.depth()); }
    /// The step from the runs of a position to those of the next position with the same runs.
    Index step() const { return source.columns.stride * source.channels; }

    /// Calls body(column, o, steps, to) for each panel of columns, and each output position o of that
    /// row and the steps - 1 behind it, column_spread apart, whose patches have the same runs, one
    /// step() further each; `to` is where it lies in the first image of y.
    template <class Body>
    EIGEN_ALWAYS_INLINE void for_each_step(Index out_row, const Body& body) const {
        const WindowAxis& axis = source.columns;
        const Index spread = source.column_spread;
        for (Index column = 0; column < columns; column += width) {
            for (Index first = 0; first < (std::min)(spread, axis.output); ++first) {
                for (Index o = first, end = 0; o < axis.output; o = end) {
                    end = o + spread;
                    if (is_inside(axis, spread, o)) {
                        while (end < axis.output && is_inside(axis, spread, end)) end += spread;
                    }
                    body(column, o, (end - o) / spread,
                         y + (out_row * axis.output + o) * y_channels + column);
                }
            }
        }
    }

    /// The panel of columns from `column` on, with `rows` rows.
    void multiply_runs(Runs runs, Index column, Index rows, const Repeats& repeats,
                       const RowBlocks<Scalar>& a, Scalar* to, Index to_row) const {
        Epilogue<Scalar> of_panel = epilogue;
        if (of_panel.bias != nullptr) of_panel.bias += column;
        for_parts(runs, width, cut(), [&](Runs part, bool is_first, bool is_last) {
            multiply_columns(rows, (std::min)(width, columns - column), part, repeats, a,
                             filters + column * source.depth(), width, to, to_row,
                             of_panel.of_part(is_first, is_last));
        });
    }
};

/// y (N, positions, columns of y_channels) = patches of x times filters (depth, columns), which
/// pack(memory) packs.
template <class Scalar, class Pack>
void multiply_patches(Cpu& cpu, Index images, const PatchSource& source, const Scalar* x,
                      Index columns, const Pack& pack, Scalar* y, Index y_channels,
                      const Epilogue<Scalar>& epilogue = {}) {
    constexpr Index block = PatchProduct<Scalar>::image_block;
    const Index packed = round_up(packed_size<Scalar>(source.depth(), columns), 16);
    const Index runs = source.rows.window * source.columns.window +
                       source.depth() / depth_of_chains<Scalar>(source.depth());
    const Index per_thread =
        (std::max)(patch_tile * source.depth(), round_up(runs * run_size<Scalar>, 16));
    const auto scratch = cpu.scratch<Scalar>(packed + cpu.threads() * per_thread);
    Scalar* const memory = scratch.data();
    pack(memory);
    const PatchProduct<Scalar> product{source, x, columns, memory, y, y_channels, epilogue};
    // Pointwise patches are already a matrix. Images that do not fill a block are cut into rows if
    // they are spread, else into tiles.
    const Index blocks = source.is_pointwise() ? 0 : images / block, in_blocks = blocks * block;
    const Index rows = source.rows.output, row_tasks = blocks * rows;
    const bool is_spread = source.row_spread > 1 || source.column_spread > 1;
    const PatchTiles tiles(images - in_blocks, source.positions());
    const Index others = is_spread ? (images - in_blocks) * rows : tiles.count;
    parallel_for(cpu, row_tasks + others, [&](Index task, int worker) {
        Scalar* const own = memory + packed + worker * per_thread;
        const Index other = task - row_tasks;
        if (other < 0) {
            product.multiply_row(task / rows * block, task % rows, reinterpret_cast<Run*>(own));
        } else if (is_spread) {
            product.multiply_spread_row(in_blocks + other / rows, other % rows,
                                        reinterpret_cast<Run*>(own));
        } else {
            product.multiply_tile(tiles, other + in_blocks * tiles.per_image, own);
        }
    });
}

}  // namespace detail

/// Y = act(X * W + b), the cross-correlation of images with filters:
///   y_nopf = act(b_f + sum_ijc x_n,(o s + i d - before),(p s + j d - before),c w_ijcf).
/// Sums have the bound of depth_of_chains or, where pays_to_transform says, of convolve_tiles; so have
/// those of convolution_input_gradient.
///
///   X (N, H, W, C)   W (kh, kw, C / groups, F)   b (F), or an empty view   Y (N, OH, OW, F)
template <class Scalar>
void convolution_forward(Cpu& cpu, const Convolution& c, TensorView<const Scalar> x,
                         TensorView<const Scalar> w, TensorView<const Scalar> b,
                         Activation activation, TensorView<Scalar> y) {
    const bool fuse_relu = activation.kind == Activation::Kind::relu;
    const Index columns = c.group_filters();
    for (Index group = 0; group < c.groups; ++group) {
        const Index first = group * columns;
        const detail::PatchSource source = detail::forward_patches(c, group);
        const MatrixOperand<Scalar> filters{w.data() + first, c.filters, 1};
        const Epilogue<Scalar> epilogue{.bias = b ? b.data() + first : nullptr, .relu = fuse_relu};
        if (detail::pays_to_transform(source, columns)) {
            detail::convolve_tiles<Scalar>(
                cpu, x.shape()[0], source, x.data(),
                {filters, source.channels * columns, source.channels, columns}, y.data(), epilogue);
            continue;
        }
        detail::multiply_patches<Scalar>(
            cpu, x.shape()[0], source, x.data(), columns,
            [&](Scalar* packed) {
                pack_rows<Scalar>(c.depth(), 0, c.depth(), columns, filters, packed);
            },
            y.data() + first, c.filters, epilogue);
    }
    if (!fuse_relu) activation_forward<Scalar>(cpu, activation, y, y);
}

/// dX from G = dL/dY * act': each input element gathers from the outputs that saw it. This is the
/// convolution of G, spread by the strides, with the flipped filters.
///
///   G (N, OH, OW, F)   W (kh, kw, C / groups, F)   dX (N, H, W, C)
template <class Scalar>
void convolution_input_gradient(Cpu& cpu, const Convolution& c, TensorView<const Scalar> g,
                                TensorView<const Scalar> w, TensorView<Scalar> dx) {
    const Index channels = c.group_channels(), filters = c.group_filters(), taps = c.window.taps();
    for (Index group = 0; group < c.groups; ++group) {
        const detail::PatchSource source = detail::transposed_patches(c, group);
        if (detail::pays_to_transform(source, channels)) {
            const MatrixOperand<Scalar> last{w.data() + 8 * channels * filters, 1, filters};
            detail::convolve_tiles<Scalar>(cpu, g.shape()[0], source, g.data(),
                                           {last, -channels * filters, filters, channels},
                                           dx.data());
            continue;
        }
        detail::multiply_patches<Scalar>(
            cpu, g.shape()[0], source, g.data(), channels,
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
/// Summed in parts, a number that follows from the sizes alone, and the parts in order.
/// db_f = sum over images and positions of G, unless db is an empty view.
///
///   X (N, H, W, C)   G (N, OH, OW, F)   dW (kh, kw, C / groups, F)   db (F)
template <class Scalar>
void convolution_filter_gradient(Cpu& cpu, const Convolution& c, TensorView<const Scalar> x,
                                 TensorView<const Scalar> g, TensorView<Scalar> dw,
                                 TensorView<Scalar> db) {
    if (db) column_sums<Scalar>(cpu, g, db);
    const Index images = x.shape()[0], depth = c.depth(), columns = c.group_filters();
    if (images == 0) {
        std::fill(dw.begin(), dw.end(), Scalar(0));
        return;
    }
    const detail::PatchSource source = detail::forward_patches(c, 0);
    if (detail::pays_to_transform_gradient(source, images, columns)) {
        return detail::winograd_filter_gradient<Scalar>(
            cpu, {source, images, x.data(), g.data(), columns}, source.channels, columns,
            dw.data());
    }
    detail::FilterGradient<Scalar> gradient(c, images, x.data(), g.data());
    const Index size = depth * columns, parts = gradient.parts(), tasks = gradient.tasks();
    const Index of_sums = detail::round_up(parts * size, 16);
    const auto scratch = cpu.scratch<Scalar>(of_sums + cpu.threads() * gradient.scratch_size());
    Scalar* const sums = scratch.data();
    for (Index group = 0; group < c.groups; ++group) {
        gradient.set_group(group);
        parallel_for(cpu, parts * tasks, [&](Index task, int worker) {
            gradient.sum(task / tasks, task % tasks, sums + task / tasks * size,
                         sums + of_sums + worker * gradient.scratch_size());
        });
        parallel_ranges(cpu, depth, detail::row_grain(columns), [&](Index begin, Index end) {
            for (Index row = begin; row < end; ++row) {
                Scalar* const out = dw.data() + row * c.filters + group * columns;
                std::copy_n(sums + row * columns, columns, out);
                for (Index part = 1; part < parts; ++part) {
                    const Scalar* more = sums + part * size + row * columns;
                    for (Index f = 0; f < columns; ++f) out[f] += more[f];
                }
            }
        });
    }
}

}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft::kernels
