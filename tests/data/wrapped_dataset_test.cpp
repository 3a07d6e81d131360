#include "weft/data/wrapped_dataset.hpp"

#include "weft/data/scale.hpp"

#include <doctest/doctest.h>

#include <numeric>

using namespace weft;

namespace {

/// Samples and targets of those indices.
std::pair<std::vector<float>, std::vector<float>> gathered(const Examples<float>& examples,
                                                           const std::vector<Index>& samples) {
    const auto size = [&](const Shape& shape) {
        return samples.size() * static_cast<std::size_t>(shape.size());
    };
    std::vector<float> x(size(examples->input_shape())), y(size(examples->target_shape()));
    examples->gather(samples, x.data(), y.data());
    return {x, y};
}

/// Sample i is i, plus 1000 and the number of the epoch when it is trained on.
class Counting final : public Dataset<float> {
public:
    Index size() const override { return 100; }
    Shape input_shape() const override { return {}; }
    Shape target_shape() const override { return {2}; }
    void gather(std::span<const Index> samples, float* x, float* y) const override {
        for (const Index i : samples) {
            if (x != nullptr) *x++ = static_cast<float>(i);
            if (y != nullptr) *y++ = static_cast<float>(-i);
            if (y != nullptr) *y++ = 7;
        }
    }
    void gather_for_training(std::span<const Index> samples, TrainingEpoch epoch, float* x,
                             float* y) const override {
        gather(samples, x, y);
        if (x == nullptr) return;
        for (std::size_t k = 0; k < samples.size(); ++k) {
            x[k] += 1000 + static_cast<float>(epoch.number);
        }
    }
};

const Examples<float> counting(std::make_shared<Counting>());

}  // namespace

TEST_CASE("a subset has the samples asked for, in that order, more than fit on its stack too") {
    std::vector<Index> indices(90);
    for (std::size_t i = 0; i < indices.size(); ++i) indices[i] = static_cast<Index>(99 - i);
    const Examples<float> part = subset(counting, indices);
    CHECK(part->size() == 90);
    CHECK(part->target_shape() == Shape{2});
    const auto [x, y] = gathered(part, {0, 89, 5, 5});
    CHECK(x == std::vector<float>{99, 10, 94, 94});
    CHECK(y == std::vector<float>{-99, 7, -10, 7, -94, 7, -94, 7});

    std::vector<Index> all(90);
    std::iota(all.begin(), all.end(), 0);
    const auto [every_x, every_y] = gathered(part, all);
    for (std::size_t i = 0; i < all.size(); ++i) {
        CHECK(every_x[i] == static_cast<float>(indices[i]));
        CHECK(every_y[2 * i] == -static_cast<float>(indices[i]));
    }
    std::vector<float> targets(180);
    part->gather(all, nullptr, targets.data());
    CHECK(targets == every_y);
    CHECK_THROWS_WITH_AS(subset(counting, std::vector<Index>{5, 100}),
                         "subset: index 1 is 100, expected 0 ... 99", ArgumentError);
    CHECK_THROWS_AS(subset(counting, std::vector<Index>{-1}), ArgumentError);
}

TEST_CASE("subsets and other shapes of arrays are read within a pass, as the arrays are") {
    Tensor<float> x({500, 4, 6}), y(Shape{500});
    std::iota(x.begin(), x.end(), 0.f);
    std::iota(y.begin(), y.end(), 0.f);
    std::vector<Index> indices(400), order{0, 399, 7};
    for (std::size_t i = 0; i < indices.size(); ++i) indices[i] = static_cast<Index>(499 - i);
    for (Index i = 0; i < 400; i += 2) order.push_back(i);
    const Examples<float> part = subset(reshaped(Examples<float>(x, y), {24}), indices);
    const auto [expected_x, expected_y] = gathered(part, order);
    for (const int threads : {1, 2, 7}) {
        const Cpu cpu = Cpu::exactly(threads);
        const auto reader = part->read_batches({order, 203});
        REQUIRE(reader->reads_within_pass());
        std::vector<float> batch_x(expected_x.size()), batch_y(expected_y.size());
        reader->next_within_pass(cpu, batch_x.data(), batch_y.data());
        CHECK(batch_x == expected_x);
        CHECK(batch_y == expected_y);
    }
    CHECK_FALSE(subset(counting, indices = {1})->read_batches({indices, 1})->reads_within_pass());
}

TEST_CASE("what is trained on passes through every wrapper") {
    const std::vector<Index> indices{50, 60};
    const Examples<float> wrapped = scaled(reshaped(subset(counting, indices), {1}), 10);
    CHECK(wrapped->input_shape() == Shape{1});
    const std::vector<Index> second{1};
    float x = 0, y[2] = {};
    wrapped->gather_for_training(second, {.seed = 1, .number = 3}, &x, y);
    CHECK(x == 1063.0f / 10);
    CHECK(y[0] == -60);
    wrapped->gather(second, &x, nullptr);
    CHECK(x == 6);
}

TEST_CASE("a reshaped set has as many numbers a sample") {
    CHECK_THROWS_WITH_AS(reshaped(counting, {2}),
                         "reshaped: samples of shape () as (2,), expected as many elements",
                         ShapeError);
    CHECK_THROWS_AS(reshaped(Examples<float>(), {2}), ArgumentError);
}

TEST_CASE("a scaled set of bytes has the bits of scaled tensors") {
    Tensor<std::uint8_t> pixels({256, 1});
    std::iota(pixels.begin(), pixels.end(), std::uint8_t{0});
    const std::vector<int> labels(256, 3);
    const Tensor<float> expected = scaled<float>(pixels, 255);
    std::vector<Index> all(256);
    std::iota(all.begin(), all.end(), 0);
    const auto [x, y] = gathered(scaled(Examples<float>(pixels, labels), 255), all);
    CHECK(std::ranges::equal(x, expected));
    CHECK(x[255] == 1);
    CHECK(y[0] == 3);  // targets stay
    CHECK_THROWS_WITH_AS(scaled(Examples<float>(pixels, labels), 0),
                         "scaled: divisor is 0, expected a finite number other than 0",
                         ArgumentError);
}

TEST_CASE("a pass gives batches in the order of its plan, the last one shorter") {
    const std::vector<Index> order{9, 8, 7, 6, 5};
    for (const bool training : {false, true}) {
        BatchPlan plan{order, 2};
        if (training) plan.training = TrainingEpoch{1, 4};
        const float added = training ? 1004 : 0;
        const auto batches = counting->read_batches(plan);
        std::vector<float> seen;
        for (const int count : {2, 2, 1}) {
            std::array<float, 2> x{-1, -1};
            batches->next(x.data(), nullptr);
            for (int k = 0; k < 2; ++k) seen.push_back(x[static_cast<std::size_t>(k)]);
            if (count == 1) CHECK(x[1] == -1);
        }
        CHECK(seen ==
              std::vector<float>{9 + added, 8 + added, 7 + added, 6 + added, 5 + added, -1});
    }
}
