/// \file
/// The place of the largest element of a row.
#pragma once

#include "row.cuh"

namespace weft::kernels::cuda {

/// The index of the largest of x (columns), the first of equals; NaN is passed over. 0 for all NaN.
template <class Scalar>
__device__ int argmax(const RowTeam<32>& team, int columns, const Scalar* x) {
    Scalar best = std::numeric_limits<Scalar>::quiet_NaN();
    int place = 0;
    const auto take = [&](Scalar value, int at) {
        if (value > best || (value == best && at < place) || (best != best && value == value)) {
            best = value;
            place = at;
        }
    };
    team.each(columns, [&](int c) { take(x[c], c); });
    for (int distance = 16; distance > 0; distance /= 2) {
        const Scalar value = __shfl_xor_sync(0xFFFFFFFFU, best, distance);
        take(value, __shfl_xor_sync(0xFFFFFFFFU, place, distance));
    }
    return place;
}

}  // namespace weft::kernels::cuda
