// What growth costs: training throughput and memory over the batch, the width, the depth, the size
// of the images and the number of threads, more than there are cores too. Names end in the number
// that grows; bench/report.py draws a curve through each group.
#include "bench/support/measure.hpp"
#include "bench/support/training.hpp"
#include "examples/fashion_mnist/models.hpp"

namespace {

using namespace weft;
using namespace weft::bench;
using Layers = Tutorial::Layers;

struct Setup {
    Layers layers;
    Shape sample;
    Index batch;
    Index steps;  ///< of an epoch
    int threads = 0;
};

void add_growth(const std::string& axis, const std::string& model, Index x, const Setup& setup) {
    add(concat("growth/", axis, "/", model, "/", x), [=](benchmark::State& state) {
        measure_training(state, Sequential<float>(setup.layers), setup.sample,
                         setup.steps * setup.batch, setup.batch, setup.threads);
    });
}

Layers perceptron(Index hidden_layers, Index units) {
    Layers layers(static_cast<std::size_t>(hidden_layers), Dense{units, relu});
    layers.push_back(Dense{10, softmax});
    return layers;
}

/// Two convolutions of 32 filters over images of any size.
Layers convolutions() {
    const Conv2D convolution{.filters = 32, .kernel_size = 3, .padding = same, .activation = relu};
    return {convolution, MaxPool2D{}, convolution, GlobalAveragePool2D{}, Dense{10, softmax}};
}

[[maybe_unused]] const bool registered = [] {
    const Layers mlp = tutorial("mlp").layers, cnn = tutorial("cnn").layers;
    const Shape picture{28, 28}, image{28, 28, 1};
    for (const Index batch : {1, 4, 16, 64, 256, 1024, 4096}) {
        const Index steps = std::max<Index>(2, 64 / batch);
        add_growth("batch", "mlp", batch, {mlp, picture, batch, steps});
        add_growth("batch", "cnn", batch, {cnn, image, batch, batch < 1024 ? steps : 1});
    }
    for (const Index units : {16, 64, 256, 1024, 4096}) {
        add_growth("width", "mlp", units, {perceptron(2, units), {784}, 32, 2});
    }
    for (const Index layers : {1, 2, 4, 8, 16, 32}) {
        add_growth("depth", "mlp", layers, {perceptron(layers, 128), {784}, 32, 4});
    }
    for (const Index side : {8, 16, 32, 64, 128}) {
        add_growth("image", "cnn", side, {convolutions(), {side, side, 3}, 8, 1});
    }
    for (const int threads : {1, 2, 3, 4, 6, 8}) {
        add_growth("threads", "mlp", threads, {mlp, picture, 32, 8, threads});
        add_growth("threads", "cnn", threads, {cnn, image, 32, 4, threads});
    }
    return true;
}();

}  // namespace
