// Shows: models that are not a chain: residual blocks, branches, a layer that is applied twice.
// Run:   bash tests/run.sh builds it; then build/tests/examples/functional_model
// Its last line: "accuracy on 2000 test pictures: ...", at least 0.6.
#include <weft/data/fashion_mnist.hpp>
#include <weft/weft.hpp>

#include <iostream>

using namespace weft;

Conv2D convolution(Index filters, Index size, Index strides) {
    return {.filters = filters, .kernel_size = size, .strides = strides, .padding = same};
}

/// Two convolutions, around which the input goes straight on. Where they halve the image it goes
/// through a convolution of 1 x 1, so that both are of one shape.
Value<> residual_block(const Value<>& x, Index filters, Index strides) {
    Value y = x | convolution(filters, 3, strides) | BatchNorm{} | ReLU{};
    y = y | convolution(filters, 3, 1) | BatchNorm{};
    return add(y, strides == 1 ? x : x | convolution(filters, 1, strides) | BatchNorm{}) | ReLU{};
}

/// The first of them, with pixels in [0, 1].   (count, 28, 28, 1)
Tensor<float> pictures(TensorView<const std::uint8_t> images, Index count) {
    return scaled<float>(images.slice(0, count).reshape({count, 28, 28, 1}), 255);
}

int main() {
    Value x = input({28, 28, 1});
    Value y = x | Conv2D{.filters = 8, .kernel_size = 3, .strides = 2, .activation = relu};
    y = residual_block(y, 8, 1);
    y = residual_block(y, 16, 2);
    y = concatenate(y | GlobalAveragePool2D{}, y | GlobalMaxPool2D{});  // (N, 32)
    Model model(x, y | Dense{10, softmax});
    std::cout << model.summary();

    // A layer that is applied twice has one set of parameters.
    Value point = input({4});
    const SharedLayer rotate(Dense{.units = 4, .activation = Activation::tanh});
    Model twice(point, multiply(point | rotate, point | rotate | rotate));
    std::cout << "two applications, " << twice.parameter_count() << " parameters\n";

    const FashionMnist data = load_fashion_mnist();
    Trainer trainer(model, {.optimizer = Adam{.learning_rate = 0.005},
                            .loss = SparseCategoricalCrossentropy{},
                            .metrics = {Accuracy{}}});
    trainer.fit(pictures(data.train_images, 4000), data.train_labels.view().slice(0, 4000),
                {.epochs = 3, .batch_size = 32});
    const double accuracy = trainer.evaluate(pictures(data.test_images, 2000),
                                             data.test_labels.view().slice(0, 2000))["accuracy"];
    std::cout << "accuracy on 2000 test pictures: " << accuracy << "\n";
    return accuracy >= 0.6 ? 0 : 1;
}
