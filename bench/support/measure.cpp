#include "bench/support/measure.hpp"

#include "bench/support/machine.hpp"

namespace weft::bench {

void count(benchmark::State& state, const Work& work) {
    const auto rate = [](double amount) {
        return benchmark::Counter(amount, benchmark::Counter::kIsIterationInvariantRate);
    };
    const MachinePeak& peak = machine_peak();
    if (work.flop > 0) {
        state.counters["GFLOP/s"] = rate(1e-9 * work.flop);
        state.counters["of_peak"] = rate(1e-9 * work.flop / peak.gflops);
    } else if (work.bytes > 0) {
        state.counters["of_peak"] = rate(1e-9 * work.bytes / peak.memory_gbs);
    }
    if (work.bytes > 0) {
        state.counters["GB/s"] = rate(1e-9 * work.bytes);
        if (work.flop > 0) state.counters["flop_per_byte"] = work.flop / work.bytes;
    }
    if (work.images > 0) {
        state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(work.images));
    }
}

}  // namespace weft::bench
