/// \file
/// The whole of Fashion-MNIST as 70,000 PNG files trains as it does from memory.
#include "weft/data/image_dataset.hpp"

#include "tests/support/compare.hpp"
#include "tests/support/temporary_folder.hpp"
#include "weft/cpu.hpp"
#include "weft/data/fashion_mnist.hpp"
#include "weft/data/prefetched.hpp"
#include "weft/data/scale.hpp"
#include "weft/layers/dense.hpp"
#include "weft/layers/flatten.hpp"
#include "weft/losses/sparse_categorical_crossentropy.hpp"
#include "weft/training/trainer.hpp"

#include <doctest/doctest.h>

#include <optional>

using namespace weft;

namespace {

/// Writes the images as 0.png, 1.png, ... with a list of their labels.
ImageFiles write_files(const std::filesystem::path& folder, const Tensor<std::uint8_t>& images,
                       const Tensor<std::uint8_t>& labels) {
    std::filesystem::create_directory(folder);
    std::ofstream list(folder / "labels.csv");
    list << "id,label\n";
    for (Index i = 0; i < labels.size(); ++i) {
        write_png(folder / concat(i, ".png"), images.sample(i));
        list << i << "," << int{labels[i]} << "\n";
    }
    list.close();
    return list_images(folder, folder / "labels.csv");
}

/// The weights after an epoch, and the loss on the test set.
std::pair<Tensor<float>, double> train(const Examples<float>& training,
                                       const Examples<float>& test) {
    Sequential<float> model{Flatten{}, Dense{10, softmax}};
    Trainer<float, Cpu> trainer(model, {.loss = SparseCategoricalCrossentropy{}});
    trainer.fit(training, {.batch_size = 100, .verbosity = Verbosity::silent});
    return {Tensor<float>(model.arena()), trainer.evaluate(test)["loss"]};
}

}  // namespace

TEST_CASE("70,000 PNG files and arrays in memory leave the same bits") {
    std::optional<FashionMnist> data;
    try {
        data = load_fashion_mnist();
    } catch (const IoError& error) {
        MESSAGE("left out: ", error.what());
        return;
    }
    const TemporaryFolder folder;
    const auto training = write_files(folder / "train", data->train_images, data->train_labels);
    const auto test = write_files(folder / "test", data->test_images, data->test_labels);
    const auto in_memory = [](const auto& images, const auto& labels) {
        return scaled(Examples<float>(images, labels), 255);
    };
    const auto streamed = [](const ImageFiles& files) {
        return prefetched(scaled(stream_images<float>(files), 255));
    };
    const auto [expected, expected_loss] = train(in_memory(data->train_images, data->train_labels),
                                                 in_memory(data->test_images, data->test_labels));
    const auto [weights, loss] = train(streamed(training), streamed(test));
    CHECK(identical(weights, expected));
    CHECK(loss == expected_loss);
    CHECK(loss < 0.7);
}
