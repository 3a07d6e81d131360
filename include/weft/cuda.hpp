/// \file
/// Models on an NVIDIA GPU. Not part of weft.hpp; programs that include it link to weft::cuda.
#pragma once

#include "weft/kernels/cuda/activation.hpp"
#include "weft/kernels/cuda/batch_norm.hpp"
#include "weft/kernels/cuda/convolution.hpp"
#include "weft/kernels/cuda/dense.hpp"
#include "weft/kernels/cuda/dropout.hpp"
#include "weft/kernels/cuda/image.hpp"
#include "weft/kernels/cuda/layout.hpp"
#include "weft/kernels/cuda/loss.hpp"
#include "weft/kernels/cuda/merge.hpp"
#include "weft/kernels/cuda/metric.hpp"
#include "weft/kernels/cuda/optimizer.hpp"
#include "weft/kernels/cuda/penalty.hpp"
#include "weft/kernels/cuda/pooling.hpp"
#include "weft/kernels/cuda/reduction.hpp"
#include "weft/kernels/cuda/step.hpp"
#include "weft/kernels/cuda/tally.hpp"
#include "weft/model/to_device.hpp"
