#include "bench/support/machine.hpp"

#include "weft/core/parallel.hpp"
#include "weft/core/tensor.hpp"
#include "weft/kernels/cpu/packet.hpp"

#include <benchmark/benchmark.h>

#include <chrono>

namespace weft::bench {

namespace {

/// The highest rate among calls of run(), each of which does `amount`, in a quarter of a second:
/// short calls, so that one finds the machine undisturbed.
template <class Run>
double best_rate(double amount, const Run& run) {
    using Clock = std::chrono::steady_clock;
    const auto end = Clock::now() + std::chrono::milliseconds(250);
    run();
    double best = 0;
    for (int trial = 0; trial < 5 || Clock::now() < end; ++trial) {
        const auto start = Clock::now();
        run();
        best = std::max(best, amount / std::chrono::duration<double>(Clock::now() - start).count());
    }
    return best;
}

/// Chains of sums = x sums + y, as many as hide the latency of two units and fit 16 registers.
void multiply_add(Index steps) {
    using namespace kernels::detail;
    constexpr std::size_t chains = 12;
    const auto x = broadcast(0.5f), y = broadcast(1.0f);
    Packet<float> sums[chains];
    for (auto& sum : sums) sum = y;
    for (Index step = 0; step < steps; ++step) {
        for (auto& sum : sums) sum = Eigen::internal::pmadd(x, sum, y);
    }
    for (auto& sum : sums) benchmark::DoNotOptimize(sum);
}

double peak_gflops() {
    const Cpu cpu;
    constexpr Index steps = 50'000;
    const double flop = 2.0 * 12 * steps * static_cast<double>(kernels::detail::packet_size<float>);
    return best_rate(1e-9 * flop * cpu.threads(), [&] {
        parallel_for(cpu, cpu.threads(), [](Index, int) { multiply_add(steps); });
    });
}

/// Each thread runs `passes` times over three arrays of `count` elements of its own.
double triad_gbs(Index count, Index passes) {
    using namespace kernels::detail;
    const Cpu cpu;
    const Index threads = cpu.threads();
    Tensor<float> a({threads, count}), b({threads, count}), c({threads, count});
    const auto triad = [&](Index thread, int) {
        const Index first = thread * count;
        const auto scale = broadcast(0.5f);
        for (Index pass = 0; pass < passes; ++pass) {
            transform(
                count, a.data() + first,
                [&](const auto& p, const auto& q) { return Eigen::internal::pmadd(scale, q, p); },
                b.data() + first, c.data() + first);
            benchmark::ClobberMemory();
        }
    };
    const double bytes = 12.0 * static_cast<double>(threads * count * passes);
    return best_rate(1e-9 * bytes, [&] { parallel_for(cpu, threads, triad); });
}

}  // namespace

const MachinePeak& machine_peak() {
    constexpr Index beyond_caches = Index{1} << 24, within_cache = Index{1} << 14;
    static const MachinePeak peak{peak_gflops(), triad_gbs(beyond_caches / Cpu().threads(), 1),
                                  triad_gbs(within_cache, 50)};
    return peak;
}

}  // namespace weft::bench
