// Prints what the bits depend on beside the processor; then, for each network of the example, a checksum
// of its parameters, losses and predictions after two epochs of a few random samples.
//   main build                           prints the first alone
//   main <network> <epochs> <samples>    prints the checksum of one network
#include "bench/support/random_tensor.hpp"
#include "examples/fashion_mnist/models.hpp"
#include "weft/core/crc32.hpp"

#include <Eigen/Core>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>
#include <vector>

using namespace weft;

namespace {

template <class Numbers>
void add(std::uint32_t& check, const Numbers& numbers) {
    check = detail::crc32c({reinterpret_cast<const char*>(numbers.data()),
                            static_cast<std::size_t>(numbers.size()) * sizeof *numbers.data()},
                           check);
}

std::uint32_t checksum(const Tutorial& network, Index epochs = 2, Index samples = 70) {
    const Shape sample = network.is_convolutional ? Shape{28, 28, 1} : Shape{28, 28};
    const Tensor<float> x = bench::random_tensor(sample.batch(samples));
    std::vector<std::uint8_t> labels(static_cast<std::size_t>(samples));
    for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<std::uint8_t>(i % 10);

    Model<float> model = network.build(sample, 3);
    Trainer trainer(model, {.loss = SparseCategoricalCrossentropy{}, .metrics = {Accuracy{}}});
    const History history = trainer.fit(x, labels,
                                        {.epochs = epochs,
                                         .batch_size = 32,
                                         .validation_split = 0.2,
                                         .seed = 5,
                                         .verbosity = Verbosity::silent});
    std::uint32_t check = 0;
    add(check, std::as_const(model).arena());
    add(check, history["loss"]);
    add(check, history["val_loss"]);
    add(check, model.predict(x));
    return check;
}

}  // namespace

int main(int count, char** arguments) {
    if (count == 4) {
        const Tutorial network = tutorial(arguments[1]);
        std::printf("%08x\n", static_cast<unsigned>(checksum(network, std::atoi(arguments[2]),
                                                             std::atoi(arguments[3]))));
        return 0;
    }
    std::printf("g++%d_eigen%d.%d\n", __GNUC__, EIGEN_WORLD_VERSION, EIGEN_MAJOR_VERSION);
    if (count == 2) return 0;
    for (const Tutorial& network : tutorials()) {
        std::printf("%s %08x\n", network.id.c_str(), static_cast<unsigned>(checksum(network)));
    }
}
