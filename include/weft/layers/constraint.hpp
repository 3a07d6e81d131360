/// \file
/// Constraint: a projection of a parameter after each step of the optimiser.
#pragma once

namespace weft {

/// A projection of a parameter after each step. Norms are over all axes but the last: one for each
/// unit of Dense and each filter of Conv2D. A bias is one vector:
///
///   max_norm(m)    w *= min(n, m) / (1e-7 + n),  n = ||w||
///   non_negative   w = max(w, 0)
///   unit_norm      w /= 1e-7 + ||w||
struct Constraint {
    enum class Kind { none, max_norm, non_negative, unit_norm };

    Kind kind = Kind::none;  ///< what is constrained
    double max_value = 0;    ///< of max_norm: finite, above 0

    constexpr explicit operator bool() const { return kind != Kind::none; }
    friend bool operator==(const Constraint&, const Constraint&) = default;
};

constexpr Constraint max_norm(double max_value = 2) {
    return {Constraint::Kind::max_norm, max_value};
}
inline constexpr Constraint non_negative{Constraint::Kind::non_negative};
inline constexpr Constraint unit_norm{Constraint::Kind::unit_norm};

}  // namespace weft
