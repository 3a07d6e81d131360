#include "weft/data/prefetched.hpp"

#include "tests/support/allocation_counter.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/random_tensor.hpp"
#include "weft/cpu.hpp"
#include "weft/data/random_translation.hpp"
#include "weft/layers/dense.hpp"
#include "weft/layers/flatten.hpp"
#include "weft/losses/sparse_categorical_crossentropy.hpp"
#include "weft/metrics/accuracy.hpp"
#include "weft/training/trainer.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <numeric>
#include <set>
#include <thread>

using namespace weft;

namespace {

/// Sample i is i; reading sample number fails_at fails.
class Failing final : public Dataset<float> {
public:
    explicit Failing(Index fails_at) : fails_at_(fails_at) {}
    Index size() const override { return 40; }
    Shape input_shape() const override { return {1}; }
    Shape target_shape() const override { return {}; }
    void gather(std::span<const Index> samples, float* x, float* y) const override {
        for (const Index i : samples) {
            if (x != nullptr) {
                reading = std::this_thread::get_id();
                if (i == fails_at_) throw IoError("sample.png: is truncated");
                *x++ = static_cast<float>(i);
            }
            if (y != nullptr) *y++ = static_cast<float>(i % 2);
        }
    }
    mutable std::atomic<std::thread::id> reading;

private:
    Index fails_at_;
};

Examples<float> pictures() {
    Tensor<float> x = random_uniform<float>({103, 6, 5}, 1, 0, 1);
    Tensor<std::uint8_t> labels({103});
    for (Index i = 0; i < 103; ++i) labels[i] = static_cast<std::uint8_t>(x[30 * i] > 0.5f);
    return {std::move(x), std::move(labels)};
}

struct Run {
    Tensor<float> weights;
    History history;
};

Run train(const Examples<float>& examples, FitOptions<float> options = {}) {
    Sequential<float> model{Flatten{}, Dense{2, softmax}};
    Trainer<float, Cpu> trainer(model,
                                {.loss = SparseCategoricalCrossentropy{}, .metrics = {Accuracy{}}});
    options.verbosity = Verbosity::silent;
    options.epochs = 3;
    options.batch_size = 10;
    options.validation_split = 0.2;
    History history = trainer.fit(examples, options);
    return {Tensor<float>(model.arena()), std::move(history)};
}

}  // namespace

TEST_CASE("reading ahead changes no bit of training, however far") {
    const Examples<float> examples =
        augmented(pictures(), {RandomTranslation{.height_factor = 0.3, .width_factor = 0.3}});
    const Run expected = train(examples);
    for (const Index ahead : {1, 2, 3, 100}) {
        const Run run = train(prefetched(examples, ahead));
        CHECK(identical(run.weights, expected.weights));
        for (const char* name : {"loss", "accuracy", "val_loss", "val_accuracy"}) {
            CHECK(run.history[name] == expected.history[name]);
        }
    }
}

TEST_CASE("batches are read on another thread, whole, in order, with a shorter last one") {
    const auto data = std::make_shared<Failing>(-1);
    const Examples<float> examples = prefetched(Examples<float>(data), 3);
    std::vector<Index> order(38);
    std::iota(order.rbegin(), order.rend(), 0);
    const auto batches = examples->read_batches({order, 4});
    for (std::size_t first = 0; first < order.size(); first += 4) {
        std::array<float, 4> x{}, y{};
        batches->next(first % 8 == 0 ? x.data() : nullptr, y.data());
        for (std::size_t k = 0; k < std::min<std::size_t>(4, order.size() - first); ++k) {
            if (first % 8 == 0) CHECK(x[k] == static_cast<float>(order[first + k]));
            CHECK(y[k] == static_cast<float>(order[first + k] % 2));
        }
    }
    CHECK(data->reading.load() != std::this_thread::get_id());
}

TEST_CASE("batches are handed over without a copy, to tensors of their shapes") {
    const Examples<float> examples = prefetched(Examples<float>(std::make_shared<Failing>(-1)));
    std::vector<Index> order(22);
    std::iota(order.begin(), order.end(), 0);
    const auto batches = examples->read_batches({order, 4});
    Tensor<float> x({4, 1}), y({4}), larger({5, 1}), other({4, 2});
    CHECK_FALSE(batches->exchange(larger, y));
    CHECK_FALSE(batches->exchange(x, other));
    for (Index first = 0; first < 22; first += 4) {
        if (first == 8) {  // any of them may also be copied
            batches->next(x.data(), y.data());
        } else {
            const float *x_before = x.data(), *y_before = y.data();
            REQUIRE(batches->exchange(x, y));
            CHECK(x.data() != x_before);
            CHECK(y.data() != y_before);
        }
        for (Index i = first; i < std::min<Index>(first + 4, 22); ++i) {
            CHECK(x[i - first] == static_cast<float>(i));
            CHECK(y[i - first] == static_cast<float>(i % 2));
        }
    }
    const Examples<float> plain(std::make_shared<Failing>(-1));
    CHECK_FALSE(plain->read_batches({order, 4})->exchange(x, y));
}

TEST_CASE("training and evaluation read into the memory that they exchange with the reader") {
    /// Notes where batches are written.
    class Noting final : public Dataset<float> {
    public:
        Index size() const override { return 40; }
        Shape input_shape() const override { return {3}; }
        Shape target_shape() const override { return {}; }
        void gather(std::span<const Index>, float* x, float*) const override {
            if (x != nullptr) written.insert(x);
        }
        mutable std::set<const float*> written;
    };
    const auto data = std::make_shared<Noting>();
    const Examples<float> examples = prefetched(Examples<float>(data), 2);
    Sequential<float> model{Input{{3}}, Dense{2, softmax}};
    Trainer<float, Cpu> trainer(model, {.loss = SparseCategoricalCrossentropy{}});
    const auto buffers = [&](const auto& read) {
        data->written.clear();
        read();
        return data->written.size();
    };
    // Two of the reader and one of the trainer.
    CHECK(buffers([&] {
              trainer.fit(examples, {.batch_size = 4, .verbosity = Verbosity::silent});
          }) == 3);
    CHECK(buffers([&] { trainer.evaluate(examples, 4); }) == 3);
}

TEST_CASE("a pass may end early, and may be empty") {
    const Examples<float> examples = prefetched(Examples<float>(std::make_shared<Failing>(-1)));
    std::vector<Index> order(40);
    std::iota(order.begin(), order.end(), 0);
    for (int i = 0; i < 50; ++i) {
        const auto unread = examples->read_batches({order, 1});
        const auto read_once = examples->read_batches({order, 1});
        float x = -1;
        read_once->next(&x, nullptr);
        CHECK(x == 0);
    }
    CHECK_NOTHROW(examples->read_batches({{}, 4}));
}

TEST_CASE("what reading throws arrives in fit, after the batches that were read before it") {
    const auto failing = std::make_shared<Failing>(25);
    Sequential<float> model{Dense{2, softmax}};
    Trainer<float, Cpu> trainer(model, {.loss = SparseCategoricalCrossentropy{}});
    const auto fit = [&](const Examples<float>& examples) {
        trainer.fit(examples, {.batch_size = 5, .shuffle = false, .verbosity = Verbosity::silent});
    };
    CHECK_THROWS_WITH_AS(fit(prefetched(Examples<float>(failing), 4)), "sample.png: is truncated",
                         IoError);
    CHECK(trainer.steps() == 5);
    CHECK_THROWS_AS(fit(Examples<float>(failing)), IoError);
    CHECK(trainer.steps() == 10);
    CHECK_THROWS_AS(trainer.evaluate(prefetched(Examples<float>(failing))), IoError);
}

TEST_CASE("a callback may evaluate the set that is being read") {
    const Examples<float> examples = prefetched(pictures());
    struct Evaluate {
        Trainer<float, Cpu>* trainer;
        const Examples<float>* examples;
        void on_batch_end(TrainingRun&) { trainer->evaluate(*examples, 7); }
    };
    Sequential<float> model{Flatten{}, Dense{2, softmax}};
    Trainer<float, Cpu> trainer(model,
                                {.loss = SparseCategoricalCrossentropy{}, .metrics = {Accuracy{}}});
    Evaluate evaluate{&trainer, &examples};
    FitOptions<float> options{
        .epochs = 3, .batch_size = 10, .validation_split = 0.2, .verbosity = Verbosity::silent};
    options.callbacks.push_back(evaluate);
    trainer.fit(examples, options);
    CHECK(identical(Tensor<float>(model.arena()), train(pictures()).weights));
}

TEST_CASE("a steady step with augmentation and reading ahead allocates nothing" *
          doctest::skip(!AllocationCounter::available())) {
    const Examples<float> examples = prefetched(
        augmented(pictures(), {RandomTranslation{.height_factor = 0.3, .width_factor = 0.3}}));
    std::vector<Index> order(100);
    std::iota(order.begin(), order.end(), 0);
    std::vector<float> x(50 * 30), y(50);
    Tensor<float> own_x({10, 6, 5}), own_y({10});
    const auto allocations = [&](std::size_t samples) {
        const AllocationCounter counter;
        const auto batches = examples->read_batches(
            {std::span<const Index>(order).first(samples), 10, TrainingEpoch{}});
        for (std::size_t i = 0; i < samples / 10; ++i) {
            if (i % 2 == 0 || !batches->exchange(own_x, own_y)) batches->next(x.data(), y.data());
        }
        return counter.count();
    };
    allocations(20);
    CHECK(allocations(20) == allocations(100));
}

TEST_CASE("at least one batch is read ahead") {
    CHECK_THROWS_WITH_AS(prefetched(pictures(), 0),
                         "prefetched: batches_ahead is 0, expected at least 1", ArgumentError);
}
