// Prints the least processor time, in microseconds an image, that a network of the example takes to train
// with one thread, of so many epochs of 2000 random images:
//   main <network> <epochs>
#include "bench/support/random_tensor.hpp"
#include "examples/fashion_mnist/models.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

int main(int count, char** arguments) {
    if (count != 3) return 1;
    const Tutorial network = tutorial(arguments[1]);
    const int epochs = std::atoi(arguments[2]);

    constexpr weft::Index images = 2000;
    const weft::Shape sample =
        network.is_convolutional ? weft::Shape{28, 28, 1} : weft::Shape{28, 28};
    const weft::Tensor<float> x = weft::bench::random_tensor(sample.batch(images));
    std::vector<std::uint8_t> labels(images);
    for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<std::uint8_t>(i % 10);

    weft::Model<float> model = network.build(sample);
    model.set_device(weft::Cpu(1));
    weft::Trainer trainer(model, {.loss = weft::SparseCategoricalCrossentropy{}});
    double least = 0;  // in seconds
    for (int epoch = 0; epoch <= epochs; ++epoch) {
        const std::clock_t start = std::clock();
        trainer.fit(
            x, labels,
            {.epochs = 1, .batch_size = network.batch_size, .verbosity = weft::Verbosity::silent});
        const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
        if (epoch == 1 || (epoch > 1 && seconds < least)) least = seconds;
    }
    std::printf("%.2f\n", 1e6 * least / static_cast<double>(images));
}
