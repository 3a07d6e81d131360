// Shows: a classifier for 28 x 28 pictures of clothes, defined, trained, tested and used.
// Run:   bash tests/run.sh builds it; then build/tests/examples/quickstart
// Its last line: "Ankle boot, 9x %", the first test picture and how sure the model is.
#include <weft/data/fashion_mnist.hpp>
#include <weft/weft.hpp>

#include <algorithm>
#include <iostream>

int main() {
    using namespace weft;

    const FashionMnist data = load_fashion_mnist();
    const Tensor<float> train_images = scaled<float>(data.train_images, 255);  // 0 ... 1
    const Tensor<float> test_images = scaled<float>(data.test_images, 255);

    Sequential model{
        Flatten{},
        Dense{.units = 128, .activation = relu},
        Dense{.units = 10, .activation = softmax},
    };
    Trainer trainer(
        model,
        {.optimizer = Adam{}, .loss = SparseCategoricalCrossentropy{}, .metrics = {Accuracy{}}});
    trainer.fit(train_images, data.train_labels, {.epochs = 5});

    const Scores scores = trainer.evaluate(test_images, data.test_labels);
    std::cout << model.summary() << "Test accuracy: " << scores["accuracy"] << "\n";

    const Tensor<float> probabilities = model.predict(test_images.sample(0));  // (10)
    const auto best = std::ranges::max_element(probabilities) - probabilities.begin();
    std::cout << fashion_mnist_classes[static_cast<std::size_t>(best)] << ", "
              << static_cast<int>(100 * probabilities[best]) << " %\n";
    return scores["accuracy"] > 0.85 ? 0 : 1;
}
