/// \file
/// Which of the compiled kernels a program calls: those for the best instruction set that the processor
/// has, or for one that was asked for.
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
/// It is the best that the processor has. The environment variable WEFT_INSTRUCTION_SET asks for
/// another, as use_cpu_instruction_set does; it is read when the first kernel is called. Throws
/// ArgumentError where it names one that there is not.
std::string_view cpu_instruction_set();

/// All that the kernels were compiled for and this processor has, the best one last.
std::vector<std::string_view> cpu_instruction_sets();

/// Has the CPU's kernels of all threads compute with another instruction set from now on: for results
/// with the bits of a lesser machine, or to measure. Not while a model computes. Throws ArgumentError
/// if cpu_instruction_sets() has none of that name.
void use_cpu_instruction_set(std::string_view name);

/// What decides the last bits of the CPU's kernels in use, as build_description is for what is
/// compiled with the program.
std::string_view cpu_kernels_build();

}  // namespace WEFT_BUILD_NAMESPACE

namespace kernels {
inline namespace WEFT_BUILD_NAMESPACE {
namespace detail {

/// What a program and the kernels it links have to agree on.
struct KernelLayout {
    const char* version;
    std::size_t cpu_bytes, view_bytes, kernel_bytes;
};
inline constexpr KernelLayout kernel_layout{WEFT_VERSION, sizeof(Cpu), sizeof(TensorView<float>),
                                            sizeof(CpuKernels<float>)};

/// The set in use; null before the first call.
extern std::atomic<const KernelSet*> kernel_set;

/// Chooses one, if none is in use. Throws Error if the program's layout is another.
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
