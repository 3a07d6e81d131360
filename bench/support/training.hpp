/// \file
/// Training as a benchmark.
#pragma once

#include "weft/cpu.hpp"
#include "weft/model/sequential.hpp"

#include <benchmark/benchmark.h>

namespace weft::bench {

/// Times epochs of `samples` random samples in batches of that size, shuffled, with Adam and
/// cross-entropy, on that many threads (0: those of Cpu()). The model ends in a softmax over ten
/// classes and is built here for samples of that shape. Counts samples as items, the model's
/// products as GFLOP/s, parameters and workspace_mib.
void measure_training(benchmark::State& state, Model<float> model, const Shape& sample,
                      Index samples, Index batch_size, int threads = 0);

}  // namespace weft::bench
