// One set of kernels, compiled with the flags of the build.
#include "../sets.hpp"

namespace weft::kernels {
inline namespace WEFT_BUILD_NAMESPACE {
namespace detail {

std::vector<const KernelSet*> usable_kernel_sets() { return {weft_kernel_set()}; }

}  // namespace detail
}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft::kernels
