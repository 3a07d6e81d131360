/// \file
/// Arguments of the kernels around a model's layers, the same on every device.
#pragma once

#include "weft/core/tensor_view.hpp"

#include <cstddef>
#include <cstdint>

namespace weft::kernels {

/// The table of steps and the row that a batch reads, all on the device.
struct StepRow {
    Index bytes;            ///< of a row
    const std::byte* rows;  ///< the table
    std::int32_t* taken;    ///< the number of rows taken
    std::byte* row;         ///< the row that was taken last
    Index first_sample;     ///< offset in a row of the step's first sample in the order
};

/// Columns of records that a batch gathers:  y_r,j = x_s,j  of sample s.
template <class Scalar>
struct GatheredColumns {
    const Scalar* x;  ///< columns of the first record
    Index x_row;      ///< from a record to the next
    Index columns;
    Scalar* y;                            ///< (n, columns)
    bool is_checked;                      ///< whether a number that is not finite is marked
    const std::uint8_t* bytes = nullptr;  ///< the same instead of x, which is then null
};

/// A penalty l1 sum |x| + l2 sum x^2 on a parameter.
template <class Scalar>
struct Penalty {
    const Scalar* x;
    Index count;
    double l1, l2;
    Index offset;  ///< of its gradient among all of them
};

/// A constraint on a parameter w (rows, columns).
template <class Scalar>
struct ConstrainedParameter {
    Scalar* w;
    Index rows, columns;
    bool limits_norms;  ///< of columns, as limit_column_norms does; else no number is negative
    double limit;
};

/// Limits on the gradients of a step, before the optimiser sees them. 0 is no limit.
struct GradientClipping {
    double value = 0;        ///< on the magnitude of each number
    double global_norm = 0;  ///< on the Euclidean norm of all of them, after the limit on values
};

}  // namespace weft::kernels
