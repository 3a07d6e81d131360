// Shows: stratified 5-fold cross-validation: five models, each tested on the fifth of the training
//        set that it has not seen, and the mean and deviation of their accuracies.
// Run:   bash tests/run.sh builds it; then build/tests/examples/cross_validation
// Its last line: "accuracy 0.87 +- 0.00 over 5 folds", rounded.
#include <weft/data/fashion_mnist.hpp>
#include <weft/weft.hpp>

#include <cmath>
#include <cstdio>
#include <iostream>

int main() {
    using namespace weft;

    const FashionMnist data = load_fashion_mnist();
    const Tensor<float> images = scaled<float>(data.train_images, 255);

    std::vector<double> accuracies;
    for (const SplitIndices& fold : stratified_k_fold(data.train_labels, 5, /*seed=*/42)) {
        const Tensor<float> train_images = take<float>(images, fold.train);
        const Tensor<float> test_images = take<float>(images, fold.test);
        const auto train_labels = take<std::uint8_t>(data.train_labels, fold.train);
        const auto test_labels = take<std::uint8_t>(data.train_labels, fold.test);

        Sequential model{
            Flatten{},
            Dense{.units = 128, .activation = relu},
            Dense{.units = 10, .activation = softmax},
        };
        Trainer trainer(model, {.loss = SparseCategoricalCrossentropy{}, .metrics = {Accuracy{}}});
        trainer.fit(train_images, train_labels, {.epochs = 3, .seed = accuracies.size()});
        accuracies.push_back(trainer.evaluate(test_images, test_labels)["accuracy"]);
        std::cout << "fold " << accuracies.size() << ": accuracy " << accuracies.back() << "\n";
    }

    const auto [mean, deviation] = mean_and_deviation(accuracies);
    std::printf("accuracy %.4f +- %.4f over %zu folds\n", mean, deviation, accuracies.size());
    return mean > 0.85 ? 0 : 1;
}
