// The main function of weft_bench: first says what was built and where it runs, since a build
// without -O3 -march=native is many times slower.
//   build/release/bench/weft_bench [--benchmark_filter=matmul] [--benchmark_repetitions=9]
#include "weft/config.hpp"
#include "weft/core/cpu.hpp"
#include "weft/version.hpp"

#include <benchmark/benchmark.h>

#include <string>

int main(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
    benchmark::AddCustomContext("weft", WEFT_VERSION);
    benchmark::AddCustomContext("instruction_set", weft::instruction_set);
    benchmark::AddCustomContext("threads", std::to_string(weft::Cpu().threads()));
    benchmark::AddCustomContext("compiler", WEFT_BENCH_COMPILER);
    benchmark::AddCustomContext("flags", WEFT_BENCH_FLAGS);
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
}
