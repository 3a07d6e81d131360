#include "weft/data/augmentation.hpp"

#include "tests/support/random_tensor.hpp"
#include "weft/cpu.hpp"
#include "weft/data/prefetched.hpp"
#include "weft/data/random_brightness.hpp"
#include "weft/data/random_erasing.hpp"
#include "weft/data/random_flip.hpp"
#include "weft/data/random_rotation.hpp"
#include "weft/data/random_translation.hpp"
#include "weft/data/random_zoom.hpp"
#include "weft/data/scale.hpp"
#include "weft/layers/dense.hpp"
#include "weft/layers/flatten.hpp"
#include "weft/losses/sparse_categorical_crossentropy.hpp"
#include "weft/training/trainer.hpp"

#include <doctest/doctest.h>

#include <map>
#include <numeric>
#include <set>
#include <thread>

using namespace weft;

namespace {

using Values = std::vector<float>;

Values iota(Index size) {
    Values values(static_cast<std::size_t>(size));
    std::iota(values.begin(), values.end(), 1.0f);
    return values;
}

/// What the augmentation makes of an image 1, 2, 3, ... as sample number `sample`.
template <class Step>
Values apply(const Step& step, const Shape& image, Index sample = 0) {
    Values x = iota(image.size());
    Augmentation<float>(step).apply(TensorView<float>(x, image), AugmentationRandom({}, 0, sample));
    return x;
}

/// The samples, six rows of seven pixels of two channels, through everything at once.
const Tensor<float> noise = random_uniform<float>({50, 6, 7, 2}, 3, 0, 1);
const std::vector<int> same_class(50, 1);

Examples<float> everything() {
    return augmented(Examples<float>(noise, same_class),
                     {RandomFlip{}, RandomTranslation{.height_factor = 0.2, .width_factor = 0.2},
                      RandomRotation{0.1}, RandomZoom{0.2}, RandomErasing{},
                      RandomBrightness{.factor = 0.1, .value_range = {0, 1}}});
}

Values training_batch(const Examples<float>& examples, const std::vector<Index>& samples,
                      TrainingEpoch epoch) {
    Values x(samples.size() * static_cast<std::size_t>(examples->input_shape().size()));
    examples->gather_for_training(samples, epoch, x.data(), nullptr);
    return x;
}

}  // namespace

TEST_CASE("flips mirror rows and columns, each way as often as not, and independently") {
    const Shape image{2, 3, 2};
    const Values horizontal{5, 6, 3, 4, 1, 2, 11, 12, 9, 10, 7, 8};
    const Values vertical{7, 8, 9, 10, 11, 12, 1, 2, 3, 4, 5, 6};
    const Values both{11, 12, 9, 10, 7, 8, 5, 6, 3, 4, 1, 2};
    const auto counts = [&](FlipMode mode) {
        std::map<Values, int> seen;
        for (Index sample = 0; sample < 4000; ++sample) {
            ++seen[apply(RandomFlip{mode}, image, sample)];
        }
        return seen;
    };
    // Within six deviations of a binomial distribution.
    std::map<Values, int> seen = counts(FlipMode::horizontal_and_vertical);
    CHECK(seen.size() == 4);
    for (const Values& way : {iota(12), horizontal, vertical, both}) {
        CHECK(std::abs(seen[way] - 1000) < 6 * 28);
    }
    for (const auto& [mode, mirrored] :
         {std::pair(FlipMode::horizontal, horizontal), std::pair(FlipMode::vertical, vertical)}) {
        seen = counts(mode);
        CHECK(seen.size() == 2);
        CHECK(std::abs(seen[mirrored] - 2000) < 6 * 32);
    }
}

TEST_CASE("a shift moves the image and fills what it left") {
    const auto shifted = [](FactorRange height, FactorRange width, FillMode mode,
                            const Shape& image,
                            Interpolation interpolation = Interpolation::bilinear) {
        return apply(RandomTranslation{height, width, mode, interpolation, 9}, image);
    };
    using enum FillMode;
    const Shape row{1, 4, 1};  // 1 2 3 4
    CHECK(shifted(0, {0.25, 0.25}, constant, row) == Values{9, 1, 2, 3});
    CHECK(shifted(0, {0.25, 0.25}, nearest, row) == Values{1, 1, 2, 3});
    CHECK(shifted(0, {0.5, 0.5}, nearest, row) == Values{1, 1, 1, 2});
    CHECK(shifted(0, {0.5, 0.5}, reflect, row) == Values{2, 1, 1, 2});
    CHECK(shifted(0, {-0.5, -0.5}, reflect, row) == Values{3, 4, 4, 3});
    CHECK(shifted(0, {0.5, 0.5}, wrap, row) == Values{3, 4, 1, 2});
    CHECK(shifted(0, {1, 1}, reflect, row) == Values{4, 3, 2, 1});
    CHECK(shifted(0, {-1, -1}, constant, row) == Values{9, 9, 9, 9});
    // Half a pixel.
    CHECK(shifted(0, {0.125, 0.125}, constant, row) == Values{5, 1.5, 2.5, 3.5});
    CHECK(shifted(0, {0.125, 0.125}, nearest, row, Interpolation::nearest) == Values{1, 2, 3, 4});
    CHECK(shifted(0, {0.15, 0.15}, nearest, row, Interpolation::nearest) == Values{1, 1, 2, 3});
    // Down by one of two rows, and right by one of three columns; channels stay together.
    CHECK(shifted({0.5, 0.5}, {1 / 3.0, 1 / 3.0}, constant, {2, 3, 1}, Interpolation::nearest) ==
          Values{9, 9, 9, 9, 1, 2});
    CHECK(shifted({0.5, 0.5}, 0, constant, {2, 2, 2}) == Values{9, 9, 9, 9, 1, 2, 3, 4});
}

TEST_CASE("shifts are drawn for both axes from their ranges") {
    std::set<float> rows, columns;
    for (Index sample = 0; sample < 400; ++sample) {
        // Pixel (h, w) is 10 h + w + 1, so the middle tells the shift.
        Values x(100);
        std::iota(x.begin(), x.end(), 1.0f);
        const Augmentation<float> step(
            RandomTranslation{{-0.2, 0.1}, 0.3, FillMode::constant, Interpolation::nearest});
        step.apply(TensorView<float>(x, {10, 10, 1}), AugmentationRandom({}, 0, sample));
        const int middle = static_cast<int>(x[55]) - 1;
        rows.insert(static_cast<float>(5 - middle / 10));
        columns.insert(static_cast<float>(5 - middle % 10));
    }
    CHECK(rows == std::set<float>{-2, -1, 0, 1});
    CHECK(columns == std::set<float>{-3, -2, -1, 0, 1, 2, 3});
}

TEST_CASE("positive rotations turn counterclockwise around the centre") {
    const auto turned = [](double factor, const Shape& image) {
        return apply(
            RandomRotation{{factor, factor}, FillMode::constant, Interpolation::nearest, 0}, image);
    };
    const Shape image{3, 3, 1};  // 1 2 3 / 4 5 6 / 7 8 9
    CHECK(turned(0.25, image) == Values{3, 6, 9, 2, 5, 8, 1, 4, 7});
    CHECK(turned(-0.25, image) == Values{7, 4, 1, 8, 5, 2, 9, 6, 3});
    CHECK(turned(0.5, image) == Values{9, 8, 7, 6, 5, 4, 3, 2, 1});
    // A wide image: what was beside the centre is above and below it, the rest is gone.
    CHECK(turned(0.25, {3, 5, 1}) == Values{0, 4, 9, 14, 0, 0, 3, 8, 13, 0, 0, 2, 7, 12, 0});
    // An eighth of a turn: the right neighbour of the centre comes from between it and the corner.
    const Values bilinear = apply(RandomRotation{{0.125, 0.125}, FillMode::constant}, image);
    const double s = std::sqrt(0.5);
    CHECK(bilinear[4] == doctest::Approx(5));
    CHECK(bilinear[5] == doctest::Approx(5 + 3 * s + s));
}

TEST_CASE("zoom sees more of the image, or less") {
    const auto zoomed = [](FactorRange height, std::optional<FactorRange> width,
                           const Shape& image) {
        return apply(RandomZoom{height, width, FillMode::constant, Interpolation::bilinear, 0},
                     image);
    };
    // In by half: w is 0.5 (w - 1.5) + 1.5 = 0.75, 1.25, ...
    CHECK(zoomed({0, 0}, FactorRange{-0.5, -0.5}, {1, 4, 1}) == Values{1.75, 2.25, 2.75, 3.25});
    // Out by two: -1.5, 0.5, 2.5, 4.5.
    CHECK(zoomed({0, 0}, FactorRange{1, 1}, {1, 4, 1}) == Values{0, 1.5, 3.5, 0});
    // Without a factor of its own the width follows the height.
    CHECK(zoomed({1, 1}, std::nullopt, {4, 4, 1}) ==
          Values{0, 0, 0, 0, 0, 3.5, 5.5, 0, 0, 11.5, 13.5, 0, 0, 0, 0, 0});
}

TEST_CASE("erasing fills one rectangle of an area and ratio in range") {
    const Shape image{20, 30, 2};
    int erased = 0;
    double area_sum = 0;
    std::set<Index> tops, lefts;
    for (Index sample = 0; sample < 1000; ++sample) {
        const Values x = apply(RandomErasing{.factor = 0.3, .scale = {0.1, 0.3}, .fill_value = -7},
                               image, sample);
        Index top = 20, bottom = -1, left = 30, right = -1, count = 0;
        for (Index h = 0; h < 20; ++h) {
            for (Index w = 0; w < 30; ++w) {
                const auto pixel = static_cast<std::size_t>((h * 30 + w) * 2);
                CHECK_EQ(x[pixel] == -7, x[pixel + 1] == -7);
                if (x[pixel] != -7) {
                    CHECK(x[pixel] == static_cast<float>(pixel + 1));
                    continue;
                }
                top = std::min(top, h), bottom = std::max(bottom, h), ++count;
                left = std::min(left, w), right = std::max(right, w);
            }
        }
        if (count == 0) continue;
        ++erased;
        const Index rows = bottom - top + 1, columns = right - left + 1;
        CHECK(count == rows * columns);
        const double area = static_cast<double>(count) / 600;
        area_sum += area;
        tops.insert(top), lefts.insert(left);
        CHECK(area > 0.08);
        CHECK(area < 0.33);
        const double ratio = static_cast<double>(rows) / static_cast<double>(columns);
        CHECK(ratio > 0.28);
        CHECK(ratio < 3.5);
    }
    CHECK(std::abs(erased - 300) < 6 * 15);
    CHECK(area_sum / erased == doctest::Approx(0.2).epsilon(0.05));
    CHECK(tops.size() > 12);
    CHECK(lefts.size() > 20);
}

TEST_CASE("brightness adds the same to all pixels, within their range") {
    const RandomBrightness step{.factor = {0.25, 0.25}, .value_range = {0, 8}};
    CHECK(apply(step, {1, 8, 1}) == Values{3, 4, 5, 6, 7, 8, 8, 8});
    const RandomBrightness darker{.factor = {-0.25, -0.25}, .value_range = {0, 8}};
    CHECK(apply(darker, {1, 4, 1}) == Values{0, 0, 1, 2});
    std::set<float> drawn;
    for (Index sample = 0; sample < 100; ++sample) {
        drawn.insert(apply(RandomBrightness{0.1}, {1, 1, 1}, sample)[0]);
    }
    CHECK(drawn.size() > 40);  // those that darken all end at 0
    CHECK(*drawn.rbegin() <= 1 + 25.5f);
    CHECK(*drawn.rbegin() > 1 + 20);
}

TEST_CASE("a sample becomes the same whatever its batch, its place and the thread") {
    const Examples<float> examples = everything();
    const TrainingEpoch epoch{.seed = 5, .number = 2};
    std::vector<Index> order(50);
    std::iota(order.begin(), order.end(), 0);
    const Values whole = training_batch(examples, order, epoch);
    std::vector<Values> alone(50);
    std::vector<std::thread> threads;
    for (int t = 0; t < 5; ++t) {
        threads.emplace_back([&, t] {
            for (Index i = t; i < 50; i += 5) {
                alone[static_cast<std::size_t>(i)] = training_batch(examples, {i}, epoch);
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    for (std::size_t i = 0; i < 50; ++i) {
        CHECK(
            std::equal(alone[i].begin(), alone[i].end(), whole.begin() + static_cast<int>(i) * 84));
    }
}

TEST_CASE("seed, epoch, sample and place in the list each change what is drawn") {
    const Examples<float> examples = everything();
    const Values x = training_batch(examples, {1, 2}, {.seed = 5, .number = 2});
    CHECK(x == training_batch(examples, {1, 2}, {.seed = 5, .number = 2}));
    CHECK(x != training_batch(examples, {1, 2}, {.seed = 6, .number = 2}));
    CHECK(x != training_batch(examples, {1, 2}, {.seed = 5, .number = 3}));
    const TrainingEpoch epoch{};
    CHECK(AugmentationRandom(epoch, 0, 1).uniform(0, 1) !=
          AugmentationRandom(epoch, 0, 2).uniform(0, 1));
    CHECK(AugmentationRandom(epoch, 0, 1).uniform(0, 1) !=
          AugmentationRandom(epoch, 1, 1).uniform(0, 1));
    CHECK(AugmentationRandom(epoch, 0, 1).uniform(0, 1) !=
          AugmentationRandom(epoch, 0, 1).uniform(1, 1));
}

TEST_CASE("what is evaluated is not augmented, validation_split included") {
    const auto run = [](const Examples<float>& examples, const Examples<float>& validation) {
        Sequential<float> model{Flatten{}, Dense{2, softmax}};
        Trainer<float, Cpu> trainer(model, {.loss = SparseCategoricalCrossentropy{}});
        FitOptions<float> options{
            .epochs = 2, .validation_split = 0.4, .verbosity = Verbosity::silent};
        const History history = trainer.fit(examples, options);
        return std::pair(history["val_loss"].back(), trainer.evaluate(validation)["loss"]);
    };
    std::vector<Index> last(20);
    std::iota(last.begin(), last.end(), 30);
    const Examples<float> plain(noise, same_class);
    const auto [during, after] = run(everything(), subset(plain, last));
    CHECK(during == after);
    CHECK(run(plain, plain).first != during);  // so training did see something else
}

TEST_CASE("the user's own augmentation has all of an image") {
    struct Invert {
        void apply(TensorView<float> image, const AugmentationRandom& random) const {
            CHECK(image.shape() == Shape{2, 2, 1});
            if (random.bernoulli(0, 1)) {
                for (float& x : image) x = 5 - x;
            }
        }
    };
    const std::vector<float> x = iota(4);
    const std::vector<int> y{0};
    const Examples<float> examples = augmented(
        Examples<float>(TensorView<const float>(x, {1, 2, 2}), y), {Invert{}, Invert{}, Invert{}});
    CHECK(examples->input_shape() == Shape{2, 2});
    CHECK(training_batch(examples, {0}, {}) == Values{4, 3, 2, 1});
}

TEST_CASE("augmentations of weft say in numbers what they do, and those of other kinds do not") {
    const Examples<float> examples = everything();
    const ChangedImages<float>* changed = prefetched(examples)->changed_images();
    REQUIRE(changed != nullptr);
    CHECK(changed->image_shape() == Shape{6, 7, 2});
    const Index each = changed->changes_per_image();
    CHECK(each == 6);
    const TrainingEpoch epoch{.seed = 5, .number = 2};
    const std::vector<Index> samples{7, 0, 49};
    std::vector<ImageChange> changes(samples.size() * 6);
    changed->write_changes(samples, epoch, changes.data());
    Tensor<float> x({3, 6, 7, 2});
    examples->gather(samples, x.data(), nullptr);
    for (Index i = 0; i < 3; ++i) {
        for (Index k = 0; k < each; ++k) {
            detail::change_image(TensorView<float>(x.slice(i, 1).data(), {6, 7, 2}),
                                 changes[static_cast<std::size_t>(i * each + k)]);
        }
    }
    const Values expected = training_batch(examples, samples, epoch);
    CHECK(std::equal(x.begin(), x.end(), expected.begin(), expected.end()));

    struct Own {
        void apply(TensorView<float>, const AugmentationRandom&) const {}
    };
    const Examples<float> plain(noise, same_class);
    CHECK(augmented(plain, {RandomFlip{}, Own{}})->changed_images() == nullptr);
    CHECK(augmented(examples, {RandomFlip{}})->changed_images() == nullptr);
    CHECK(plain->changed_images() == nullptr);
    CHECK(prefetched(scaled(plain, 2))->is_constant());
    CHECK_FALSE(prefetched(examples)->is_constant());
}

TEST_CASE("a rectangle that hangs over the image's edges is filled inside") {
    for (const std::int32_t top : {-3, -2, 1, 3, 5}) {
        for (const std::int32_t left : {-4, 0, 2, 6}) {
            const ImageChange change{.kind = ImageChange::Kind::fill,
                                     .top = top,
                                     .left = left,
                                     .rows = 3,
                                     .columns = 4,
                                     .value = -1};
            Values x = iota(4 * 5 * 2);
            detail::change_image(TensorView<float>(x, {4, 5, 2}), change);
            for (Index i = 0; i < 40; ++i) {
                const Index h = i / 10, w = i / 2 % 5;
                const bool is_inside = h >= top && h < top + 3 && w >= left && w < left + 4;
                CHECK(x[static_cast<std::size_t>(i)] ==
                      (is_inside ? -1 : static_cast<float>(i + 1)));
            }
        }
    }
}

TEST_CASE("an augmentation that both says and does what it does, says it") {
    struct Both {
        void apply(TensorView<float>, const AugmentationRandom&) const {}
        ImageChange change(const Shape&, const AugmentationRandom&) const { return {}; }
    };
    CHECK(Augmentation<float>(Both{}).is_change());
}

TEST_CASE("options that make no sense are refused by name") {
    const Examples<float> examples(noise, same_class);
    const auto refuse = [&](const Augmentation<float>& step) { augmented(examples, {step}); };
    CHECK_THROWS_WITH_AS(refuse(RandomTranslation{.height_factor = 1.5}),
                         "RandomTranslation: height_factor is from -1.5 to 1.5, expected a range "
                         "within -1 and 1",
                         ArgumentError);
    CHECK_THROWS_AS(refuse(RandomTranslation{.width_factor = {0.2, 0.1}}), ArgumentError);
    CHECK_THROWS_AS(refuse(RandomRotation{2}), ArgumentError);
    CHECK_THROWS_AS(refuse(RandomRotation{std::nan("")}), ArgumentError);
    CHECK_THROWS_AS(refuse(RandomZoom{1.0}), ArgumentError);  // from -1
    CHECK_THROWS_AS(refuse((RandomZoom{0.5, FactorRange{-1, 0}})), ArgumentError);
    CHECK_THROWS_AS(refuse(RandomErasing{.factor = -0.1}), ArgumentError);
    CHECK_THROWS_AS(refuse(RandomErasing{.scale = {0.5, 1.5}}), ArgumentError);
    CHECK_THROWS_AS(refuse(RandomErasing{.fill_value = std::nan("")}), ArgumentError);
    CHECK_THROWS_AS(refuse(RandomTranslation{.fill_value = std::nan("")}), ArgumentError);
    CHECK_THROWS_AS(refuse(RandomRotation{.factor = 0.1, .fill_value = std::nan("")}),
                    ArgumentError);
    CHECK_THROWS_AS(refuse(RandomZoom{.height_factor = 0.1, .fill_value = std::nan("")}),
                    ArgumentError);
    CHECK_THROWS_AS(refuse(RandomBrightness{.factor = 1.1}), ArgumentError);
    CHECK_THROWS_AS((refuse(RandomBrightness{.factor = 0.5, .value_range = {1, 0}})),
                    ArgumentError);
    const Tensor<float> rows({50, 3});
    CHECK_THROWS_WITH_AS(augmented(Examples<float>(rows, same_class), {RandomFlip{}}),
                         "augmented: samples have shape (3,), expected pictures (H, W) or "
                         "(H, W, C)",
                         ShapeError);
}
