/// \file
/// The CPU as a device: its kernels, which layers, losses, metrics, optimizers and models call by
/// name and find by the device's type. weft.hpp includes it; include it as well if you include
/// headers one by one.
///
/// The kernels are those of kernels/cpu, compiled with the program; or with weft::kernels, which
/// defines WEFT_COMPILED_KERNELS, those of kernels/compiled, chosen when the program runs.
#pragma once

#include "weft/config.hpp"

#include WEFT_CPU_KERNELS
