/// \file
/// Benchmarks timed by the GPU.
#pragma once

#include <benchmark/benchmark.h>

#include <exception>
#include <string>

namespace weft::bench {

/// Registers a benchmark timed by the GPU. What it throws, as where memory is too small, is its result,
/// and the others go on.
template <class Measure>
benchmark::internal::Benchmark* add_measured(const std::string& name, const Measure& measure) {
    return benchmark::RegisterBenchmark(name.c_str(),
                                        [measure](benchmark::State& state) {
                                            try {
                                                measure(state);
                                            } catch (const std::exception& error) {
                                                state.SkipWithError(error.what());
                                            }
                                        })
        ->UseManualTime()
        ->Unit(benchmark::kMicrosecond);
}

}  // namespace weft::bench
