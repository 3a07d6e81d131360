/// \file
/// Functions that CUDA has for kernels: barriers, the lanes of a warp, atomics, mathematics.
#pragma once

#include "engine.hpp"
#include "fail.hpp"

#include <math.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

/// The place of the call.
#define CUDA_SIM_SITE cuda_sim::Site site = {__builtin_FILE(), __builtin_LINE()}

inline constexpr int warpSize = 32;

namespace cuda_sim {

/// A lane's value, and the lane whose value it asks for; then that value.
template <class Value>
struct Exchange {
    Value value;
    unsigned source;
};

template <class Value>
void exchange(Thread* warp, unsigned lanes) {
    const auto of = [&](unsigned lane) {
        return reinterpret_cast<Exchange<Value>*>(warp[lane].operand);
    };
    Value values[warp_lanes] = {};
    for (unsigned l = 0; l < warp_lanes; ++l) {
        if (lanes >> l & 1) values[l] = of(l)->value;
    }
    for (unsigned l = 0; l < warp_lanes; ++l) {
        if ((lanes >> l & 1) == 0) continue;
        const unsigned source = of(l)->source;
        if ((lanes >> source & 1) == 0) {
            fail("at line " + std::to_string(warp[l].site.line) + " lane " + std::to_string(l) +
                 " reads lane " + std::to_string(source) + ", which does not take part");
        }
        of(l)->value = values[source];
    }
}

template <class Value>
Value shuffle_from(unsigned mask, Value value, unsigned source, Site site) {
    static_assert(std::is_arithmetic_v<Value>);
    Exchange<Value> own{value, source};
    Engine::get().meet(mask, &exchange<Value>, &own, sizeof own, site);
    return own.value;
}

/// Bit l: whether the value of lane l is not 0.
inline unsigned vote(unsigned mask, int value, Site site) {
    auto own = static_cast<unsigned>(value != 0);
    const auto operation = [](Thread* warp, unsigned lanes) {
        unsigned votes = 0;
        for (unsigned l = 0; l < warp_lanes; ++l) {
            if (lanes >> l & 1) votes |= *reinterpret_cast<unsigned*>(warp[l].operand) << l;
        }
        for (unsigned l = 0; l < warp_lanes; ++l) {
            if (lanes >> l & 1) std::memcpy(warp[l].operand, &votes, sizeof votes);
        }
    };
    Engine::get().meet(mask, operation, &own, sizeof own, site);
    return own;
}

/// An atomic change of *at to change(*at); gives what it was.
template <class Value, class Change>
Value change_atomically(Value* at, const Change& change) {
    std::atomic_ref<Value> atomic(*at);
    Value before = atomic.load(std::memory_order_relaxed);
    while (!atomic.compare_exchange_weak(before, change(before), std::memory_order_relaxed)) {
    }
    return before;
}

}  // namespace cuda_sim

inline void __syncthreads(CUDA_SIM_SITE) { cuda_sim::Engine::get().synchronize_block(site); }
inline void __syncwarp(unsigned mask = ~0U, CUDA_SIM_SITE) {
    cuda_sim::Engine::get().synchronize_warp(mask, site);
}
inline void __threadfence() { cuda_sim::Engine::get().fence(); }
inline void __threadfence_block() { cuda_sim::Engine::get().fence(); }

inline unsigned __ballot_sync(unsigned mask, int value, CUDA_SIM_SITE) {
    return cuda_sim::vote(mask, value, site);
}
inline int __any_sync(unsigned mask, int value, CUDA_SIM_SITE) {
    return cuda_sim::vote(mask, value, site) != 0;
}
inline int __all_sync(unsigned mask, int value, CUDA_SIM_SITE) {
    return cuda_sim::vote(mask, value == 0, site) == 0;
}

// Lanes of width share; what would come from outside of them is the lane's own value.
template <class Value>
Value __shfl_sync(unsigned mask, Value value, int source, int width = 32, CUDA_SIM_SITE) {
    const unsigned lane = cuda_sim::Engine::get().lane(), within = static_cast<unsigned>(width) - 1;
    return cuda_sim::shuffle_from(
        mask, value, (lane & ~within) | (static_cast<unsigned>(source) & within), site);
}
template <class Value>
Value __shfl_down_sync(unsigned mask, Value value, unsigned by, int width = 32, CUDA_SIM_SITE) {
    const unsigned lane = cuda_sim::Engine::get().lane(), within = static_cast<unsigned>(width) - 1;
    return cuda_sim::shuffle_from(mask, value, (lane & within) + by <= within ? lane + by : lane,
                                  site);
}
template <class Value>
Value __shfl_up_sync(unsigned mask, Value value, unsigned by, int width = 32, CUDA_SIM_SITE) {
    const unsigned lane = cuda_sim::Engine::get().lane(), within = static_cast<unsigned>(width) - 1;
    return cuda_sim::shuffle_from(mask, value, (lane & within) >= by ? lane - by : lane, site);
}
template <class Value>
Value __shfl_xor_sync(unsigned mask, Value value, int with, int width = 32, CUDA_SIM_SITE) {
    const unsigned lane = cuda_sim::Engine::get().lane(), within = static_cast<unsigned>(width) - 1;
    const unsigned source = lane ^ static_cast<unsigned>(with);
    return cuda_sim::shuffle_from(mask, value, source <= (lane | within) ? source : lane, site);
}

template <class Value>
Value atomicAdd(Value* at, std::type_identity_t<Value> value) {
    return cuda_sim::change_atomically(at, [&](Value v) { return static_cast<Value>(v + value); });
}
template <class Value>
Value atomicSub(Value* at, std::type_identity_t<Value> value) {
    return cuda_sim::change_atomically(at, [&](Value v) { return static_cast<Value>(v - value); });
}
template <class Value>
Value atomicMax(Value* at, std::type_identity_t<Value> value) {
    return cuda_sim::change_atomically(at, [&](Value v) { return std::max(v, value); });
}
template <class Value>
Value atomicMin(Value* at, std::type_identity_t<Value> value) {
    return cuda_sim::change_atomically(at, [&](Value v) { return std::min(v, value); });
}
template <class Value>
Value atomicOr(Value* at, std::type_identity_t<Value> value) {
    return cuda_sim::change_atomically(at, [&](Value v) { return v | value; });
}
template <class Value>
Value atomicAnd(Value* at, std::type_identity_t<Value> value) {
    return cuda_sim::change_atomically(at, [&](Value v) { return v & value; });
}
template <class Value>
Value atomicExch(Value* at, std::type_identity_t<Value> value) {
    return cuda_sim::change_atomically(at, [&](Value) { return value; });
}
template <class Value>
Value atomicCAS(Value* at, std::type_identity_t<Value> expected,
                std::type_identity_t<Value> value) {
    return cuda_sim::change_atomically(at, [&](Value v) { return v == expected ? value : v; });
}

template <class Value>
Value __ldg(const Value* at) {
    return *at;
}
[[noreturn]] inline void __trap() { cuda_sim::fail("__trap"); }

using std::max;
using std::min;
inline float rsqrtf(float x) { return 1 / std::sqrt(x); }
inline double rsqrt(double x) { return 1 / std::sqrt(x); }
inline float __expf(float x) { return std::exp(x); }
inline float __logf(float x) { return std::log(x); }
inline float __fdividef(float x, float y) { return x / y; }
inline float __saturatef(float x) { return x > 0 ? std::min(x, 1.0F) : 0; }
inline float __fmaf_rn(float x, float y, float z) { return std::fma(x, y, z); }
inline double __fma_rn(double x, double y, double z) { return std::fma(x, y, z); }

inline int __popc(unsigned x) { return std::popcount(x); }
inline int __clz(int x) { return std::countl_zero(static_cast<unsigned>(x)); }
inline int __ffs(int x) { return x == 0 ? 0 : std::countr_zero(static_cast<unsigned>(x)) + 1; }
inline unsigned __umulhi(unsigned x, unsigned y) {
    return static_cast<unsigned>(std::uint64_t{x} * y >> 32);
}
inline int __float_as_int(float x) { return std::bit_cast<int>(x); }
inline unsigned __float_as_uint(float x) { return std::bit_cast<unsigned>(x); }
inline float __int_as_float(int x) { return std::bit_cast<float>(x); }
inline float __uint_as_float(unsigned x) { return std::bit_cast<float>(x); }
inline long long __double_as_longlong(double x) { return std::bit_cast<long long>(x); }
inline double __longlong_as_double(long long x) { return std::bit_cast<double>(x); }

// Roundings of their own: nvcc fuses no product with a sum across them.
inline float __fadd_rn(float x, float y) {
    const volatile float sum = x + y;
    return sum;
}
inline float __fmul_rn(float x, float y) {
    const volatile float product = x * y;
    return product;
}
inline double __dadd_rn(double x, double y) {
    const volatile double sum = x + y;
    return sum;
}
inline double __dmul_rn(double x, double y) {
    const volatile double product = x * y;
    return product;
}

#undef CUDA_SIM_SITE
