/// \file
/// Time on a GPU, and what the GPU itself can do.
#pragma once

#include "weft/core/cuda.hpp"

#include <functional>

namespace weft::bench {

/// The seconds that the GPU takes for what work() asks of the device, by its own clock: from the
/// first of it to the last, after all that was asked for before.
double seconds_on_gpu(const Cuda& device, const std::function<void()>& work);

/// The most that was reached on the GPU at hand.
struct GpuCeilings {
    double memory_gbs = 0;     ///< 10^9 bytes a second, read and written, of a copy of 512 MiB
    double fp32_gflops = 0;    ///< multiply-adds in registers, two operations each
    double tf32_gflops = 0;    ///< the same on tensor cores; 0 where there are none for TF32
    double graph_node_us = 0;  ///< of a kernel that does nothing, in a graph of a hundred
};

/// Of GPU 0. Takes about a second.
GpuCeilings measure_ceilings();

/// Registers the benchmarks of layers alone, and those of training.
void add_layers(const GpuCeilings& ceilings);
void add_training(const GpuCeilings& ceilings);

}  // namespace weft::bench
