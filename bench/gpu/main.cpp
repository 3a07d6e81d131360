// weft on the GPU at hand: layers alone, by the GPU's own clock, and training of the tutorials' networks.
// Ends with 77 where there is no GPU.
//   build/cuda/bench/weft_gpu_bench [--benchmark_filter=^training] [--benchmark_out=gpu.json]
#include "bench/gpu/gpu.hpp"
#include "weft/version.hpp"

#include <benchmark/benchmark.h>

#include <cstdio>
#include <string>

int main(int argc, char** argv) {
    using namespace weft;

    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
    if (cuda_gpus() == 0) {
        std::fputs("weft_gpu_bench: there is no NVIDIA GPU here\n", stderr);
        constexpr int skipped = 77;
        return skipped;
    }
    const bench::GpuCeilings ceilings = bench::measure_ceilings();
    benchmark::AddCustomContext("weft", WEFT_VERSION);
    benchmark::AddCustomContext("gpu", Cuda().name());
    benchmark::AddCustomContext("memory_gbs", std::to_string(ceilings.memory_gbs));
    benchmark::AddCustomContext("fp32_gflops", std::to_string(ceilings.fp32_gflops));
    benchmark::AddCustomContext("tf32_gflops", std::to_string(ceilings.tf32_gflops));
    benchmark::AddCustomContext("graph_node_us", std::to_string(ceilings.graph_node_us));
    bench::add_layers(ceilings);
    bench::add_training(ceilings);
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
}
