/// \file
/// The gradient of a convolution's filters.
#pragma once

#include "weft/kernels/cpu/convolution_patches.hpp"
#include "weft/kernels/cpu/matmul.hpp"
#include "weft/kernels/cpu/padded_image.hpp"
#include "weft/kernels/cpu/sum_of_pieces.hpp"

namespace weft::kernels {
inline namespace WEFT_BUILD_NAMESPACE {
namespace detail {

/// dW (depth, group's filters) of one group, in parts of the images, or of the tiles of their
/// positions, that are each summed in order. A part is cut into tasks, which write to different
/// rows of dW.
///
/// Up to 512 products are summed in registers, 256 such sums in dW, and sums of so many then added
/// to it: off by at most (512 + 256 + n / 2^17 + 16) u sum |x g|, u = eps / 2, for n products; in
/// float 9.2e-5 of it for the 10^8 positions of 100 images of 1000 x 1000.
///
/// Three ways, each the fastest for its sizes; the sizes choose:
///   direct    dW of a tap = X^T G over the positions where the tap is inside the image; both lie
///             in memory as the product reads them. A task is some channels of a tap.
///   narrow    the same for images of few channels, in images copied with their padding: then all
///             taps meet all positions, and are multiplied at once.
///   gathered  the patches of a tile of positions are copied; for filters that are not a whole
///             number of packets, or far from each other.
template <class Scalar>
class FilterGradient {
public:
    FilterGradient(const Convolution& c, Index images, const Scalar* x, const Scalar* g)
        : c_(c), images_(images), x_(x), g_(g), source_(forward_patches(c, 0)) {
        const bool whole_packets = c.group_filters() % packet_size<Scalar> == 0;
        const bool few_channels = c.group_channels() < MatmulBlocking<Scalar>::rows;
        if (whole_packets && !few_channels) {
            way_ = Way::direct;
        } else if (whole_packets && c.groups == 1 && c.window.rows.dilation == 1 &&
                   c.window.columns.dilation == 1) {
            way_ = Way::narrow;
        }
        // Direct parts have tasks to share, and large gradients cost much to add up.
        const Index size = c.depth() * c.group_filters();
        const Index most =
            way_ == Way::direct ? std::clamp<Index>((Index{1} << 18) / size, 1, 16) : 16;
        parts_ = (std::min)(most, way_ == Way::gathered ? tiles().count : images);
    }

    void set_group(Index group) {
        source_ = forward_patches(c_, group);
        g_of_group_ = g_ + group * c_.group_filters();
    }

    /// The number of parts, which follows from the sizes alone.
    Index parts() const { return parts_; }

    /// The number of tasks of a part.
    Index tasks() const { return way_ == Way::direct ? c_.window.taps() * channel_blocks() : 1; }

    /// Elements that one thread needs.
    Index scratch_size() const {
        if (way_ == Way::direct) return runs_size() + beside_size();
        if (way_ == Way::narrow) {
            return runs_size() + beside_size() + padded_image().size() +
                   round_up(c_.depth() * index_size<Scalar>, 16);
        }
        return beside_size() + patch_tile * c_.depth() +
               packed_size<Scalar>(patch_tile, c_.group_filters());
    }

    /// A task of a part: its rows of the part's dW (depth, group's filters).
    WEFT_NOINLINE void sum(Index part, Index task, Scalar* dw, Scalar* scratch) const {
        const Index count = way_ == Way::gathered ? tiles().count : images_;
        const Index begin = count * part / parts_, end = count * (part + 1) / parts_;
        switch (way_) {
            case Way::direct:
                return sum_tap(begin, end, task, dw, scratch);
            case Way::narrow:
                return sum_padded(begin, end, dw, scratch);
            case Way::gathered:
                return sum_gathered(begin, end, dw, scratch);
        }
    }

private:
    enum class Way { direct, narrow, gathered };

    Index positions() const { return c_.window.positions(); }
    PatchTiles tiles() const { return {images_, positions()}; }

    /// The channels of a direct task, and the number of such blocks.
    static constexpr Index task_channels = 64;
    Index channel_blocks() const { return blocks_of(c_.group_channels(), task_channels); }

    /// Images that are multiplied at once: they fit the second-level cache.
    Index chunk_images() const {
        const Index size = source_.image_size() + positions() * c_.filters;
        return (std::max<Index>)(1, MatmulBlocking<Scalar>::block_bytes /
                                        static_cast<Index>(sizeof(Scalar)) / size);
    }

    /// Products that are summed in registers.
    static constexpr Index chain = MatmulBlocking<Scalar>::chain_depth;

    /// The room for the runs of an image, or of the images of a chunk.
    Index runs_size() const {
        const Index of_row = blocks_of(c_.window.columns.output, chain);
        const Index images = way_ == Way::direct ? chunk_images() : 1;
        return round_up(images * c_.window.rows.output * of_row * run_size<Scalar>, 16);
    }

    /// Appends the run, in pieces.
    Index append(Run run, Index a_step, Run* runs, Index count) const {
        const Index piece = depth_of_parts(run.depth, chain);
        while (run.depth > piece) {
            runs[count++] = {run.a, run.b, piece};
            run = {run.a + piece * a_step, run.b + piece * c_.filters, run.depth - piece};
        }
        runs[count] = run;
        return count + 1;
    }

    /// Adds A^T G, [rows, group's filters], over the runs, the first of them the longest, to sum;
    /// the columns of A^T as multiply_columns reads them.
    template <class RowsOfA>
    void multiply(Index rows, Runs runs, const RowsOfA& a, const Scalar* g,
                  SumOfPieces<Scalar>& sum) const {
        constexpr Index width = MatmulBlocking<Scalar>::panel_columns;
        const Index columns = c_.group_filters();
        const Index longest = runs.count == 0 ? 0 : runs.first->depth;
        const Index at_once = depth_of_parts(runs.count, chain / (std::max<Index>)(longest, 1));
        for (Index first = 0; first == 0 || first < runs.count; first += at_once) {
            const Runs piece{runs.first + first, (std::min)(at_once, runs.count - first)};
            sum.add([&](Scalar* dw, bool accumulate) {
                for (Index column = 0; column < columns; column += width) {
                    multiply_columns(rows, (std::min)(width, columns - column), piece, {}, a,
                                     g + column, c_.filters, dw + column, columns,
                                     Epilogue<Scalar>{.accumulate = accumulate});
                }
            });
        }
    }

    /// The room for sums beside those of a task.
    Index beside_size() const {
        const Index rows = way_ == Way::direct ? task_channels : c_.depth();
        return round_up(rows * c_.group_filters(), 16);
    }

    void sum_tap(Index begin, Index end, Index task, Scalar* dw, Scalar* scratch) const {
        const WindowAxis &rows = c_.window.rows, &columns = c_.window.columns;
        const Index tap = task / channel_blocks();
        const Index first_channel = task % channel_blocks() * task_channels;
        const Index taken = (std::min)(task_channels, source_.taken_channels - first_channel);
        const Index i = tap / columns.window, j = tap % columns.window;
        const OutputRange down(rows, i), across(columns, j);
        const Index chunk = chunk_images(), channels = source_.channels;
        const Index column = across.begin * columns.stride + j * columns.dilation - columns.before;
        const RowBlocks<Scalar> a{x_, 1, 1, columns.stride * channels};
        auto* const runs = reinterpret_cast<Run*>(scratch);
        const Index filters = c_.group_filters();
        SumOfPieces<Scalar> sum(dw + (tap * source_.taken_channels + first_channel) * filters,
                                scratch + runs_size(), taken * filters);
        for (Index first = begin; first < end; first += chunk) {
            Index count = 0;
            for (Index n = first; n < (std::min)(end, first + chunk); ++n) {
                for (Index o = down.begin; o < down.end; ++o) {
                    const Index row = tap_position(rows, 1, o, i);
                    const Run run{
                        ((n * rows.input + row) * columns.input + column) * channels +
                            source_.first_channel + first_channel,
                        ((n * rows.output + o) * columns.output + across.begin) * c_.filters,
                        across.end - across.begin};
                    count = append(run, a.column_step, runs, count);
                }
            }
            multiply(taken, {runs, count}, a, g_of_group_, sum);
        }
        sum.finish();
    }

    PaddedImage<Scalar> padded_image() const {
        return {c_.window.rows, c_.window.columns, source_.channels};
    }

    void sum_padded(Index begin, Index end, Scalar* dw, Scalar* scratch) const {
        const WindowAxis &rows = c_.window.rows, &columns = c_.window.columns;
        const Index taps = columns.window * source_.channels;
        const PaddedImage<Scalar> padded = padded_image();
        const Index row_size = padded.row_size();
        Scalar* const beside = scratch + padded.size() + runs_size();
        auto* const runs = reinterpret_cast<Run*>(scratch + padded.size());
        auto* const offsets = reinterpret_cast<Index*>(beside + beside_size());
        for (Index i = 0; i < rows.window; ++i) {
            for (Index j = 0; j < taps; ++j) offsets[i * taps + j] = i * row_size + j;
        }
        const OffsetRows<Scalar> a{scratch, offsets, columns.stride * source_.channels};
        Index count = 0;
        for (Index o = 0; o < rows.output; ++o) {
            const Run run{o * rows.stride * row_size, o * columns.output * c_.filters,
                          columns.output};
            count = append(run, a.column_step, runs, count);
        }
        std::fill_n(scratch, padded.size(), Scalar(0));
        SumOfPieces<Scalar> sum(dw, beside, c_.depth() * c_.filters);
        for (Index n = begin; n < end; ++n) {
            padded.copy(x_ + n * source_.image_size(), scratch);
            multiply(c_.depth(), {runs, count}, a, g_of_group_ + n * positions() * c_.filters, sum);
        }
        sum.finish();
    }

    void sum_gathered(Index begin, Index end, Scalar* dw, Scalar* scratch) const {
        const Index depth = c_.depth(), columns = c_.group_filters();
        const PatchTiles all = tiles();
        Scalar* const packed = scratch + patch_tile * depth;
        SumOfPieces<Scalar> sum(dw, packed + packed_size<Scalar>(patch_tile, columns),
                                depth * columns);
        for (Index tile = begin; tile < end; ++tile) {
            const Index rows = all.size(tile);
            const Scalar* const patches = tile_patches(source_, all, tile, x_, scratch);
            const Scalar* const g_tile =
                g_of_group_ + (all.image(tile) * all.positions + all.first(tile)) * c_.filters;
            pack_rows<Scalar>(rows, 0, rows, columns, {g_tile, c_.filters, 1}, packed);
            sum.add([&](Scalar* to, bool accumulate) {
                multiply_packed<Scalar>(depth, columns, rows,
                                        row_major(patches, depth).transposed(), packed, to, columns,
                                        {.accumulate = accumulate});
            });
        }
        sum.finish();
    }

    const Convolution& c_;
    Index images_;
    const Scalar* x_;
    const Scalar* g_;
    Index parts_ = 1;
    PatchSource source_;
    const Scalar* g_of_group_ = nullptr;
    Way way_ = Way::gathered;
};

}  // namespace detail
}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft::kernels
