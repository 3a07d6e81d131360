/// \file
/// The CPU as a device: its kernels, which layers, losses, metrics, optimizers and models call by
/// name and find by the device's type. weft.hpp has it; whoever includes headers of theirs one by
/// one includes it too.
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
#include "weft/kernels/cpu/optimizer.hpp"
#include "weft/kernels/cpu/penalty.hpp"
#include "weft/kernels/cpu/pooling.hpp"
#include "weft/kernels/cpu/reduction.hpp"
#include "weft/kernels/cpu/tally.hpp"
