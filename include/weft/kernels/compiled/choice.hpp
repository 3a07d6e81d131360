/// \file
/// The choice of compiled kernels: for the best instruction set of the processor, or for a
/// requested one.
#pragma once

#include "weft/kernels/compiled/table.hpp"
#include "weft/version.hpp"

#include <atomic>
#include <string_view>
#include <vector>

namespace weft {
inline namespace WEFT_BUILD_NAMESPACE {

/// The instruction set of the CPU's kernels in use: "sse2", "avx2", "avx512", ...
///
/// By default it is the best that the processor has. The environment variable WEFT_INSTRUCTION_SET
/// requests another, like use_cpu_instruction_set; it is read when the first kernel is called.
/// Throws ArgumentError if it names an unavailable one.
std::string_view cpu_instruction_set();

/// The instruction sets that the kernels were compiled for and this processor has, the best one
/// last.
std::vector<std::string_view> cpu_instruction_sets();

/// Makes the CPU's kernels of all threads use another instruction set: for results with the bits of
/// a lesser machine, or for measurements. Must not be called while a model computes. Throws
/// ArgumentError if cpu_instruction_sets() does not contain it.
void use_cpu_instruction_set(std::string_view name);

/// The build of the CPU's kernels in use, which decides their last bits; build_description is that
/// of the program's own code.
std::string_view cpu_kernels_build();

}  // namespace WEFT_BUILD_NAMESPACE

namespace kernels {
inline namespace WEFT_BUILD_NAMESPACE {
namespace detail {

/// The layout that a program and its linked kernels must agree on.
struct KernelLayout {
    const char* version;
    std::size_t cpu_bytes, view_bytes, kernel_bytes;
};
inline constexpr KernelLayout kernel_layout{WEFT_VERSION, sizeof(Cpu), sizeof(TensorView<float>),
                                            sizeof(CpuKernels<float>)};

/// The set in use; null before the first call.
extern std::atomic<const KernelSet*> kernel_set;

/// Chooses one, if none is in use. Throws Error if the program has another layout.
const KernelSet* choose_kernel_set(const KernelLayout& layout);

/// The kernels in use for float or double.
template <class Scalar>
WEFT_NOINLINE const CpuKernels<Scalar>& chosen() {
    static_assert(std::same_as<Scalar, float> || std::same_as<Scalar, double>,
                  "the compiled kernels are for float and double");
    const KernelSet* set = kernel_set.load(std::memory_order_acquire);
    if (set == nullptr) set = choose_kernel_set(kernel_layout);
    if constexpr (std::same_as<Scalar, float>) {
        return *set->of_float;
    } else {
        return *set->of_double;
    }
}

}  // namespace detail
}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace kernels
}  // namespace weft
