// Training the tutorials' networks on random pictures, with the tutorial's batch size: a few steps
// of each, and whole epochs of mlp.
#include "bench/support/measure.hpp"
#include "bench/support/training.hpp"
#include "examples/fashion_mnist/models.hpp"

namespace {

using namespace weft;
using namespace weft::bench;

void add_training(const std::string& name, const Tutorial& tutorial, Index samples) {
    add("training/" + name + "/weft", [=](benchmark::State& state) {
        const Shape sample = tutorial.is_convolutional ? Shape{28, 28, 1} : Shape{28, 28};
        measure_training(state, Sequential<float>(tutorial.layers), sample, samples,
                         tutorial.batch_size);
    });
}

[[maybe_unused]] const bool registered = [] {
    for (const Tutorial& tutorial : tutorials()) {
        const Index steps = tutorial.is_convolutional ? 2 : 8;
        add_training(concat("steps/", tutorial.id, "-batch-", tutorial.batch_size), tutorial,
                     steps * tutorial.batch_size);
    }
    add_training("epoch/mlp-60000", tutorial("mlp"), 60'000);
    return true;
}();

}  // namespace
