/// \file
/// Products on tensor cores, in TF32: factors of 11 significant bits, sums in float.
#pragma once

namespace weft::kernels::cuda {

/// Whether the GPU that is compiled for has such tensor cores. Cuda refuses TF32 on others.
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800
inline constexpr bool has_tf32 = false;
#else
inline constexpr bool has_tf32 = true;
#endif

/// x to 11 significant bits, the nearest; of two, the larger in magnitude. What is left of x,
/// x - to_tf32(x), is exact in float.
__device__ __forceinline__ float to_tf32(float x) {
#if __CUDA_ARCH__ >= 800
    unsigned bits;
    asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(x));
    return __uint_as_float(bits);
#else
    const unsigned bits = __float_as_uint(x);
    constexpr unsigned exponent = 0x7F800000, half = 0x1000, kept = 0xFFFFE000;
    return (bits & exponent) == exponent ? x : __uint_as_float((bits + half) & kept);
#endif
}

/// D += A B by the 32 lanes of a warp together, D (16, 8), A (16, 8), B (8, 8). The factors have been
/// through to_tf32: of others the low 13 bits may be dropped. Each lane holds, with g = lane / 4 and
/// t = lane % 4,
///
///   a: A(g, t), A(g + 8, t), A(g, t + 4), A(g + 8, t + 4)
///   b: B(t, g), B(t + 4, g)
///   d: D(g, 2t), D(g, 2t + 1), D(g + 8, 2t), D(g + 8, 2t + 1)
///
/// (PTX ISA, mma.m16n8k8 for .tf32).
__device__ __forceinline__ void mma_16x8x8(float (&d)[4], const float (&a)[4],
                                           const float (&b)[2]) {
#if __CUDA_ARCH__ >= 800
    asm volatile(
        "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 "
        "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(__float_as_uint(a[0])), "r"(__float_as_uint(a[1])), "r"(__float_as_uint(a[2])),
          "r"(__float_as_uint(a[3])), "r"(__float_as_uint(b[0])), "r"(__float_as_uint(b[1])));
#else
    __trap();
#endif
}

}  // namespace weft::kernels::cuda
