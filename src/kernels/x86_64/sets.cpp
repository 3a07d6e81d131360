// Kernels for three levels of x86-64, as the ABI's document of them says what each level has:
// gitlab.com/x86-psABIs/x86-64-ABI, section 3.1.1.
#include "../sets.hpp"

#include <cpuid.h>

using weft::kernels::WEFT_BUILD_NAMESPACE::detail::KernelSet;

extern "C" {
const KernelSet* weft_kernel_set_v1();
const KernelSet* weft_kernel_set_v3();
const KernelSet* weft_kernel_set_v4();
}

namespace weft::kernels {
inline namespace WEFT_BUILD_NAMESPACE {
namespace detail {
namespace {

/// What the compiler's function does not know by name everywhere. That the operating system keeps the
/// registers it does know.
bool has_f16c_movbe_lzcnt() {
    unsigned a = 0, b = 0, c = 0, d = 0, c_extended = 0;
    if (__get_cpuid(1, &a, &b, &c, &d) == 0) return false;
    if (__get_cpuid(0x80000001, &a, &b, &c_extended, &d) == 0) return false;
    const unsigned f16c_movbe = 1U << 29 | 1U << 22, lzcnt = 1U << 5;
    return (c & f16c_movbe) == f16c_movbe && (c_extended & lzcnt) != 0;
}

bool has_v3() {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
           __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
           __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt") &&
           has_f16c_movbe_lzcnt();
}

bool has_v4() {
    return has_v3() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl");
}

}  // namespace

std::vector<const KernelSet*> usable_kernel_sets() {
    std::vector<const KernelSet*> sets{weft_kernel_set_v1()};
    if (has_v3()) sets.push_back(weft_kernel_set_v3());
    if (has_v4()) sets.push_back(weft_kernel_set_v4());
    return sets;
}

}  // namespace detail
}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft::kernels
