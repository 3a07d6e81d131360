/// \file
/// The gradient of filters of 3 x 3 taps by Winograd's algorithm F(3 x 3, 2 x 2).
#pragma once

#include "weft/core/parallel.hpp"
#include "weft/kernels/cpu/row_sums.hpp"
#include "weft/kernels/cpu/sum_of_pieces.hpp"
#include "weft/kernels/cpu/winograd_transforms.hpp"

WEFT_PACKETS_BEGIN

namespace weft::kernels {
inline namespace WEFT_BUILD_NAMESPACE {
namespace detail {

/// Whether dW pays, too. Its transforms back cost as much for one tile as for many: with 512 channels
/// 16 tiles take 1.6 times as long as direct sums, 36 no longer.
inline bool pays_to_transform_gradient(const PatchSource& source, Index images, Index filters) {
    return pays_to_transform(source, filters) && WinogradTiles(source, images).count >= 36;
}

/// dW (3, 3, C, F) of convolutions that pays_to_transform says. It is the transpose of
/// convolve_tiles in w: with the inputs d of a tile and the gradients g of its outputs,
///   dW = G^T (sum over tiles of (B^T d B) * (A g A^T), element by element) G.
/// So there are 16 products of matrices, (channels, tiles) times (tiles, filters).
///
/// The tiles are summed in parts. A part has tasks for the rows of the 4 x 4 matrices and for
/// blocks of channels and filters.
///
/// Up to 96 products are summed in registers, 256 such sums one after another, and so on as
/// SumOfPieces: off by at most (96 + 256 + n / 24576 + 16 + 8) u |G|^T (sum of (|B|^T |d| |B|) *
/// (|A| |g| |A|^T)) |G|, u = eps / 2, for n tiles: d and g are rounded twice each, dW four times. For
/// numbers of one size that sum is 9 times the sum of absolute products, more at an image's sides.
///
/// An x or g that is not finite may make taps NaN that meet only padding there.
template <class Scalar>
class WinogradFilterGradient {
public:
    WinogradFilterGradient(const PatchSource& source, Index images, const Scalar* x,
                           const Scalar* g, Index filters)
        : tiles_(source, images),
          channels_(source.channels),
          filters_(filters),
          x_(x),
          g_(g),
          parts_((std::min)(std::clamp<Index>((Index{1} << 18) / size(), 1, 16), images)) {}

    /// The elements of the sums of a part.
    Index size() const { return 16 * channels_ * filters_; }
    /// The number of parts and of the tasks of each, which follow from the sizes alone.
    Index parts() const { return parts_; }
    Index tasks() const { return 4 * channel_blocks() * filter_blocks(); }

    /// Elements that one thread needs.
    Index scratch_size() const {
        return of_images(most_channels).size(4) + of_images(most_filters).size(4) +
               4 * most_channels * most_filters + most_filters;
    }

    /// A task of a part: its share of the part's sums.
    WEFT_NOINLINE void sum(Index part, Index task, Scalar* sums, Scalar* scratch) const {
        const Block block(*this, task);
        const WinogradRow of_d = image_rows[block.a], of_g = gradient_rows[block.a];
        const WinogradMatrices v = of_images(block.channels), z = of_images(block.filters);
        Scalar* const images = scratch;
        Scalar* const gradients = images + v.size(4);
        Scalar* const beside = gradients + z.size(4);
        Scalar* const zeros = beside + 4 * most_channels * most_filters;
        std::fill_n(zeros, most_filters, Scalar(0));
        const Index begin = tiles_.count * part / parts_, end = tiles_.count * (part + 1) / parts_;
        SumOfPieces<Scalar> total(sums + block.offset(*this), beside,
                                  4 * block.channels * block.filters);
        for (Index first = begin; first < end; first += most_tiles) {
            const Index count = (std::min)(most_tiles, end - first);
            tiles_.for_each(first, count, [&](Index t, const auto& place) {
                const auto d = [&](Index k) {
                    return input_pixels<Scalar>(tiles_, place, k, x_ + block.channel, zeros);
                };
                const auto g = [&](Index k) {
                    return output_pixels<Scalar>(tiles_, place, k, g_ + block.filter, filters_,
                                                 zeros);
                };
                transform_image_row(d(of_d.first), d(of_d.second), of_d.sign, block.channels,
                                    images + v.row(0, t), v.row(1, 0));
                transform_gradient_row(g(of_g.first), g(of_g.second), of_g.sign, block.filters,
                                       gradients + z.row(0, t), z.row(1, 0));
            });
            total.add([&](Scalar* to, bool accumulate) {
                for (Index b = 0; b < 4; ++b, to += block.channels * block.filters) {
                    multiply(count, block, images + v.row(b, 0), v.step(), gradients + z.row(b, 0),
                             z.step(), to, accumulate);
                }
            });
        }
        total.finish();
    }

    /// G^T u G of one channel, u the sum of the parts' sums: its elements of dW.
    WEFT_FLATTEN WEFT_NOINLINE void finish(Index channel, const Scalar* sums, Scalar* dw) const {
        const auto half = broadcast(Scalar(0.5));
        const Index tap = channels_ * filters_;
        for (Index f = 0; f < filters_; f += packet_size<Scalar>) {
            Packet<Scalar> rows[3][4];
            for (Index b = 0; b < 4; ++b) {
                const auto u0 = sum_of_parts(sums, 0, b, channel, f);
                const auto u1 = sum_of_parts(sums, 1, b, channel, f);
                const auto u2 = sum_of_parts(sums, 2, b, channel, f);
                const auto u3 = sum_of_parts(sums, 3, b, channel, f);
                const auto sides = pmul(half, padd(u1, u2));
                rows[0][b] = padd(u0, sides);
                rows[1][b] = pmul(half, psub(u1, u2));
                rows[2][b] = padd(sides, u3);
            }
            Scalar* to = dw + channel * filters_ + f;
            for (Index i = 0; i < 3; ++i, to += 3 * tap) {
                const auto sides = pmul(half, padd(rows[i][1], rows[i][2]));
                store<Scalar>(to, padd(rows[i][0], sides));
                store<Scalar>(to + tap, pmul(half, psub(rows[i][1], rows[i][2])));
                store<Scalar>(to + 2 * tap, padd(sides, rows[i][3]));
            }
        }
    }

private:
    /// Tiles, channels and filters that are multiplied at once: they stay in the second-level cache.
    static constexpr Index most_tiles = 96, most_channels = 64, most_filters = 128;

    Index channel_blocks() const { return blocks_of(channels_, most_channels); }
    Index filter_blocks() const { return blocks_of(filters_, most_filters); }
    static WinogradMatrices of_images(Index channels) { return {most_tiles, channels}; }

    /// The share of a task: row a of the matrices, and some channels and filters. Of the sums they are
    /// (4, channels, filters), dense.
    struct Block {
        Block(const WinogradFilterGradient& gradient, Index task)
            : Block(gradient, task % 4, task / 4 / gradient.filter_blocks() * most_channels,
                    task / 4 % gradient.filter_blocks() * most_filters) {}
        Block(const WinogradFilterGradient& gradient, Index row, Index first_channel,
              Index first_filter)
            : a(row),
              channel(first_channel),
              filter(first_filter),
              channels((std::min)(most_channels, gradient.channels_ - channel)),
              filters((std::min)(most_filters, gradient.filters_ - filter)) {}

        Index offset(const WinogradFilterGradient& gradient) const {
            return 4 * ((a * gradient.channels_ + channel) * gradient.filters_ + channels * filter);
        }

        Index a, channel, filter, channels, filters;
    };

    /// C (channels, filters) = or += images (tiles, channels)^T gradients (tiles, filters).
    static void multiply(Index tiles, const Block& block, const Scalar* images, Index images_step,
                         const Scalar* gradients, Index gradients_step, Scalar* c,
                         bool accumulate) {
        constexpr Index width = MatmulBlocking<Scalar>::panel_columns;
        const Run whole{0, 0, tiles};
        const RowBlocks<Scalar> a{images, 1, 1, images_step};
        for (Index f = 0; f < block.filters; f += width) {
            multiply_columns(block.channels, (std::min)(width, block.filters - f), Runs{&whole, 1},
                             {}, a, gradients + f, gradients_step, c + f, block.filters,
                             Epilogue<Scalar>{.accumulate = accumulate});
        }
    }

    EIGEN_ALWAYS_INLINE Packet<Scalar> sum_of_parts(const Scalar* sums, Index a, Index b,
                                                    Index channel, Index f) const {
        const Block block(*this, a, channel / most_channels * most_channels,
                          f / most_filters * most_filters);
        sums += block.offset(*this) +
                (b * block.channels + channel - block.channel) * block.filters + f - block.filter;
        auto total = load(sums);
        for (Index part = 1; part < parts_; ++part) {
            total = padd(total, load(sums + part * size()));
        }
        return total;
    }

    WinogradTiles tiles_;
    Index channels_, filters_;
    const Scalar* x_;
    const Scalar* g_;
    Index parts_;
};

/// dW of one or more images, as WinogradFilterGradient.
template <class Scalar>
void winograd_filter_gradient(Cpu& cpu, const WinogradFilterGradient<Scalar>& gradient,
                              Index channels, Index filters, Scalar* dw) {
    const Index parts = gradient.parts(), tasks = gradient.tasks();
    const auto memory =
        cpu.scratch<Scalar>(parts * gradient.size() + cpu.threads() * gradient.scratch_size());
    Scalar* const sums = memory.data();
    Scalar* const scratch = sums + parts * gradient.size();
    parallel_for(cpu, parts * tasks, [&](Index task, int worker) {
        gradient.sum(task / tasks, task % tasks, sums + task / tasks * gradient.size(),
                     scratch + worker * gradient.scratch_size());
    });
    parallel_ranges(cpu, channels, row_grain(9 * filters), [&](Index begin, Index end) {
        for (Index channel = begin; channel < end; ++channel) gradient.finish(channel, sums, dw);
    });
}

}  // namespace detail
}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft::kernels

WEFT_PACKETS_END
