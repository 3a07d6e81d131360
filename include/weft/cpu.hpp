/// \file
/// The CPU as a device: its kernels, which layers, losses, metrics, optimizers and models call by
/// name and find by the device's type. weft.hpp has it; whoever includes headers of theirs one by
/// one includes it too.
///
/// They are those of kernels/cpu, compiled with the program; or with weft::kernels, which defines
/// WEFT_COMPILED_KERNELS, those of kernels/compiled, which are chosen when the program runs.
#pragma once

#include "weft/config.hpp"

#include WEFT_CPU_KERNELS
