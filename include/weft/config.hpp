/// \file
/// Every decision on compiler, instruction set and OpenMP, as macros and names of the build. What
/// they choose between is in core/processor.hpp; no other header asks for these.
#pragma once

#if defined(_OPENMP)
#define WEFT_OPENMP openmp
#define WEFT_OMP(directive) _Pragma(#directive)
#else
#define WEFT_OPENMP serial
#define WEFT_OMP(directive)
#endif

/// Marks of functions that compilers shall not copy into each caller, so that programs with weft
/// compile faster; the test compile_time measures it. The rule:
///
///   WEFT_NOINLINE   It loops over numbers or samples; or it is a function of a step that a layer,
///                   loss, metric or optimiser defines: users write loops there.
///   WEFT_COLD       It leaves such loops to others: it checks, builds, prints, reads files, or
///                   calls the kernels of a step. It is compiled for size, too.
///   neither         A few lines, such as an accessor; or what a loop calls.
///
/// Functions of headers that are no templates have them, too; those in src/ need neither.
#if defined(__clang__)
#define WEFT_NOINLINE [[gnu::noinline]]
#define WEFT_COLD [[gnu::noinline, gnu::cold]]
#elif defined(__GNUC__)
#define WEFT_NOINLINE [[gnu::noinline, gnu::noclone]]
#define WEFT_COLD [[gnu::noinline, gnu::noclone, gnu::cold]]
#else
#define WEFT_NOINLINE
#define WEFT_COLD
#endif

/// Behind the parameters of a lambda: its body is always compiled into the caller's.
#if defined(__GNUC__)
#define WEFT_INLINE_LAMBDA __attribute__((always_inline))
#else
#define WEFT_INLINE_LAMBDA
#endif

/// Before a function: all functions that it calls are compiled into it.
#if defined(__GNUC__)
#define WEFT_FLATTEN [[gnu::flatten]]
#else
#define WEFT_FLATTEN
#endif

/// Makes the compiler hold a vector in a register instead of loading it again at each use.
#if defined(__GNUC__) && defined(__SSE2__)
#define WEFT_KEEP_IN_REGISTER(x) asm("" : "+v"(x))
#else
#define WEFT_KEEP_IN_REGISTER(x) static_cast<void>(x)
#endif

/// Around code that computes with packets, to spare users two kinds of g++'s warnings. One says
/// that template arguments drop the alignment of vector types; nothing relies on it. The other
/// says that a number may be uninitialized. Before version 13 it is about AVX-512 intrinsics,
/// which read an undefined register on purpose (GCC bug 105593). From 13 on it is about
/// registers that the first tap of a window sets: g++ does not see that each window has one.
/// Both come wherever the code is inlined, in system headers too. g++ asks each line from the
/// warning outwards for a rule, and takes the first; so a rule here holds for users' lines as
/// well.
#if defined(__GNUC__) && !defined(__clang__)
#define WEFT_PACKETS_BEGIN                                                                    \
    _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wignored-attributes\"") \
        _Pragma("GCC diagnostic ignored \"-Wmaybe-uninitialized\"")                           \
            _Pragma("GCC diagnostic ignored \"-Wuninitialized\"")
#define WEFT_PACKETS_END _Pragma("GCC diagnostic pop")
#elif defined(__GNUC__)
#define WEFT_PACKETS_BEGIN \
    _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wignored-attributes\"")
#define WEFT_PACKETS_END _Pragma("GCC diagnostic pop")
#else
#define WEFT_PACKETS_BEGIN
#define WEFT_PACKETS_END
#endif

/// Prefetches the cache line at an address that will soon be read, or written. A macro, because g++
/// drops the calls of a function that does only this.
#if defined(__GNUC__)
#define WEFT_PREFETCH(address) __builtin_prefetch(address)
#define WEFT_PREFETCH_TO_WRITE(address) __builtin_prefetch(address, 1)
#else
#define WEFT_PREFETCH(address) static_cast<void>(address)
#define WEFT_PREFETCH_TO_WRITE(address) static_cast<void>(address)
#endif

#if defined(EIGEN_DONT_VECTORIZE)
#define WEFT_INSTRUCTION_SET scalar
#elif defined(__AVX512F__) && defined(__AVX512DQ__) && defined(__FMA__)
#define WEFT_INSTRUCTION_SET avx512
#elif defined(__AVX2__) && defined(__FMA__)
#define WEFT_INSTRUCTION_SET avx2
#elif defined(__AVX__)
#define WEFT_INSTRUCTION_SET avx
#elif defined(__SSE4_2__)
#define WEFT_INSTRUCTION_SET sse4_2
#elif defined(__SSE2__) || defined(_M_X64)
#define WEFT_INSTRUCTION_SET sse2
#elif defined(__ARM_NEON)
#define WEFT_INSTRUCTION_SET neon
#else
#define WEFT_INSTRUCTION_SET scalar
#endif

#define WEFT_DETAIL_STRING(x) #x
#define WEFT_STRING(x) WEFT_DETAIL_STRING(x)
#define WEFT_DETAIL_JOIN(a, b) a##_##b
#define WEFT_JOIN(a, b) WEFT_DETAIL_JOIN(a, b)

/// The inline namespace that the Cpu device and its kernels live in. It names instruction set and
/// threading, so translation units built with different flags have different Cpu types, models and
/// kernels: in one program each may use its own, and code that passes a tensor or a model from one
/// to the other does not link, instead of crashing at random. Other code (shapes, random numbers,
/// the standard library) is shared by the linker, as in any C++ program, so the machine must
/// support all of the flags.
///
/// Programs with the compiled kernels of weft::kernels have one namespace for all instruction sets,
/// shared by their kernels. Program and kernels then have the same Cpu: no type depends on the
/// instruction set.
#if defined(WEFT_COMPILED_KERNELS)
#define WEFT_BUILD_NAMESPACE WEFT_JOIN(compiled, WEFT_OPENMP)
#define WEFT_CPU_KERNELS "weft/kernels/compiled/kernels.hpp"
#else
#define WEFT_BUILD_NAMESPACE WEFT_JOIN(WEFT_INSTRUCTION_SET, WEFT_OPENMP)
#define WEFT_CPU_KERNELS "weft/kernels/cpu/kernels.hpp"
#endif

namespace weft {
inline namespace WEFT_BUILD_NAMESPACE {

/// The instruction set this translation unit was compiled for: "avx512", "avx2", "neon", ...
inline constexpr const char* instruction_set = WEFT_STRING(WEFT_INSTRUCTION_SET);

/// Whether this translation unit was compiled with OpenMP; without, everything runs on one thread.
#if defined(_OPENMP)
inline constexpr bool has_openmp = true;
#else
inline constexpr bool has_openmp = false;
#endif

/// The parts of the build that decide the last bits of a sum: instruction set, compiler, optimiser.
#if defined(_MSC_FULL_VER)
#define WEFT_COMPILER "MSVC " WEFT_STRING(_MSC_FULL_VER)
#else
#define WEFT_COMPILER __VERSION__
#endif
#if defined(__OPTIMIZE__) || (defined(_MSC_VER) && defined(NDEBUG))
#define WEFT_OPTIMISED ", optimised"
#else
#define WEFT_OPTIMISED ""
#endif
#if defined(__FAST_MATH__) || defined(_M_FP_FAST)
#define WEFT_FAST_MATH ", fast math"
#else
#define WEFT_FAST_MATH ""
#endif
inline constexpr const char* build_description =
    WEFT_STRING(WEFT_INSTRUCTION_SET) ", " WEFT_COMPILER WEFT_OPTIMISED WEFT_FAST_MATH;

}  // namespace WEFT_BUILD_NAMESPACE

}  // namespace weft
