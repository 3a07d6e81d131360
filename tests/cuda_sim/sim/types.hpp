/// \file
/// CUDA's small vectors, aligned as on the GPU.
#pragma once

struct uint3 {
    unsigned x, y, z;
};
struct dim3 {
    unsigned x, y, z;
    constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
    constexpr dim3(uint3 from) : x(from.x), y(from.y), z(from.z) {}
};

// To be counted (../trace) a vector is copied by one load and one store, as on the GPU: the compiler's
// own copies go by memcpy or element by element. There they are made by make_float4(), not by {}.
#if defined(CUDA_SIM_TRACE)
#define CUDA_SIM_COPY(name, element, count)                                                 \
    typedef element Whole __attribute__((vector_size(count * sizeof(element)), may_alias)); \
    name() = default;                                                                       \
    name(const name& other) { *this = other; }                                              \
    name& operator=(const name& other) {                                                    \
        *reinterpret_cast<volatile Whole*>(this) =                                          \
            *reinterpret_cast<const volatile Whole*>(&other);                               \
        return *this;                                                                       \
    }
#define CUDA_SIM_MAKE(name) inline name
#else
#define CUDA_SIM_COPY(name, element, count)
#define CUDA_SIM_MAKE(name) constexpr name
#endif

#define CUDA_SIM_VECTORS(type, element)                                                 \
    struct alignas(2 * sizeof(element)) type##2 {                                       \
        element x, y;                                                                   \
        CUDA_SIM_COPY(type##2, element, 2)                                              \
    };                                                                                  \
    struct alignas(sizeof(element) == 8 ? 16 : 4 * sizeof(element)) type##4 {           \
        element x, y, z, w;                                                             \
        CUDA_SIM_COPY(type##4, element, 4)                                              \
    };                                                                                  \
    CUDA_SIM_MAKE(type##2) make_##type##2(element x, element y) {                       \
        type##2 made{};                                                                 \
        made.x = x;                                                                     \
        made.y = y;                                                                     \
        return made;                                                                    \
    }                                                                                   \
    CUDA_SIM_MAKE(type##4) make_##type##4(element x, element y, element z, element w) { \
        type##4 made{};                                                                 \
        made.x = x;                                                                     \
        made.y = y;                                                                     \
        made.z = z;                                                                     \
        made.w = w;                                                                     \
        return made;                                                                    \
    }
CUDA_SIM_VECTORS(uchar, unsigned char)
CUDA_SIM_VECTORS(int, int)
CUDA_SIM_VECTORS(uint, unsigned)
CUDA_SIM_VECTORS(float, float)
CUDA_SIM_VECTORS(double, double)
#undef CUDA_SIM_VECTORS
#undef CUDA_SIM_MAKE
#undef CUDA_SIM_COPY
