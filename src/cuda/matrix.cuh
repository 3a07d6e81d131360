/// \file
/// Factors of a product that lie in memory as they are.
///
/// A factor of a product is seen as elements (o, k), o its row or column and k the depth, both of
/// which may be beyond its end, where it is 0. What an index along either axis says of a place is
/// found once, as an Outer and an Inner; at() and four() put both together.
#pragma once

#include "launch.cuh"

#include <cstdint>

namespace weft::kernels::cuda {

/// Four numbers that lie side by side, read and written at once.
template <class Scalar>
struct alignas(16) Four {
    Scalar values[4];
};

/// Whether four numbers can be read at once, at any multiple of 4 along an axis of so many elements.
/// Rows, and groups, are multiples of the axis apart.
template <class Scalar>
bool in_fours(const Scalar* data, int extent) {
    return reinterpret_cast<std::uintptr_t>(data) % alignof(Four<Scalar>) == 0 && extent % 4 == 0;
}

// By CUDA's own vectors, so that it is one request for 16 bytes, whatever a compiler makes of a struct.
__device__ inline Four<float> read_four(const float* from) {
    const float4 four = *reinterpret_cast<const float4*>(from);
    return {{four.x, four.y, four.z, four.w}};
}
__device__ inline Four<double> read_four(const double* from) {
    const double2 one = reinterpret_cast<const double2*>(from)[0];
    const double2 other = reinterpret_cast<const double2*>(from)[1];
    return {{one.x, one.y, other.x, other.y}};
}
__device__ inline void put_four(float* to, const Four<float>& four) {
    const auto& v = four.values;
    *reinterpret_cast<float4*>(to) = make_float4(v[0], v[1], v[2], v[3]);
}
__device__ inline void put_four(double* to, const Four<double>& four) {
    const auto& v = four.values;
    reinterpret_cast<double2*>(to)[0] = make_double2(v[0], v[1]);
    reinterpret_cast<double2*>(to)[1] = make_double2(v[2], v[3]);
}

/// Sources say whether numbers lie side by side along the depth; whether lanes read them one by one
/// where not in fours; and whether the sums of columns along the depth may be wanted of them.
///
/// The element (o, k) is data[o stride + k] if it lies along the depth, else data[k stride + o].
template <class Scalar, bool along_depth_>
struct Matrix {
    static constexpr bool along_depth = along_depth_, reads_by_lanes = false, sums_columns = false;

    const Scalar* data;
    int outer_extent, depth, stride;
    int group_step;  ///< from a group's matrix to that of the next
    bool fours;

    Matrix(const Scalar* first, int outers, int depths, int row, int step_of_group = 0)
        : data(first),
          outer_extent(outers),
          depth(depths),
          stride(row),
          group_step(step_of_group),
          fours(in_fours(first, along_depth ? depths : outers)) {}

    struct Outer {
        int o;
    };
    struct Inner {
        int k;
    };
    __device__ Outer outer(int o) const { return {o}; }
    __device__ Inner inner(int k) const { return {k}; }
    __device__ Scalar at(Outer outer, Inner inner) const {
        return inside(outer, inner) ? *place(outer, inner) : Scalar(0);
    }
    __device__ Four<Scalar> four(Outer outer, Inner inner) const {
        return inside(outer, inner) ? read_four(place(outer, inner)) : Four<Scalar>{};
    }

private:
    __device__ bool inside(Outer outer, Inner inner) const {
        return outer.o < outer_extent && inner.k < depth;
    }
    __device__ const Scalar* place(Outer outer, Inner inner) const {
        return data + (along_depth ? outer.o * stride + inner.k : inner.k * stride + outer.o);
    }
};

/// A matrix (depth, columns), of whose columns the sums may be wanted.
template <class Scalar>
struct SummedMatrix : Matrix<Scalar, false> {
    using Matrix<Scalar, false>::Matrix;
    static constexpr bool sums_columns = true;
};

}  // namespace weft::kernels::cuda
