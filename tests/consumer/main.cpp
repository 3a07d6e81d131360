/// \file
/// A small program of a user's: trains on four points and predicts one, and trains on four images.
#include <weft/weft.hpp>

#include <cmath>
#include <vector>

using namespace weft;

bool learns_or() {
    const std::vector<float> points{0, 0, 0, 1, 1, 0, 1, 1};
    const std::vector<int> labels{0, 1, 1, 1};  // logical or
    const TensorView<const float> x(points, {4, 2});

    Sequential model{Dense{.units = 8, .activation = relu},
                     Dense{.units = 2, .activation = softmax}};
    Trainer trainer(model, {.optimizer = Adam{.learning_rate = 0.05},
                            .loss = SparseCategoricalCrossentropy{},
                            .metrics = {Accuracy{}}});
    trainer.fit(x, labels, {.epochs = 100, .verbosity = Verbosity::silent});

    const Tensor<float> probabilities = model.predict(x.sample(3));  // (2)
    return trainer.evaluate(x, labels)["accuracy"] == 1.0 && probabilities[1] > 0.5f;
}

// Compilers inline and warn about the kernels of images most.
bool trains_on_images() {
    const std::vector<float> pixels(4 * 6 * 6 * 1, 0.5f);
    const std::vector<int> labels{0, 1, 1, 0};
    const TensorView<const float> x(pixels, {4, 6, 6, 1});

    Sequential model{Conv2D{.filters = 4, .kernel_size = 3},
                     BatchNorm{},
                     MaxPool2D{},
                     Dropout{0.1},
                     Flatten{},
                     Dense{2, softmax}};
    Trainer trainer(model, {.loss = SparseCategoricalCrossentropy{}});
    trainer.fit(x, labels, {.epochs = 1, .verbosity = Verbosity::silent});
    return std::isfinite(trainer.evaluate(x, labels)["loss"]);
}

int main() { return learns_or() && trains_on_images() ? 0 : 1; }
