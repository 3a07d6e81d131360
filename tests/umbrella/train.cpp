/// \file
/// A translation unit that keeps weft to itself: NAME() trains a small model and returns its loss.
#include <weft/weft.hpp>

double NAME() {
    using namespace weft;
    Tensor<float> x({64, 12, 12, 1}), y({64, 3});
    for (Index i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i * 37 % 101) / 101;
    for (Index i = 0; i < y.size(); ++i) y[i] = static_cast<float>(i * 17 % 29) / 29;
    Sequential model{Conv2D{.filters = 5, .kernel_size = 3, .activation = relu},
                     MaxPool2D{},
                     BatchNorm{},
                     Flatten{},
                     Dense{.units = 7, .activation = weft::tanh},
                     Dense{3}};
    Trainer trainer(model, {.optimizer = SGD{.learning_rate = 0.05}, .loss = MeanSquaredError{}});
    trainer.fit(x, y, {.epochs = 3, .batch_size = 10, .verbosity = Verbosity::silent});
    return trainer.evaluate(x, y)["loss"];
}
