/// \file
/// What all benchmarks share: their names, the timed loop, and counters.
#pragma once

#include <benchmark/benchmark.h>

#include <string>

namespace weft::bench {

/// What one iteration does.
struct Work {
    double flop = 0;   ///< multiplications and additions
    double bytes = 0;  ///< that must be read and written: every operand once
    double images = 0;
};

/// Counters: GFLOP/s, GB/s, flop_per_byte, items_per_second, and of_peak, the share of the
/// machine's measured peak: of its multiply-adds, or of its memory's bandwidth for work without a
/// flop count. What stays in the caches may exceed the memory's bandwidth.
void count(benchmark::State& state, const Work& work);

/// Times run() and counts its work.
template <class Run>
void measure(benchmark::State& state, const Work& work, const Run& run) {
    for ([[maybe_unused]] const auto _ : state) run();
    count(state, work);
}

/// Registers function(state) under a name of the form  group/what/shape/contender, which
/// bench/report.py takes apart: contenders for the same work differ in the last part alone.
template <class Function>
void add(const std::string& name, Function function) {
    benchmark::RegisterBenchmark(name.c_str(), function)
        ->UseRealTime()
        ->Unit(benchmark::kMicrosecond);
}

}  // namespace weft::bench
