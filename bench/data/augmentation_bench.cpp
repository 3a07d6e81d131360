// Augmenting batches of 32 pictures of 28 x 28, and making them on a thread of their own.
#include "weft/data/augmentation.hpp"

#include "bench/support/measure.hpp"
#include "bench/support/random_tensor.hpp"
#include "weft/data/prefetched.hpp"
#include "weft/data/random_brightness.hpp"
#include "weft/data/random_erasing.hpp"
#include "weft/data/random_flip.hpp"
#include "weft/data/random_rotation.hpp"
#include "weft/data/random_translation.hpp"
#include "weft/data/random_zoom.hpp"

#include <numeric>

namespace {

using namespace weft;
using namespace weft::bench;

constexpr Index count = 8'000, size = 28 * 28, batch = 32;

void add_augmentation(const std::string& name, std::vector<Augmentation<float>> steps,
                      bool ahead = false) {
    add(concat("augmentation/", name, "-batch-", batch, "/weft"), [=](benchmark::State& state) {
        const Examples<float> plain(random_tensor({count, 28, 28}), std::vector<int>(count, 3));
        const Examples<float> made = augmented(plain, steps);
        const Examples<float> examples = ahead ? prefetched(made) : made;
        std::vector<Index> order(count);
        std::iota(order.begin(), order.end(), Index{0});
        RandomStream(1, RandomPurpose::shuffle).shuffle(std::span<Index>(order));
        Tensor<float> x({batch, size}), y({batch});
        std::unique_ptr<BatchReader<float>> batches;
        Index left = 0;
        measure(state,
                {.bytes = 2 * sizeof(float) * static_cast<double>(batch * size),
                 .images = static_cast<double>(batch)},
                [&] {
                    if (left == 0) {
                        batches = examples->read_batches({order, batch, TrainingEpoch{}});
                        left = count / batch;
                    }
                    batches->next(x.data(), y.data());
                    --left;
                });
    });
}

[[maybe_unused]] const bool registered = [] {
    const RandomTranslation shift{.height_factor = 0.1, .width_factor = 0.1};
    add_augmentation("none", {});
    add_augmentation("flip", {RandomFlip{}});
    add_augmentation("translation", {shift});
    add_augmentation("rotation", {RandomRotation{0.1}});
    add_augmentation("zoom", {RandomZoom{0.2}});
    add_augmentation("erasing", {RandomErasing{}});
    add_augmentation("brightness", {RandomBrightness{.factor = 0.1, .value_range = {0, 1}}});
    add_augmentation("flip-translation-erasing", {RandomFlip{}, shift, RandomErasing{}});
    add_augmentation("flip-translation-erasing-ahead", {RandomFlip{}, shift, RandomErasing{}},
                     true);
    return true;
}();

}  // namespace
