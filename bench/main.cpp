// The main function of weft_bench: first says what was built and where it runs, since a build
// without -O3 -march=native is many times slower.
//   build/release/bench/weft_bench [--benchmark_filter=matmul] [--benchmark_repetitions=9]
#include "bench/support/contenders.hpp"
#include "bench/support/machine.hpp"
#include "weft/config.hpp"
#include "weft/core/cpu.hpp"
#include "weft/version.hpp"

#include <benchmark/benchmark.h>

#include <string>

int main(int argc, char** argv) {
    using namespace weft::bench;

    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
    const MachinePeak& peak = machine_peak();
    benchmark::AddCustomContext("weft", WEFT_VERSION);
    benchmark::AddCustomContext("instruction_set", weft::instruction_set);
    benchmark::AddCustomContext("threads", std::to_string(weft::Cpu().threads()));
    benchmark::AddCustomContext("compiler", WEFT_BENCH_COMPILER);
    benchmark::AddCustomContext("flags", WEFT_BENCH_FLAGS);
    if constexpr (has_onednn) benchmark::AddCustomContext("onednn", onednn_version());
    if constexpr (has_openblas) benchmark::AddCustomContext("openblas", openblas_version());
    benchmark::AddCustomContext("peak_gflops", std::to_string(peak.gflops));
    benchmark::AddCustomContext("peak_memory_gbs", std::to_string(peak.memory_gbs));
    benchmark::AddCustomContext("peak_cache_gbs", std::to_string(peak.cache_gbs));
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
}
