/// \file
/// The CPU's kernels, compiled with the program for its instruction set.
#pragma once

#include "weft/core/parallel.hpp"
#include "weft/kernels/cpu/activation.hpp"
#include "weft/kernels/cpu/batch_norm.hpp"
#include "weft/kernels/cpu/convolution.hpp"
#include "weft/kernels/cpu/dense.hpp"
#include "weft/kernels/cpu/dropout.hpp"
#include "weft/kernels/cpu/elementwise.hpp"
#include "weft/kernels/cpu/layout.hpp"
#include "weft/kernels/cpu/loss.hpp"
#include "weft/kernels/cpu/merge.hpp"
#include "weft/kernels/cpu/metric.hpp"
#include "weft/kernels/cpu/normalizing_pool.hpp"
#include "weft/kernels/cpu/optimizer.hpp"
#include "weft/kernels/cpu/penalty.hpp"
#include "weft/kernels/cpu/pooling.hpp"
#include "weft/kernels/cpu/reduction.hpp"
#include "weft/kernels/cpu/tally.hpp"

namespace weft {
inline namespace WEFT_BUILD_NAMESPACE {

/// The instruction set of the CPU's kernels in use.
constexpr std::string_view cpu_instruction_set() { return instruction_set; }

/// The build, which decides their last bits.
constexpr std::string_view cpu_kernels_build() { return build_description; }

}  // namespace WEFT_BUILD_NAMESPACE

namespace kernels {
inline namespace WEFT_BUILD_NAMESPACE {

/// The build of the device's kernels.
constexpr std::string_view kernels_build(const Cpu&) { return cpu_kernels_build(); }

}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace kernels
}  // namespace weft
