// Shows: how far half an hour goes: a residual network, pictures changed at random, smoothed targets, a rate
//        that rises and falls.
// Run:   bash tests/run.sh builds it; then build/tests/examples/residual_network [epochs] [pictures]
//        The default, 6 epochs of 60000 pictures, takes about half an hour on two cores.
// Its last line: "test accuracy 0.9..., with the mirrored picture's prediction added 0.9...".
#include <weft/data/fashion_mnist.hpp>
#include <weft/weft.hpp>

#include <algorithm>
#include <iostream>
#include <string>

using namespace weft;

/// Convolution of 3 x 3, batch norm, relu.
Value<> block(const Value<>& x, Index filters) {
    return x |
           Conv2D{.filters = filters,
                  .kernel_size = 3,
                  .padding = same,
                  .use_bias = false,
                  .kernel_initializer = he_normal,
                  .kernel_regularizer = l2(0.00025)} |
           BatchNorm{.momentum = 0.9} | ReLU{};
}

/// Two blocks, around which their input goes straight on.
Value<> residual(const Value<>& x, Index filters) {
    return add(block(block(x, filters), filters), x);
}

/// The first `count` pictures.   (count, 28, 28, 1), in [0, 1]
Tensor<float> pictures(TensorView<const std::uint8_t> images, Index count) {
    return scaled<float>(images.slice(0, count).reshape({count, 28, 28, 1}), 255);
}

/// Mirrored from left to right.
Tensor<float> mirrored(const Tensor<float>& images) {
    Tensor<float> result = images;
    for (auto row = result.begin(); row != result.end(); row += 28) std::reverse(row, row + 28);
    return result;
}

/// The share of predictions whose largest is the label's.   (N, 10), (N or more)
double accuracy(const Tensor<float>& predictions, const Tensor<std::uint8_t>& labels) {
    const Index count = predictions.shape()[0];
    Index right = 0;
    for (Index n = 0; n < count; ++n) {
        const float* const row = predictions.data() + 10 * n;
        right += std::max_element(row, row + 10) - row == labels[n];
    }
    return static_cast<double>(right) / static_cast<double>(count);
}

int main(int argc, char** argv) {
    const int epochs = argc > 1 ? std::stoi(argv[1]) : 6;
    const Index count = argc > 2 ? std::stoi(argv[2]) : 60'000, batch = 128;

    const Value x = input({28, 28, 1});
    Value y = block(block(x, 32), 64) | MaxPool2D{};
    y = residual(block(y, 128), 128) | MaxPool2D{};
    y = residual(block(y, 256), 256);
    Model model(x, y | GlobalAveragePool2D{} | Dense{10, softmax});
    std::cout << model.parameter_count() << " parameters\n";

    const FashionMnist data = load_fashion_mnist();
    Tensor<float> targets({count, 10});  // 1 at the label
    for (Index n = 0; n < count; ++n) targets[10 * n + data.train_labels[n]] = 1;
    // Mirrored, shifted by up to two pixels, and of some a part is hidden.
    const Examples<float> train =
        prefetched(augmented(Examples<float>(pictures(data.train_images, count), targets),
                             {RandomFlip{FlipMode::horizontal},
                              RandomTranslation{.height_factor = 0.07,
                                                .width_factor = 0.07,
                                                .fill_mode = FillMode::constant,
                                                .interpolation = Interpolation::nearest},
                              RandomErasing{.factor = 0.3, .scale = {0.02, 0.2}}}));

    const Index steps = (count + batch - 1) / batch * epochs, warmup = steps / 8;
    Trainer trainer(model,
                    {.optimizer = SGD{.learning_rate = 0.1, .momentum = 0.9, .nesterov = true},
                     .loss = CategoricalCrossentropy{.label_smoothing = 0.1},
                     .metrics = {Accuracy{}},
                     .learning_rate_schedule = CosineDecay{.initial_learning_rate = 0.01,
                                                           .decay_steps = steps - warmup,
                                                           .alpha = 0.001,
                                                           .warmup_target = 0.1,
                                                           .warmup_steps = warmup}});
    trainer.fit(train, {.epochs = epochs, .batch_size = batch, .seed = 1});

    const Tensor<float> test = pictures(data.test_images, std::min<Index>(count, 10'000));
    Tensor<float> predictions = model.predict(test);
    std::cout << "test accuracy " << accuracy(predictions, data.test_labels);
    const Tensor<float> others = model.predict(mirrored(test));
    for (Index i = 0; i < predictions.size(); ++i) predictions[i] += others[i];
    std::cout << ", with the mirrored picture's prediction added "
              << accuracy(predictions, data.test_labels) << "\n";
}
