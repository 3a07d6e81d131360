/// \file
/// Shape: the extents of a tensor, outermost axis first.
#pragma once

#include "weft/core/error.hpp"
#include "weft/core/span.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <initializer_list>
#include <limits>
#include <string>

namespace weft {

/// The type of every size, extent and index. Signed: differences and reversed loops are safe.
using Index = std::ptrdiff_t;

/// The extents of a tensor of rank 0 to 8, outermost axis first, the last one contiguous in memory.
/// A value type without allocation. Axes are N (batch), H, W, C in that order.
class Shape {
public:
    static constexpr Index max_rank = 8;

    /// Rank 0: a single number.
    constexpr Shape() = default;

    WEFT_NOINLINE Shape(std::initializer_list<Index> extents)
        : Shape(Span<const Index>(extents.begin(), extents.size())) {}

    /// Throws ShapeError for a rank above 8, a negative extent, or a product beyond Index.
    WEFT_NOINLINE explicit Shape(Span<const Index> extents)
        : rank_(static_cast<Index>(extents.size())) {
        if (rank_ > max_rank) {
            throw ShapeError(
                detail::join({"shape of rank ", rank_, ", expected at most ", max_rank}));
        }
        std::copy(extents.begin(), extents.end(), extents_.begin());
        Index product = 1;
        bool overflows = false;
        for (const Index extent : *this) {
            if (extent < 0)
                throw ShapeError(detail::join({"shape ", *this, " has a negative extent"}));
            overflows |= extent != 0 && product > (std::numeric_limits<Index>::max)() / extent;
            product = overflows ? 1 : product * extent;
        }
        if (overflows) throw ShapeError(detail::join({"shape ", *this, " has too many elements"}));
        size_ = product;
    }

    constexpr Index rank() const { return rank_; }
    constexpr Index operator[](Index axis) const { return extents_[static_cast<size_t>(axis)]; }
    constexpr const Index* begin() const { return extents_.data(); }
    constexpr const Index* end() const { return extents_.data() + rank_; }

    /// The extent of the last axis; 1 for rank 0.
    constexpr Index last() const { return rank_ == 0 ? 1 : (*this)[rank_ - 1]; }

    /// The number of elements; 1 for rank 0.
    constexpr Index size() const { return size_; }

    /// (n, this...): the shape of a batch of n such samples.
    WEFT_NOINLINE Shape batch(Index n) const {
        std::array<Index, max_rank + 1> extents{n};
        std::copy(begin(), end(), extents.begin() + 1);
        return Shape(Span<const Index>(extents.data(), static_cast<std::size_t>(rank_ + 1)));
    }

    /// The shape without its first axis: that of one sample of a batch. Needs rank 1 or more.
    WEFT_NOINLINE Shape sample() const {
        if (rank_ == 0) throw ShapeError("shape () has no batch axis");
        return Shape(Span<const Index>(begin() + 1, static_cast<std::size_t>(rank_ - 1)));
    }

    /// The shape with its last extent replaced. Needs rank 1 or more.
    WEFT_NOINLINE Shape with_last(Index extent) const {
        if (rank_ == 0) throw ShapeError("shape () has no last axis");
        Shape result = *this;
        result.extents_[static_cast<std::size_t>(rank_ - 1)] = extent;
        return Shape(Span<const Index>(result.begin(), static_cast<std::size_t>(rank_)));
    }

    WEFT_NOINLINE friend bool operator==(const Shape& a, const Shape& b) {
        return std::equal(a.begin(), a.end(), b.begin(), b.end());
    }

    friend void append(std::string& text, const Shape& shape) { text += shape.to_string(); }

    /// As Python writes a tuple: `()`, `(784,)`, `(28, 28)`.
    std::string to_string() const { return text("(", rank_ == 1 ? ",)" : ")"); }

    /// With the batch axis in front, as Keras writes it: `(None, 28, 28)`.
    std::string to_batch_string() const { return rank_ == 0 ? "(None,)" : text("(None, ", ")"); }

private:
    WEFT_COLD std::string text(std::string_view open, std::string_view close) const {
        std::string result(open);
        for (Index axis = 0; axis < rank_; ++axis) {
            if (axis > 0) result += ", ";
            detail::append(result, (*this)[axis]);
        }
        return result += close;
    }

    std::array<Index, max_rank> extents_{};
    Index rank_ = 0;
    Index size_ = 1;
};

}  // namespace weft
