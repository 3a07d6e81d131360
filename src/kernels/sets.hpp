/// \file
/// The sets of kernels that are linked in.
#pragma once

#include "weft/kernels/compiled/table.hpp"

#include <vector>

/// The only name of a set that others see, made one of its own for each set of several.
extern "C" const weft::kernels::WEFT_BUILD_NAMESPACE::detail::KernelSet* weft_kernel_set();

namespace weft::kernels {
inline namespace WEFT_BUILD_NAMESPACE {
namespace detail {

/// Those that this processor and operating system can run, the best one last. At least one.
std::vector<const KernelSet*> usable_kernel_sets();

}  // namespace detail
}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft::kernels
