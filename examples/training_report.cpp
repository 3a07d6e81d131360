// Shows: a training run as a page to look at, and as a log for TensorBoard.
// Run:   bash tests/run.sh builds it; then build/tests/examples/training_report
// Its last line: "Open report/index.html".
#include <weft/data/fashion_mnist.hpp>
#include <weft/report/report.hpp>
#include <weft/report/tensorboard_logger.hpp>
#include <weft/weft.hpp>

#include <iostream>

int main() {
    using namespace weft;

    const FashionMnist data = load_fashion_mnist();
    const Tensor<float> train_images = scaled<float>(data.train_images, 255);
    const Tensor<float> test_images = scaled<float>(data.test_images, 255);

    Sequential model{
        Flatten{},
        Dense{.units = 128, .activation = relu},
        Dense{.units = 10, .activation = softmax},
    };
    Trainer trainer(
        model,
        {.optimizer = Adam{}, .loss = SparseCategoricalCrossentropy{}, .metrics = {Accuracy{}}});
    const History history =
        trainer.fit(train_images, data.train_labels,
                    {.epochs = 2,
                     .validation_split = 0.2,
                     .callbacks = {TensorBoardLogger{.directory = "report/logs"}}});

    const auto& names = fashion_mnist_classes;
    write_report("report", {.title = "A first network",
                            .options = {{"optimizer", "Adam"}, {"epochs", "2"}},
                            .summary = model.summary(),
                            .history = history,
                            .class_names = {names.begin(), names.end()},
                            .train = {data.train_images, data.train_labels},
                            .test = {data.test_images, data.test_labels},
                            .predictions = model.predict(test_images)});
    std::cout << "Open report/index.html\n";
}
