/// \file
/// Long sums whose rounding errors stay small.
///
/// With u = eps / 2, a sum of n terms x that is added up one term after another is off by at most
/// (n - 1) u sum |x|, to first order. In blocks of b terms whose sums are then added in pairs, the
/// pairs in pairs and so on, it is off by at most
///
///   (b + log2(n / b)) u sum |x|:
///
/// with b = 256, by 1.7e-5 in float for 10^8 terms. The order of additions follows from n alone.
/// Source: Higham 2002, sections 4.2 and 4.3.
#pragma once

#include "weft/config.hpp"
#include "weft/core/shape.hpp"
#include "weft/core/team.hpp"

#include <algorithm>
#include <array>
#include <functional>

namespace weft::detail {

/// The number of terms added one after another, before blocks are paired. Shorter sums have no
/// overhead.
inline constexpr Index sum_block = 256;

/// pairwise_sum of more than one block; block(begin, end, sum) writes the block's sum.
template <class Sum, class Add>
WEFT_NOINLINE Sum sum_in_pairs(Index count, CallReference<Index, Index, Sum&> block, const Add& add,
                               Index block_size) {
    // As adding 1 to a binary number carries: sums[k] holds 2^k blocks where bit k of the number
    // of blocks is set.
    std::array<Sum, 64> sums;
    std::size_t number = 0;
    for (Index begin = 0; begin < count; begin += block_size, ++number) {
        Sum sum;
        block(begin, (std::min)(count, begin + block_size), sum);
        std::size_t k = 0;
        for (; (number >> k & 1) != 0; ++k) sum = add(sums[k], sum);
        sums[k] = sum;
    }
    std::size_t k = 0;
    while ((number >> k & 1) == 0) ++k;
    Sum total = sums[k];
    for (++k; number >> k != 0; ++k) {
        if ((number >> k & 1) != 0) total = add(sums[k], total);
    }
    return total;
}

/// The sum of block(begin, end) over blocks [begin, end) that cover [0, count), added in pairs by
/// add(a, b). Blocks have block_size terms, the last may have fewer. Without terms it is that of
/// the empty block.
template <class Block, class Add = std::plus<>>
auto pairwise_sum(Index count, const Block& block, const Add& add = {},
                  Index block_size = sum_block) {
    if (count <= block_size) return block(Index{0}, count);
    // A copy: the captures of a short sum can stay in registers.
    using Sum = decltype(block(count, count));
    const auto write = [copy = block](Index begin, Index end, Sum& sum) { sum = copy(begin, end); };
    return sum_in_pairs<Sum>(count, CallReference<Index, Index, Sum&>(write), add, block_size);
}

/// Adds sums [0, count) in pairs, into sum 0. Calls add(to, from, of_each) to add sum `from` to sum
/// `to`: by then `to` holds of_each of the original sums, and `from` as many or all that are left.
template <class Add>
void add_in_pairs(Index count, const Add& add) {
    for (Index of_each = 1; of_each < count; of_each *= 2) {
        for (Index to = 0; to + of_each < count; to += 2 * of_each) {
            add(to, to + of_each, of_each);
        }
    }
}

}  // namespace weft::detail
