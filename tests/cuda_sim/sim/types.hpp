/// \file
/// CUDA's small vectors, aligned as on the GPU.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

struct uint3 {
    unsigned x, y, z;
};
struct dim3 {
    unsigned x, y, z;
    constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
    constexpr dim3(uint3 from) : x(from.x), y(from.y), z(from.z) {}
};

namespace cuda_sim {

[[noreturn]] void refuse_misaligned(const void* at, std::size_t bytes);

/// What a GPU reads or writes at once lies at a multiple of its size.
inline void require_aligned(const void* at, std::size_t bytes) {
    if (reinterpret_cast<std::uintptr_t>(at) % bytes != 0) refuse_misaligned(at, bytes);
}

}  // namespace cuda_sim

// A vector is copied as a whole, as on the GPU. To be counted (../trace) it is so by one load and one
// store: the compiler's own copies go by memcpy or element by element.
#if defined(CUDA_SIM_TRACE)
#define CUDA_SIM_WHOLE(element, count)                                                      \
    typedef element Whole __attribute__((vector_size(count * sizeof(element)), may_alias)); \
    *reinterpret_cast<volatile Whole*>(this) = *reinterpret_cast<const volatile Whole*>(&other);
#else
#define CUDA_SIM_WHOLE(element, count)                           \
    cuda_sim::require_aligned(&other, alignof(decltype(other))); \
    cuda_sim::require_aligned(this, alignof(decltype(other)));   \
    std::memcpy(static_cast<void*>(this), &other, sizeof other);
#endif

#define CUDA_SIM_COPY(name, element, count)    \
    name() = default;                          \
    name(const name& other) { *this = other; } \
    name& operator=(const name& other) {       \
        CUDA_SIM_WHOLE(element, count)         \
        return *this;                          \
    }

#define CUDA_SIM_VECTORS(type, element)                                         \
    struct alignas(2 * sizeof(element)) type##2 {                               \
        element x, y;                                                           \
        CUDA_SIM_COPY(type##2, element, 2)                                      \
    };                                                                          \
    struct alignas(sizeof(element) == 8 ? 16 : 4 * sizeof(element)) type##4 {   \
        element x, y, z, w;                                                     \
        CUDA_SIM_COPY(type##4, element, 4)                                      \
    };                                                                          \
    inline type##2 make_##type##2(element x, element y) {                       \
        type##2 made{};                                                         \
        made.x = x;                                                             \
        made.y = y;                                                             \
        return made;                                                            \
    }                                                                           \
    inline type##4 make_##type##4(element x, element y, element z, element w) { \
        type##4 made{};                                                         \
        made.x = x;                                                             \
        made.y = y;                                                             \
        made.z = z;                                                             \
        made.w = w;                                                             \
        return made;                                                            \
    }
CUDA_SIM_VECTORS(uchar, unsigned char)
CUDA_SIM_VECTORS(int, int)
CUDA_SIM_VECTORS(uint, unsigned)
CUDA_SIM_VECTORS(float, float)
CUDA_SIM_VECTORS(double, double)
#undef CUDA_SIM_VECTORS
#undef CUDA_SIM_COPY
#undef CUDA_SIM_WHOLE
