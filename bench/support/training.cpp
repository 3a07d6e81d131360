#include "bench/support/training.hpp"

#include "bench/support/model_work.hpp"
#include "weft/losses/sparse_categorical_crossentropy.hpp"
#include "weft/training/trainer.hpp"

namespace weft::bench {

void measure_training(benchmark::State& state, Sequential<float> model, const Shape& sample,
                      Index samples, Index batch_size, int threads) {
    const Samples data(sample, samples);
    model.build(sample, 1);
    model.set_device(Cpu(threads));
    Trainer trainer(model, {.loss = SparseCategoricalCrossentropy{}});
    const FitOptions<float> epoch{.batch_size = batch_size, .verbosity = Verbosity::silent};
    const auto fit = [&] { return trainer.fit(data.x, data.labels, epoch); };
    if (fit().non_finite) return state.SkipWithError("a number is not finite");
    const auto images = static_cast<double>(samples);
    measure(state, {.flop = flop_per_sample(model, true) * images, .images = images}, fit);
    state.counters["optimizer_steps"] =
        static_cast<double>(trainer.steps()) / static_cast<double>(state.iterations() + 1);
    count_memory(state, model, batch_size, PassKind::training);
}

}  // namespace weft::bench
