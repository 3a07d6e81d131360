/// \file
/// Extent2D: two numbers, for the rows and the columns of an image.
#pragma once

#include "weft/core/shape.hpp"

namespace weft {

/// Rows and columns of a window, a stride or a border: one number for both, or {rows, columns}.
struct Extent2D {
    Index rows;     ///< along H
    Index columns;  ///< along W

    constexpr Extent2D(Index both) : rows(both), columns(both) {}
    constexpr Extent2D(Index of_rows, Index of_columns) : rows(of_rows), columns(of_columns) {}

    constexpr Index smallest() const { return rows < columns ? rows : columns; }
    constexpr Index largest() const { return rows > columns ? rows : columns; }

    friend bool operator==(const Extent2D&, const Extent2D&) = default;
    friend void append(std::string& text, const Extent2D& extent) {
        text += concat("(", extent.rows, ", ", extent.columns, ")");
    }
};

}  // namespace weft
