/// \file
/// Convolution of 3 x 3 windows by Winograd's algorithm F(2 x 2, 3 x 3): 4 / 9 of the products.
#pragma once

#include "weft/kernels/cpu/matmul.hpp"
#include "weft/kernels/cpu/winograd_transforms.hpp"

#include <cassert>

WEFT_PACKETS_BEGIN

namespace weft::kernels {
inline namespace WEFT_BUILD_NAMESPACE {
namespace detail {

/// Filters of 3 x 3 taps (depth, columns), in panels: those of a tap begin tap_step elements behind
/// those of the tap before.
template <class Scalar>
struct WinogradFilters {
    MatrixOperand<Scalar> first_tap;
    Index tap_step, depth, columns;

    static constexpr Index width = MatmulBlocking<Scalar>::panel_columns;
    /// The rows that are transformed at once. They divide the depth.
    static constexpr Index rows = 16;
    static constexpr Index scratch_size = 9 * rows * width;

    Index panels() const { return blocks_of(columns, width); }
    Index tasks() const { return panels() * depth / rows; }
    /// The elements of a panel of one matrix, and of all.
    Index panel_size() const { return depth * width; }
    Index size() const { return 16 * panels() * panel_size(); }

    /// U = G w G^T of some rows of a panel. Matrix m of panel p begins at (16 p + m) panel_size().
    WEFT_FLATTEN WEFT_NOINLINE void transform(Index task, Scalar* u, Scalar* scratch) const {
        const Index panel = task * rows / depth, row = task * rows % depth;
        const Index first = panel * width;
        for (Index tap = 0; tap < 9; ++tap) {
            MatrixOperand<Scalar> of_tap = first_tap.from(row, first);
            of_tap.data += tap * tap_step;
            pack_panel(rows, (std::min)(width, columns - first), width, of_tap,
                       scratch + tap * rows * width);
        }
        u += 16 * panel * panel_size() + row * width;
        const auto half = broadcast(Scalar(0.5));
        for (Index i = 0; i < rows * width; i += packet_size<Scalar>) {
            // Along the columns of each row of taps, then along the rows.
            Packet<Scalar> v[3][4];
            for (Index k = 0; k < 3; ++k) {
                const Scalar* const w = scratch + 3 * k * rows * width + i;
                v[k][0] = load(w);
                v[k][3] = load(w + 2 * rows * width);
                const auto sides = padd(v[k][0], v[k][3]), middle = load(w + rows * width);
                v[k][1] = pmul(half, padd(sides, middle));
                v[k][2] = pmul(half, psub(sides, middle));
            }
            for (Index b = 0; b < 4; ++b) {
                Scalar* const to = u + b * panel_size() + i;
                const auto sides = padd(v[0][b], v[2][b]);
                store<Scalar>(to, v[0][b]);
                store<Scalar>(to + 4 * panel_size(), pmul(half, padd(sides, v[1][b])));
                store<Scalar>(to + 8 * panel_size(), pmul(half, psub(sides, v[1][b])));
                store<Scalar>(to + 12 * panel_size(), v[2][b]);
            }
        }
    }
};

/// Y = A^T m A of a tile's 16 sums m, with the epilogue, for `columns` columns; row k of m at
/// m + k * m_step.
template <class Scalar>
WEFT_FLATTEN void transform_sums(const WinogradTiles& tiles, const WinogradTiles::Place& place,
                                 const Scalar* m, Index m_step, Index columns,
                                 const Epilogue<Scalar>& epilogue, Scalar* y, Index y_channels) {
    const Index out_rows = tiles.source.rows.output, out_columns = tiles.source.columns.output;
    const auto [image, row, column] = place;
    const bool has_below = row + 1 < out_rows, has_beside = column + 1 < out_columns;
    const Index down = out_columns * y_channels;
    y += ((image * out_rows + row) * out_columns + column) * y_channels;
    for (Index j = 0; j < columns; j += packet_size<Scalar>) {
        Packet<Scalar> above[4], below[4];
        for (Index b = 0; b < 4; ++b) {
            const Scalar* const of_column = m + b * m_step + j;
            const auto m1 = load(of_column + 4 * m_step), m2 = load(of_column + 8 * m_step);
            above[b] = padd(padd(load(of_column), m1), m2);
            below[b] = psub(psub(m1, m2), load(of_column + 12 * m_step));
        }
        const auto finish = [&](const auto& sum, Scalar* to) WEFT_INLINE_LAMBDA {
            auto result = sum;
            if (epilogue.bias != nullptr) result = padd(result, load(epilogue.bias + j));
            if (epilogue.relu) result = relu<Scalar>(result);
            store<Scalar>(to + j, result);
        };
        const auto finish_row = [&](const auto& s, Scalar* to) WEFT_INLINE_LAMBDA {
            finish(padd(padd(s[0], s[1]), s[2]), to);
            if (has_beside) finish(psub(psub(s[1], s[2]), s[3]), to + y_channels);
        };
        finish_row(above, y);
        if (has_below) finish_row(below, y + down);
    }
}

/// y (N, OH, OW, columns) = windows of x times filters, plus bias, with relu, for convolutions that
/// pays_to_transform says.
///
/// With the inputs d of a tile and the filters w of a channel, 4 x 4 and 3 x 3:
///   Y = A^T (sum over channels of (G w G^T) * (B^T d B), element by element) A,
///         1  0 -1  0          1    0    0
///   B^T = 0  1  1  0    G = 1/2  1/2  1/2    A^T = 1  1  1  0
///         0 -1  1  0        1/2 -1/2  1/2          0  1 -1 -1
///         0  1  0 -1          0    0    1
/// (Lavin and Gray 2016, "Fast algorithms for convolutional neural networks", section 4.1.) So there
/// are 16 products of matrices, (tiles, channels) times (channels, columns).
///
/// Off by at most (chains + 11) u (|A|^T (sum of (|G| |w| |G|^T) * (|B|^T |d| |B|)) |A| + |bias|),
/// where chains is the bound of depth_of_chains(channels) and u = eps / 2: d is rounded twice, w and Y
/// four times each, the bias once. For numbers of one size that sum is 7.1 times the sum of absolute
/// products, up to 12.3 times at an image's corners; where filters are 0 beside large pixels no
/// multiple of it bounds the error. Measured errors are 1 to 1.6 times those of the direct sum. Whole
/// numbers become quarters, whose sums are exact below 2^22 in float.
///
/// A NaN is in the outputs that see it alone. Of those that see an infinity, some are NaN where the
/// direct sum is infinite. Inputs beyond a quarter of the largest number may do the same: four are
/// added.
///
/// Scratch: 16 elements for each pair of a channel and a filter, and for each thread some
/// 768 (channels + 64), whatever the batch.
template <class Scalar>
void convolve_tiles(Cpu& cpu, Index images, const PatchSource& source, const Scalar* x,
                    const WinogradFilters<Scalar>& filters, Scalar* y,
                    const Epilogue<Scalar>& epilogue = {}) {
    assert(!epilogue.accumulate);
    constexpr Index width = WinogradFilters<Scalar>::width;
    // 48: with 32 and 96, 64 channels are 6 and 10 % slower (Zen 4, 1 MB of second-level cache).
    constexpr Index most = 48;
    const WinogradTiles tiles(source, images);
    if (tiles.count == 0) return;
    // Fewer where threads would be left without. A tile's sums are the same in any block.
    const Index shares = round_up(blocks_of(tiles.count, most), cpu.threads());
    const Index block = round_up(blocks_of(tiles.count, shares), 8);
    const WinogradMatrices v{most, source.channels}, m{most, width};
    const Index per_thread =
        (std::max)(v.size(16) + m.size(16), WinogradFilters<Scalar>::scratch_size);
    const auto scratch =
        cpu.scratch<Scalar>(source.channels + filters.size() + cpu.threads() * per_thread);
    Scalar* const zeros = scratch.data();
    Scalar* const u = zeros + source.channels;
    Scalar* const memory = u + filters.size();
    std::fill_n(zeros, source.channels, Scalar(0));
    parallel_for(cpu, filters.tasks(), [&](Index task, int worker) {
        filters.transform(task, u, memory + worker * per_thread);
    });
    parallel_for(cpu, blocks_of(tiles.count, block), [&](Index task, int worker) {
        Scalar* const images_of = memory + worker * per_thread;
        Scalar* const sums = images_of + v.size(16);
        const Index first = task * block, count = (std::min)(block, tiles.count - first);
        tiles.for_each(first, count, [&](Index t, const auto& place) {
            const auto row = [&](Index k) {
                return input_pixels<Scalar>(tiles, place, k, x, zeros);
            };
            const WinogradPixels<Scalar, 4> rows[4]{row(0), row(1), row(2), row(3)};
            for (Index a = 0; a < 4; ++a) {
                const auto [p, q, sign] = image_rows[a];
                transform_image_row(rows[p], rows[q], sign, source.channels,
                                    images_of + v.row(4 * a, t), v.row(1, 0));
            }
        });
        Epilogue<Scalar> of_panel = epilogue;
        for (Index panel = 0; panel < filters.panels(); ++panel) {
            const Index columns = (std::min)(width, filters.columns - panel * width);
            for (Index k = 0; k < 16; ++k) {
                multiply_packed<Scalar>(
                    count, columns, filters.depth, row_major(images_of + v.row(k, 0), v.step()),
                    u + (16 * panel + k) * filters.panel_size(), sums + m.row(k, 0), m.step());
            }
            tiles.for_each(first, count, [&](Index t, const auto& place) {
                transform_sums(tiles, place, sums + m.row(0, t), m.row(1, 0), columns, of_panel,
                               y + panel * width, filters.columns);
            });
            if (of_panel.bias != nullptr) of_panel.bias += width;
        }
    });
}

}  // namespace detail
}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft::kernels

WEFT_PACKETS_END
