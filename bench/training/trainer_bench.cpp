// Training the tutorials' networks on random pictures, with the tutorial's batch size: a few steps
// of each, whole epochs of mlp, and mlp after long training.
#include "bench/support/measure.hpp"
#include "bench/support/model_work.hpp"
#include "bench/support/training.hpp"
#include "examples/fashion_mnist/models.hpp"
#include "weft/losses/sparse_categorical_crossentropy.hpp"
#include "weft/training/trainer.hpp"

namespace {

using namespace weft;
using namespace weft::bench;

void add_training(const std::string& name, const Tutorial& tutorial, Index samples) {
    add("training/" + name + "/weft", [=](benchmark::State& state) {
        const Shape sample = tutorial.is_convolutional ? Shape{28, 28, 1} : Shape{28, 28};
        measure_training(state, tutorial.build(sample), sample, samples, tutorial.batch_size);
    });
}

/// Epochs of mlp after 1,600 steps in which half of the pixels were dark and half of the units dead:
/// moments of their weights have decayed, as they do in long training. Beside it the same epochs at first.
void add_late(bool is_late) {
    add(concat("training/", is_late ? "late" : "early", "/mlp-batch-32/weft"),
        [=](benchmark::State& state) {
            constexpr Index samples = 1600;
            Samples data({28, 28}, samples);
            Sequential<float> model(tutorial("mlp").layers);
            model.build({28, 28}, 1);
            Trainer trainer(model, {.loss = SparseCategoricalCrossentropy{}});
            FitOptions<float> options{.batch_size = 32, .verbosity = Verbosity::silent};
            trainer.fit(data.x, data.labels, options);
            for (Index i = 0; i < data.x.size(); i += 2) data.x[i] = 0;
            for (Index unit = 0; unit < 128; unit += 2) model.parameter("dense/bias")[unit] = -1000;
            options.epochs = is_late ? 32 : 1;
            trainer.fit(data.x, data.labels, options);
            options.epochs = 1;
            measure(state, {.images = samples}, [&] { trainer.fit(data.x, data.labels, options); });
        });
}

[[maybe_unused]] const bool registered = [] {
    add_late(false);
    add_late(true);
    for (const Tutorial& tutorial : tutorials()) {
        const Index steps = tutorial.is_convolutional ? 2 : 8;
        add_training(concat("steps/", tutorial.id, "-batch-", tutorial.batch_size), tutorial,
                     steps * tutorial.batch_size);
    }
    add_training("epoch/mlp-60000", tutorial("mlp"), 60'000);
    return true;
}();

}  // namespace
