#include "bench/support/machine.hpp"

#include "weft/core/parallel.hpp"
#include "weft/core/tensor.hpp"
#include "weft/kernels/cpu/packet.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <numeric>
#include <vector>

namespace weft::bench {

namespace {

/// The sum over the threads of Cpu() of the rates at which each calls run(thread), which does
/// `amount`, for a quarter of a second. Of each thread the upper quartile, and no thread waits for
/// another in between: so other load on the machine hardly counts.
template <class Run>
double total_rate(double amount, const Run& run) {
    using Clock = std::chrono::steady_clock;
    const Cpu cpu;
    std::vector<double> of_thread(static_cast<std::size_t>(cpu.threads()));
    parallel_for(cpu, cpu.threads(), [&](Index thread, int) {
        std::vector<double> rates;
        const auto end = Clock::now() + std::chrono::milliseconds(250);
        for (auto start = Clock::now(); rates.size() < 5 || start < end;) {
            run(thread);
            const auto now = Clock::now();
            rates.push_back(amount / std::chrono::duration<double>(now - start).count());
            start = now;
        }
        const auto quartile = rates.begin() + static_cast<Index>(rates.size() * 3 / 4);
        std::ranges::nth_element(rates, quartile);
        of_thread[static_cast<std::size_t>(thread)] = *quartile;
    });
    return std::accumulate(of_thread.begin(), of_thread.end(), 0.0);
}

/// As many as hide the latency of two units and fit 16 registers.
constexpr Index chains = 12;

/// Chains of sums = x sums + y.
void multiply_add(Index steps) {
    using namespace kernels::detail;
    const auto x = broadcast(0.5f), y = broadcast(1.0f);
    Packet<float> sums[chains];
    for (auto& sum : sums) sum = y;
    for (Index step = 0; step < steps; ++step) {
        for (auto& sum : sums) sum = Eigen::internal::pmadd(x, sum, y);
    }
    for (auto& sum : sums) benchmark::DoNotOptimize(sum);
}

double peak_gflops() {
    constexpr Index steps = 50'000;
    const double flop =
        2.0 * chains * steps * static_cast<double>(kernels::detail::packet_size<float>);
    return total_rate(1e-9 * flop, [](Index) { multiply_add(steps); });
}

/// Each thread runs `passes` times over three arrays of `count` elements of its own.
double triad_gbs(Index count, Index passes) {
    using namespace kernels::detail;
    const Index threads = Cpu().threads();
    Tensor<float> a({threads, count}), b({threads, count}), c({threads, count});
    const auto scale = broadcast(0.5f);
    const double bytes = 12.0 * static_cast<double>(count * passes);
    return total_rate(1e-9 * bytes, [&](Index thread) {
        const Index first = thread * count;
        for (Index pass = 0; pass < passes; ++pass) {
            transform(
                count, a.data() + first,
                [&](const auto& p, const auto& q) { return Eigen::internal::pmadd(scale, q, p); },
                b.data() + first, c.data() + first);
            benchmark::ClobberMemory();
        }
    });
}

}  // namespace

const MachinePeak& machine_peak() {
    constexpr Index beyond_caches = Index{1} << 24, within_cache = Index{1} << 14;
    static const MachinePeak peak{peak_gflops(), triad_gbs(beyond_caches / Cpu().threads(), 1),
                                  triad_gbs(within_cache, 50)};
    return peak;
}

}  // namespace weft::bench
