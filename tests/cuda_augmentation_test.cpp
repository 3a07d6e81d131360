/// \file
/// Training on augmented images on a GPU, or on the simulated one.
#include "tests/support/compare.hpp"
#include "tests/support/random_tensor.hpp"
#include "weft/cuda.hpp"
#include "weft/data/augmentation.hpp"
#include "weft/data/prefetched.hpp"
#include "weft/data/random_brightness.hpp"
#include "weft/data/random_erasing.hpp"
#include "weft/data/random_flip.hpp"
#include "weft/data/random_rotation.hpp"
#include "weft/data/random_translation.hpp"
#include "weft/data/random_zoom.hpp"
#include "weft/training/run_state.hpp"
#include "weft/weft.hpp"

#include <doctest/doctest.h>

using namespace weft;

namespace {

const Tensor<float> images = random_uniform<float>({14, 9, 8}, 3, 0, 1);
const Tensor<float> labels({14}, {0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1});

Examples<float> all_augmentations() {
    return prefetched(
        augmented(Examples<float>(images, labels),
                  {RandomFlip{}, RandomTranslation{.height_factor = 0.2, .width_factor = 0.2},
                   RandomRotation{0.1}, RandomZoom{0.2}, RandomErasing{},
                   RandomBrightness{.factor = 0.1, .value_range = {0, 1}}}));
}

/// What training leaves: the losses of the epochs and the parameters behind them.
struct Left {
    std::vector<double> losses;
    Tensor<float> parameters;
};

template <class Device>
Left train(const Device& device, Index resident_bytes, const RunStore& store = {}) {
    Sequential<float> declared{Flatten{}, Dense{6, relu}, Dense{3, softmax}};
    declared.build({9, 8}, 3);
    Model<float, Device> model = to<Device>(declared, device);
    Trainer<float, Device> trainer(model, {.loss = SparseCategoricalCrossentropy{}});
    FitOptions<float> fit{.epochs = 3,
                          .batch_size = 4,
                          .seed = 2,
                          .verbosity = Verbosity::silent,
                          .resident_bytes = resident_bytes};
    fit.checkpoint = store;
    const History history = trainer.fit(all_augmentations(), fit);
    return {history["loss"], Tensor<float>(to<Cpu>(model).arena())};
}

constexpr Index enough = Index{1} << 30;

}  // namespace

TEST_CASE("images are augmented on a GPU with the random numbers of the CPU") {
    const Left expected = train(Cpu(1), 0), resident = train(Cuda(), enough);
    const Left by_batch = train(Cuda(), 0);
    for (std::size_t epoch = 0; epoch < 3; ++epoch) {
        CHECK(resident.losses[epoch] == doctest::Approx(expected.losses[epoch]).epsilon(1e-5));
        CHECK(by_batch.losses[epoch] == doctest::Approx(expected.losses[epoch]).epsilon(1e-5));
    }
    CHECK(largest_gap(resident.parameters, expected.parameters, 0.1) < 1e-4);
    CHECK(identical(train(Cuda({.graphs = false}), enough).parameters, resident.parameters));
}

TEST_CASE("a run on images that a GPU augments goes on after any step to the same bits") {
    const Tensor<float> expected = train(Cuda(), enough).parameters;
    std::vector<RunState> states;
    const auto save = [&](const RunState& state) { states.push_back(state); };
    CHECK(
        identical(train(Cuda(), enough, run_store([] { return std::nullopt; }, save, 1)).parameters,
                  expected));
    CHECK(states.size() == 13);
    for (const RunState& state : states) {
        const auto from_there = run_store([&] { return std::optional(state); }, [](const auto&) {});
        CHECK(identical(train(Cuda(), enough, from_there).parameters, expected));
    }
}
