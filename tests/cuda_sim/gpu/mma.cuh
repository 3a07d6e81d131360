/// \file
/// Products on tensor cores: the simulator's twin of src/cuda/gpu/mma.cuh, which says what they do.
#pragma once

#include "../sim/engine.hpp"
#include "../sim/fail.hpp"

#include <bit>
#include <cmath>

namespace weft::kernels::cuda {

inline constexpr bool has_tf32 = true;

/// x to 11 significant bits, the nearest; of two, the larger in magnitude. As cvt.rna.tf32.f32.
inline float to_tf32(float x) {
    if (!std::isfinite(x)) return x;
    return std::bit_cast<float>((std::bit_cast<unsigned>(x) + 0x1000U) & 0xFFFFE000U);
}

inline void mma_16x8x8(float (&d)[4], const float (&a)[4], const float (&b)[2],
                       const char* file = __builtin_FILE(), unsigned line = __builtin_LINE()) {
    struct Fragments {
        float d[4], a[4], b[2];
    };
    Fragments own{{d[0], d[1], d[2], d[3]}, {a[0], a[1], a[2], a[3]}, {b[0], b[1]}};
    const auto operation = [](cuda_sim::Thread* warp, unsigned lanes) {
        if (lanes != ~0U) cuda_sim::fail("mma_16x8x8 needs all 32 lanes of a warp");
        // Tensor cores do not look at the low 13 bits of a factor.
        const auto factor = [](float x) {
            return std::bit_cast<float>(std::bit_cast<unsigned>(x) & 0xFFFFE000U);
        };
        float A[16][8], B[8][8];
        for (int l = 0; l < 32; ++l) {
            const Fragments& of = *reinterpret_cast<const Fragments*>(warp[l].operand);
            const int g = l / 4, t = l % 4;
            for (int i = 0; i < 4; ++i) A[g + i % 2 * 8][t + i / 2 * 4] = factor(of.a[i]);
            for (int i = 0; i < 2; ++i) B[t + i * 4][g] = factor(of.b[i]);
        }
        for (int l = 0; l < 32; ++l) {
            Fragments& of = *reinterpret_cast<Fragments*>(warp[l].operand);
            const int g = l / 4, t = l % 4;
            for (int i = 0; i < 4; ++i) {
                const int row = g + i / 2 * 8, column = 2 * t + i % 2;
                for (int k = 0; k < 8; ++k) of.d[i] += A[row][k] * B[k][column];
            }
        }
    };
    cuda_sim::Engine::get().meet(~0U, operation, &own, sizeof own, {file, line});
    for (int i = 0; i < 4; ++i) d[i] = own.d[i];
}

}  // namespace weft::kernels::cuda
