/// \file
/// A small program of a user's: trains on four points, predicts one.
#include <weft/weft.hpp>

#include <vector>

int main() {
    using namespace weft;

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
    return trainer.evaluate(x, labels)["accuracy"] == 1.0 && probabilities[1] > 0.5f ? 0 : 1;
}
