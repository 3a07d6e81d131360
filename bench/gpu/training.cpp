// Training of the tutorials' networks on a GPU: random pictures that lie there, Adam, cross-entropy.
#include "bench/gpu/gpu.hpp"
#include "bench/gpu/measured.hpp"
#include "bench/support/step_floor.hpp"
#include "examples/fashion_mnist/models.hpp"
#include "weft/cuda.hpp"
#include "weft/losses/sparse_categorical_crossentropy.hpp"
#include "weft/training/trainer.hpp"

#include <algorithm>

namespace weft::bench {
namespace {

/// Medians of five epochs after one.
void measure_epochs(benchmark::State& state, const Tutorial& tutorial, Index batch, bool tf32,
                    const GpuCeilings& ceilings) {
    constexpr Index most_samples = 60'000, most_steps = 500;
    const Index steps = std::min(most_steps, most_samples / batch);
    const Shape sample = tutorial.is_convolutional ? Shape{28, 28, 1} : Shape{28, 28};
    const Samples data(sample, steps * batch);
    const Model<float> on_host = tutorial.build(sample, 1);
    Model<float, Cuda> model = to<Cuda>(on_host, Cuda({.tf32 = tf32}));
    Trainer<float, Cuda> trainer(model, {.loss = SparseCategoricalCrossentropy{}});
    std::vector<double> seconds;
    for ([[maybe_unused]] const auto _ : state) {
        const History history =
            trainer.fit(data.x, data.labels,
                        {.epochs = 6, .batch_size = batch, .verbosity = Verbosity::silent});
        if (history.non_finite) return state.SkipWithError("a number is not finite");
        for (const EpochRecord& epoch : history.epochs) seconds.push_back(epoch.seconds);
        seconds.erase(seconds.begin());
        std::ranges::nth_element(seconds, seconds.begin() + 2);
        state.SetIterationTime(seconds[2] / static_cast<double>(steps));
    }
    const double of_step = seconds[2] / static_cast<double>(steps);
    const StepFloor floor = step_floor(on_host, batch);
    const double gflops = tf32 ? ceilings.tf32_gflops : ceilings.fp32_gflops;
    const double floor_seconds =
        std::max(floor.flop / (1e9 * gflops), floor.bytes / (1e9 * ceilings.memory_gbs));
    state.counters["images_per_second"] = static_cast<double>(batch) / of_step;
    state.counters["gflops"] = floor.flop / 1e9 / of_step;
    state.counters["floor_us"] = 1e6 * floor_seconds;
    state.counters["times_floor"] = of_step / floor_seconds;
}

}  // namespace

void add_training(const GpuCeilings& ceilings) {
    for (const Tutorial& tutorial : tutorials()) {
        for (const Index batch : {32, 500, 4096}) {
            for (const bool tf32 : {false, true}) {
                if (tf32 && ceilings.tf32_gflops == 0) continue;
                const std::string name =
                    concat("training/", tutorial.id, ":", batch, tf32 ? "/tf32" : "/fp32");
                add_measured(name, [=](benchmark::State& state) {
                    measure_epochs(state, tutorial, batch, tf32, ceilings);
                })->Iterations(1);
            }
        }
    }
}

}  // namespace weft::bench
