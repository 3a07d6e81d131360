/// \file
/// Sums of many matrices.
#pragma once

#include "weft/kernels/cpu/packet.hpp"

WEFT_PACKETS_BEGIN

namespace weft::kernels {
inline namespace WEFT_BUILD_NAMESPACE {
namespace detail {

/// Adds the pieces of a sum, each a dense array of products: sum_block pieces one after another
/// into the sum, then each further sum_block pieces into an array beside it, which is then added.
/// Off by at most sum_block + pieces / sum_block roundings, beside those of the pieces.
template <class Scalar>
class SumOfPieces {
public:
    /// beside: as many elements; used only by many pieces.
    SumOfPieces(Scalar* sum, Scalar* beside, Index size)
        : sum_(sum), beside_(beside), size_(size) {}

    /// Calls piece(to, accumulate), which writes or adds the next piece.
    template <class Piece>
    void add(const Piece& piece) {
        if (count_ > 0 && count_ % most == 0) add_beside();
        piece(count_ < most ? sum_ : beside_, count_ % most > 0);
        ++count_;
    }

    void finish() { add_beside(); }

private:
    static constexpr Index most = weft::detail::sum_block;

    void add_beside() {
        if (count_ <= most) return;
        transform(
            size_, sum_, [](const auto& a, const auto& b) { return padd(a, b); }, sum_,
            static_cast<const Scalar*>(beside_));
    }

    Scalar* sum_;
    Scalar* beside_;
    Index size_, count_ = 0;
};

}  // namespace detail
}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft::kernels

WEFT_PACKETS_END
