// The choice of kernels, and what there has to be once in a program.
#include "weft/kernels/compiled/choice.hpp"

#include "sets.hpp"

#include <cstdlib>
#include <cstring>
#include <string>

namespace weft::kernels {
inline namespace WEFT_BUILD_NAMESPACE {
namespace detail {
namespace {

const std::vector<const KernelSet*>& usable() {
    static const std::vector<const KernelSet*> sets = usable_kernel_sets();
    return sets;
}

/// Throws ArgumentError, which begins with who asks, if there is no set of that name.
const KernelSet* find_kernel_set(std::string_view who, std::string_view name) {
    std::string names;
    for (const KernelSet* const set : usable()) {
        if (name == set->instruction_set) return set;
        names += names.empty() ? "" : ", ";
        names += set->instruction_set;
    }
    throw ArgumentError(weft::concat(who, ": there are no kernels for \"", name,
                                     "\" that this processor can run, expected one of ", names));
}

const KernelSet& set_in_use() {
    const KernelSet* const set = kernel_set.load(std::memory_order_acquire);
    return set != nullptr ? *set : *choose_kernel_set(kernel_layout);
}

}  // namespace

constinit std::atomic<const KernelSet*> kernel_set = nullptr;

const KernelSet* choose_kernel_set(const KernelLayout& layout) {
    if (std::strcmp(layout.version, kernel_layout.version) != 0 ||
        layout.cpu_bytes != kernel_layout.cpu_bytes ||
        layout.view_bytes != kernel_layout.view_bytes ||
        layout.kernel_bytes != kernel_layout.kernel_bytes) {
        throw Error(weft::concat(
            "weft::kernels: compiled with the headers of another weft than the program: ",
            kernel_layout.version, " and ", layout.version));
    }
    const char* const asked = std::getenv("WEFT_INSTRUCTION_SET");
    const bool is_asked = asked != nullptr && *asked != '\0';
    const KernelSet* const best =
        is_asked ? find_kernel_set("WEFT_INSTRUCTION_SET", asked) : usable().back();
    // If another thread chose meanwhile, or the program asked for one, that holds.
    const KernelSet* in_use = nullptr;
    return kernel_set.compare_exchange_strong(in_use, best) ? best : in_use;
}

}  // namespace detail
}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft::kernels

namespace weft {

std::string_view WEFT_BUILD_NAMESPACE::cpu_instruction_set() {
    return kernels::WEFT_BUILD_NAMESPACE::detail::set_in_use().instruction_set;
}

std::string_view WEFT_BUILD_NAMESPACE::cpu_kernels_build() {
    return kernels::WEFT_BUILD_NAMESPACE::detail::set_in_use().build;
}

std::vector<std::string_view> WEFT_BUILD_NAMESPACE::cpu_instruction_sets() {
    std::vector<std::string_view> names;
    for (const auto* const set : kernels::WEFT_BUILD_NAMESPACE::detail::usable()) {
        names.emplace_back(set->instruction_set);
    }
    return names;
}

void WEFT_BUILD_NAMESPACE::use_cpu_instruction_set(std::string_view name) {
    kernels::WEFT_BUILD_NAMESPACE::detail::kernel_set.store(
        kernels::WEFT_BUILD_NAMESPACE::detail::find_kernel_set("use_cpu_instruction_set", name),
        std::memory_order_release);
}

}  // namespace weft
