/// \file
/// The block sizes of products. Those of depth decide how sums are rounded.
#pragma once

#include "weft/kernels/cpu/packet.hpp"

namespace weft::kernels {
inline namespace WEFT_BUILD_NAMESPACE {
namespace detail {

/// The sizes that the product is cut into: register blocks of rows x packets, which sum block_depth
/// products at a time. The sums depend on the depths alone, so these are constants; the rest only
/// decides which memory is near.
template <class Scalar>
struct MatmulBlocking {
    static constexpr Index rows = EIGEN_ARCH_DEFAULT_NUMBER_OF_REGISTERS >= 32 ? 8 : 6;
    static constexpr Index packets = 2;
    /// Rows of a block that are read through offsets: a window of 3 x 3 taps at once.
    static constexpr Index offset_rows = EIGEN_ARCH_DEFAULT_NUMBER_OF_REGISTERS >= 32 ? 9 : 6;
    static constexpr Index panel_columns = packets * packet_size<Scalar>;
    static constexpr Index block_depth = 384;
    /// The products of a convolution that are summed at a time.
    static constexpr Index chain_depth = 512;
    static constexpr Index block_columns = 1024;
    /// From this number of rows on, packing a panel of B costs less than reading it in place.
    static constexpr Index pack_from_rows = 96;
    /// From this depth on, packing the columns of a transposed A does.
    static constexpr Index pack_from_depth = 65;
    /// The part of a thread's second-level cache for its packed blocks.
    static constexpr Index block_bytes = 600'000;
};

/// Parts of a sum over depth, of at most `most` products, as equal as can be.
inline Index depth_of_parts(Index depth, Index most) {
    return depth <= most ? (std::max<Index>)(depth, 1) : blocks_of(depth, blocks_of(depth, most));
}

/// Blocks of depth of matmul: each summed in registers, the sums of blocks in C.
template <class Scalar>
Index depth_of_blocks(Index depth) {
    return depth_of_parts(depth, MatmulBlocking<Scalar>::block_depth);
}

/// The same of a convolution, whose packed filters are not cut. Off by at most
/// (chain_depth + depth / chain_depth) u sum |a b|, u = eps / 2: in float 6e-5 of it for a depth of
/// 2^18, from which on blocks grow as its root, and the bound as 2.5 times that.
template <class Scalar>
Index depth_of_chains(Index depth) {
    Index most = MatmulBlocking<Scalar>::chain_depth;
    while (most * most < depth) most *= 2;
    return depth_of_parts(depth, most);
}

}  // namespace detail
}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft::kernels
