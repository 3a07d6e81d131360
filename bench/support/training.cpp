#include "bench/support/training.hpp"

#include "bench/support/measure.hpp"
#include "bench/support/model_work.hpp"
#include "weft/losses/sparse_categorical_crossentropy.hpp"
#include "weft/training/lambda_callback.hpp"
#include "weft/training/trainer.hpp"

namespace weft::bench {

void measure_training(benchmark::State& state, Model<float> model, const Shape& sample,
                      Index samples, Index batch_size, int threads) {
    const Samples data(sample, samples);
    model.build(sample, 1);
    model.set_device(Cpu(threads));
    Trainer trainer(model, {.loss = SparseCategoricalCrossentropy{}});
    FitOptions<float> epoch{.batch_size = batch_size, .verbosity = Verbosity::silent};
    const auto fit = [&] { return trainer.fit(data.x, data.labels, epoch); };
    if (fit().non_finite) return state.SkipWithError("a number is not finite");
    // Of the few steps here, not the making of the workspace, which many steps share.
    epoch.callbacks = {LambdaCallback{.train_begin = [&](TrainingRun&) { state.ResumeTiming(); },
                                      .train_end = [&](TrainingRun&) { state.PauseTiming(); }}};
    for ([[maybe_unused]] const auto _ : state) {
        state.PauseTiming();
        fit();
        state.ResumeTiming();
    }
    const auto images = static_cast<double>(samples);
    count(state, {.flop = flop_per_sample(model, true) * images, .images = images});
    state.counters["optimizer_steps"] =
        static_cast<double>(trainer.steps()) / static_cast<double>(state.iterations() + 1);
    count_memory(state, model, batch_size, PassKind::training);
}

}  // namespace weft::bench
