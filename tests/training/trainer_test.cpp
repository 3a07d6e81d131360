#include "weft/training/trainer.hpp"

#include "tests/support/allocation_counter.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/random_tensor.hpp"
#include "weft/cpu.hpp"
#include "weft/data/split.hpp"
#include "weft/layers/batch_norm.hpp"
#include "weft/layers/dense.hpp"
#include "weft/layers/flatten.hpp"
#include "weft/losses/binary_crossentropy.hpp"
#include "weft/losses/categorical_crossentropy.hpp"
#include "weft/losses/mean_squared_error.hpp"
#include "weft/losses/sparse_categorical_crossentropy.hpp"
#include "weft/metrics/accuracy.hpp"
#include "weft/metrics/top_k_accuracy.hpp"
#include "weft/optimizers/sgd.hpp"
#include "weft/training/early_stopping.hpp"
#include "weft/training/lambda_callback.hpp"

#include <doctest/doctest.h>

#include <array>
#include <limits>
#include <numeric>
#include <set>

using namespace weft;

namespace {

/// Samples (n, 6, 5) in 4 classes: the class is where the largest of the first 4 numbers lies.
struct Toy {
    Tensor<float> x;
    std::vector<std::uint8_t> labels;
    explicit Toy(Index n, std::uint32_t stream = 0)
        : x(random_uniform<float>({n, 6, 5}, stream, -1, 1)), labels(static_cast<std::size_t>(n)) {
        for (Index i = 0; i < n; ++i) {
            const auto sample = x.sample(i);
            labels[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(
                std::max_element(sample.begin(), sample.begin() + 4) - sample.begin());
        }
    }
};

Sequential<float> toy_model(Cpu cpu = Cpu(1)) {
    Sequential model{Flatten{}, Dense{16, relu}, Dense{4, softmax}};
    model.set_device(cpu);
    return model;
}

TrainerOptions<float, Cpu> classification() {
    return {.optimizer = Adam{.learning_rate = 0.01},
            .loss = SparseCategoricalCrossentropy{},
            .metrics = {Accuracy{}}};
}

FitOptions<float> silent(Index epochs) {
    return {.epochs = epochs, .batch_size = 16, .seed = 5, .verbosity = Verbosity::silent};
}

template <class Exception, class Action>
std::string message_of(const Action& action) {
    try {
        action();
    } catch (const Exception& error) {
        return error.what();
    }
    return "nothing was thrown";
}

/// A dataset that notes the order in which its samples are asked for.
class Spy final : public Dataset<float> {
public:
    explicit Spy(Index size) : size_(size) {}
    Index size() const override { return size_; }
    Shape input_shape() const override { return {1}; }
    Shape target_shape() const override { return {1}; }
    void gather(std::span<const Index> samples, float* x, float* y) const override {
        for (std::size_t k = 0; k < samples.size(); ++k) {
            y[k] = 0;
            if (x == nullptr) continue;
            x[k] = 0;
            order.push_back(samples[k]);
        }
    }
    mutable std::vector<Index> order;

private:
    Index size_;
};

/// The orders of all epochs in which fit asks for the samples.
std::vector<std::vector<Index>> orders(const FitOptions<float>& options, Index size) {
    const auto spy = std::make_shared<Spy>(size);
    Sequential model{Dense{1}};
    Trainer trainer(model, {.loss = MeanSquaredError{}});
    trainer.fit(Examples<float>(spy), options);
    std::vector<std::vector<Index>> epochs;
    for (auto it = spy->order.begin(); it != spy->order.end(); it += size) {
        epochs.emplace_back(it, it + size);
    }
    return epochs;
}

}  // namespace

TEST_CASE("training learns") {
    const Toy train(600), test(200, 1);
    Sequential model = toy_model();
    Trainer trainer(model, classification());
    const History history = trainer.fit(train.x, train.labels, silent(15));
    CHECK(history["loss"].back() < 0.5 * history["loss"].front());
    CHECK(trainer.evaluate(test.x, test.labels)["accuracy"] > 0.85);
    CHECK(trainer.steps() == 15 * 38);
}

TEST_CASE("a training run leaves the same bits with 1, 2 and 7 threads") {
    const Toy train(333);
    const auto run = [&](int threads) {
        // Wide enough that every kernel splits its work.
        Sequential model{Flatten{}, Dense{600, weft::tanh}, Dense{700, relu}, Dense{4, softmax}};
        model.set_device(Cpu::exactly(threads));
        Trainer trainer(model, classification());
        const History history = trainer.fit(train.x, train.labels,
                                            {.epochs = 2,
                                             .batch_size = 150,
                                             .validation_split = 0.1,
                                             .verbosity = Verbosity::silent});
        return std::pair(Tensor<float>(model.arena()), history);
    };
    const auto [expected, expected_history] = run(1);
    for (const int threads : {2, 7}) {
        const auto [arena, history] = run(threads);
        CHECK(identical(arena, expected));
        for (const char* name : {"loss", "accuracy", "val_loss", "val_accuracy"}) {
            CHECK(history[name] == expected_history[name]);
        }
    }
}

TEST_CASE("a steady training step allocates nothing" *
          doctest::skip(!AllocationCounter::available())) {
    const Toy train(640);
    const auto allocations = [&](Index samples, const Cpu& device) {
        Sequential model = toy_model();
        model.set_device(device);
        Trainer trainer(model, classification());
        const TensorView<const std::uint8_t> labels(train.labels.data(), {samples});
        trainer.fit(train.x.slice(0, 16), labels.slice(0, 16), silent(1));
        const AllocationCounter counter;
        trainer.fit(train.x.slice(0, samples), labels, silent(1));
        return counter.count();
    };
    for (const Cpu& device : {Cpu(1), Cpu(2), Cpu::exactly(3)}) {
        allocations(32, device);  // OpenMP has its threads
        CHECK(allocations(32, device) == allocations(640, device));
    }
}

TEST_CASE("evaluating in the middle of training changes no bit of it") {
    const Toy train(100), test(50, 1);
    Sequential plain = toy_model(), watched = toy_model();
    Trainer plain_trainer(plain, classification()), watched_trainer(watched, classification());
    plain_trainer.fit(train.x, train.labels, silent(2));
    FitOptions<float> with_validation = silent(1);
    with_validation.validation_data = {test.x, test.labels};
    for (int epoch = 0; epoch < 2; ++epoch) {
        watched_trainer.fit(train.x, train.labels, with_validation);
        watched_trainer.evaluate(test.x, test.labels);
        watched.predict(test.x);
    }
    // So a fit also goes on where the one before stopped: optimiser, learning rate and order.
    CHECK(identical(watched.arena(), plain.arena()));
}

TEST_CASE("a copy of a model trains on its own") {
    const Toy train(60);
    Sequential model = toy_model();
    Trainer trainer(model, classification());
    trainer.fit(train.x, train.labels, silent(1));
    const Tensor<float> before(model.arena());
    Sequential copy = model;
    Trainer copy_trainer(copy, classification());
    copy_trainer.fit(train.x, train.labels, silent(1));
    CHECK(identical(model.arena(), before));
    CHECK_FALSE(identical(copy.arena(), before));
}

TEST_CASE("each epoch visits every sample once, in an order of its own") {
    const auto shuffled =
        orders({.epochs = 3, .batch_size = 4, .seed = 1, .verbosity = Verbosity::silent}, 10);
    REQUIRE(shuffled.size() == 3);
    for (const auto& epoch : shuffled) {
        CHECK(std::set<Index>(epoch.begin(), epoch.end()).size() == 10);
    }
    CHECK(std::set(shuffled.begin(), shuffled.end()).size() == 3);
    CHECK(orders({.epochs = 3, .batch_size = 7, .seed = 1, .verbosity = Verbosity::silent}, 10) ==
          shuffled);
    CHECK(orders({.epochs = 3, .seed = 2, .verbosity = Verbosity::silent}, 10) != shuffled);
    for (const auto& epoch :
         orders({.epochs = 2, .shuffle = false, .verbosity = Verbosity::silent}, 10)) {
        CHECK(std::ranges::is_sorted(epoch));
    }
}

TEST_CASE("orders that are made ahead are those of their epochs, whatever runs before") {
    constexpr Index size = 1 << 14;  // from where on they are
    const FitOptions<float> options{
        .epochs = 3, .batch_size = 4096, .seed = 7, .verbosity = Verbosity::silent};
    const auto made = orders(options, size);
    REQUIRE(made.size() == 3);
    for (std::uint32_t epoch = 0; epoch < 3; ++epoch) {
        std::vector<Index> expected(static_cast<std::size_t>(size));
        std::iota(expected.begin(), expected.end(), Index{0});
        RandomStream(7, RandomPurpose::shuffle, epoch).shuffle(std::span<Index>(expected));
        CHECK(made[epoch] == expected);
    }
}

TEST_CASE("the validation split is the end of the data, before shuffling") {
    const auto spy = std::make_shared<Spy>(10);
    Sequential model{Dense{1}};
    Trainer trainer(model, {.loss = MeanSquaredError{}});
    const History history =
        trainer.fit(Examples<float>(spy),
                    {.batch_size = 4, .validation_split = 0.25, .verbosity = Verbosity::silent});
    // 10 * (1 - 0.25) is 7.5: Keras trains on 7.
    REQUIRE(spy->order.size() == 10);
    CHECK(std::set(spy->order.begin(), spy->order.begin() + 7) ==
          std::set<Index>{0, 1, 2, 3, 4, 5, 6});
    CHECK(std::vector(spy->order.begin() + 7, spy->order.end()) == std::vector<Index>{7, 8, 9});
    CHECK(history.epochs[0].scores.find("val_loss").has_value());
}

TEST_CASE("validation data and validation split measure the same") {
    const Toy all(100);
    const auto run = [&](const FitOptions<float>& options, Index samples) {
        Sequential model = toy_model();
        Trainer trainer(model, classification());
        return trainer.fit(all.x.slice(0, samples),
                           std::span(all.labels).first(static_cast<std::size_t>(samples)),
                           options)["val_loss"];
    };
    FitOptions<float> split = silent(2), data = silent(2);
    split.validation_split = 0.2;
    const auto rest = std::span(all.labels).subspan(80);
    data.validation_data = {all.x.slice(80, 20), rest};
    CHECK(run(split, 100) == run(data, 80));
}

TEST_CASE("bytes and numbers as data give the same bits") {
    Tensor<std::uint8_t> bytes({40, 6, 5});
    Tensor<float> numbers({40, 6, 5});
    const RandomStream random(4, RandomPurpose::user);
    for (Index i = 0; i < bytes.size(); ++i) {
        bytes[i] = static_cast<std::uint8_t>(random.below(static_cast<std::uint64_t>(i), 256));
        numbers[i] = bytes[i];
    }
    const std::vector<std::uint8_t> labels = Toy(40).labels;
    const std::vector<int> int_labels(labels.begin(), labels.end());
    Sequential a = toy_model(), b = toy_model();
    Trainer(a, classification()).fit(bytes, labels, silent(1));
    Trainer(b, classification()).fit(numbers, int_labels, silent(1));
    CHECK(identical(a.arena(), b.arena()));
}

TEST_CASE("a saturated softmax neither loses its loss nor its gradient") {
    // One sample, one input, weights such that the logits are (100, -100) and the label is 1:
    // the probability of the label vanishes in float. Keras reports 200, not -log(1e-7).
    Sequential model{Input{{1}}, Dense{2, softmax}};
    auto kernel = model.parameter("dense/kernel");
    kernel[0] = 100, kernel[1] = -100;
    Trainer trainer(
        model, {.optimizer = SGD{.learning_rate = 1}, .loss = SparseCategoricalCrossentropy{}});
    const std::vector<float> x{1};
    const std::vector<int> label{1};
    const TensorView<const float> one(x, {1, 1});
    CHECK(trainer.evaluate(one, label)["loss"] == 200.0);
    trainer.fit(one, label, {.verbosity = Verbosity::silent});
    CHECK(kernel[0] == 99);
    CHECK(kernel[1] == -99);
}

TEST_CASE("a number that is not finite stops training and is traced to where it arose") {
    constexpr float nan = std::numeric_limits<float>::quiet_NaN();
    constexpr float infinity = std::numeric_limits<float>::infinity();
    Toy train(64);
    Sequential model = toy_model();
    Trainer trainer(model, classification());
    FitOptions<float> options = silent(2);
    options.shuffle = false;
    trainer.fit(train.x, train.labels, options);

    SUBCASE("in the data") {
        train.x(40, 0, 0) = nan;
        std::ranges::fill(model.parameter("dense/bias"), -1e6f);  // relu must not hide it
        const Tensor<float> before(model.arena());
        const std::int64_t steps = trainer.steps();
        const History history = trainer.fit(train.x, train.labels, options);
        REQUIRE(history.non_finite);
        CHECK(history.non_finite->where == "input");
        CHECK(history.non_finite->epoch == 1);
        CHECK(history.non_finite->step == 3);
        CHECK(history.non_finite->message() ==
              "a number that is not finite appeared in input at step 3 of epoch 1");
        CHECK(history.epochs.empty());
        CHECK(trainer.steps() == steps + 2);
        CHECK_FALSE(identical(model.arena(), before));  // the two good steps count
        CHECK(kernels::all_finite<float>(*std::make_unique<Cpu>(), model.arena()));
    }
    SUBCASE("in a parameter") {
        model.parameter("dense_1/bias")[2] = infinity;
        const Tensor<float> before(model.arena());
        CHECK(trainer.fit(train.x, train.labels, options).non_finite->where == "dense_1/bias");
        CHECK(identical(model.arena(), before));
    }
    SUBCASE("in a layer that overflows") {
        std::ranges::fill(model.parameter("dense/kernel"), 1e30f);
        std::ranges::fill(model.parameter("dense_1/kernel"), 1e30f);
        train.x(0, 0, 0) = 1e6f;
        CHECK(trainer.fit(train.x, train.labels, options).non_finite->where == "dense_1");
    }
    SUBCASE("in a layer before a batch norm, whose statistics it spoils too") {
        Sequential deep{Flatten{}, Dense{16}, Dense{16}, BatchNorm{}, Dense{4, softmax}};
        deep.build({6, 5}, 1);
        std::ranges::fill(deep.parameter("dense/kernel"), 1e30f);
        std::ranges::fill(deep.parameter("dense_1/kernel"), 1e30f);
        train.x(0, 0, 0) = 1e6f;
        Trainer fits(deep, classification());
        CHECK(fits.fit(train.x, train.labels, options).non_finite->where == "dense_1");
        CHECK(kernels::all_finite<float>(*std::make_unique<Cpu>(), deep.trainable_parameters()));
    }
    SUBCASE("in a moving statistic alone") {
        // The variance of 1e30 overflows; what it normalises does not: x / infinity is 0.
        Sequential normed{Flatten{}, BatchNorm{}, Dense{4, softmax}};
        for (float& value : train.x) value *= 1e30f;
        Trainer fits(normed, classification());
        CHECK(fits.fit(train.x, train.labels, options).non_finite->where ==
              "batch_norm/moving_variance");
    }
    SUBCASE("where a constant of the model is infinite on purpose, it ends nothing") {
        Sequential masked{Flatten{}, BatchNorm{}, Dense{4, softmax}};
        masked.build({6, 5}, 1);
        masked.parameter("batch_norm/moving_mean")[0] = infinity;
        Trainer fits(masked, classification());
        CHECK(!fits.fit(train.x, train.labels, options).non_finite);
    }
    SUBCASE("in the targets") {
        Sequential regression{Dense{1}};
        std::vector<float> x(8, 1.0f), y(8, 1.0f);
        y[3] = nan;
        const TensorView<const float> inputs(x, {8, 1}), targets(y, {8, 1});
        Trainer fits(regression, {.loss = MeanSquaredError{}});
        CHECK(fits.fit(inputs, targets, silent(1)).non_finite->where == "targets");
    }
    SUBCASE("in a gradient") {
        // The loss (1e19)^2 = 1e38 is finite in float, the gradient of the kernel 2e19 * 3e19 is
        // not.
        Sequential regression{Input{{1}}, Dense{1, linear, false, ones}};
        std::vector<float> x(8, 3e19f), y(8, 2e19f);
        const TensorView<const float> inputs(x, {8, 1}), targets(y, {8, 1});
        Trainer fits(regression, {.loss = MeanSquaredError{}});
        const History history = fits.fit(inputs, targets, silent(1));
        REQUIRE(history.non_finite);
        CHECK(history.non_finite->where == "the gradient of dense/kernel");
        CHECK(regression.parameter("dense/kernel")[0] == 1);
    }
    SUBCASE("in the loss alone") {
        Sequential regression{Dense{1}};
        std::vector<float> x(8, 1.0f), y(8, 1e30f);
        const TensorView<const float> inputs(x, {8, 1}), targets(y, {8, 1});
        Trainer fits(regression, {.loss = MeanSquaredError{}});
        CHECK(fits.fit(inputs, targets, silent(1)).non_finite->where == "loss");
    }
}

TEST_CASE("penalties, rates and updates that are not finite are found too") {
    const auto x = random_uniform<float>({8, 2}, 1, 1, 2),
               y = random_uniform<float>({8, 1}, 2, 1, 2);
    Sequential<float> model{Input{{2}}, Dense{.units = 1, .kernel_regularizer = l2(1e39)}};
    const Tensor<float> before(std::as_const(model).arena());
    Trainer penalised(model, {.optimizer = SGD{}, .loss = MeanSquaredError{}});
    CHECK(penalised.fit(x, y, silent(1)).non_finite.has_value());
    CHECK(identical(Tensor<float>(std::as_const(model).arena()), before));

    Sequential<float> plain{Input{{2}}, Dense{1}};
    Trainer overflowing(plain,
                        {.optimizer = SGD{.learning_rate = 3e38}, .loss = MeanSquaredError{}});
    const History history = overflowing.fit(x, y, silent(1));
    REQUIRE(history.non_finite.has_value());
    CHECK(history.non_finite->where == "dense/kernel");

    for (const double rate : {-0.1, std::nan(""), std::numeric_limits<double>::infinity()}) {
        Sequential<float> fresh{Dense{1}};
        Trainer trainer(fresh, {.loss = MeanSquaredError{},
                                .learning_rate_schedule = [=](std::int64_t) { return rate; }});
        CHECK(message_of<ArgumentError>([&] {
                  trainer.fit(x, y, silent(1));
              }).starts_with("learning_rate_schedule: step 0 has the rate "));
        CHECK(!fresh.is_built());
    }
}

TEST_CASE("mistakes are refused by name before anything changes") {
    Toy train(32);
    Sequential model = toy_model();
    Trainer trainer(model, classification());
    const auto argument = [&](const FitOptions<float>& options) {
        return message_of<ArgumentError>([&] { trainer.fit(train.x, train.labels, options); });
    };
    CHECK(argument({.epochs = 0}) == "fit: epochs is 0, expected at least 1");
    CHECK(argument({.batch_size = -3}) == "fit: batch_size is -3, expected at least 1");
    CHECK(argument({.validation_split = 1}) ==
          "fit: validation_split is 1, expected a number in [0, 1)");
    CHECK(argument({.validation_split = std::nan("")}).find("validation_split is") !=
          std::string::npos);
    CHECK(argument({.validation_split = 0.99}) ==
          "fit: validation_split 0.99 leaves none of 32 samples to train on");

    train.labels[7] = 4;
    CHECK(argument({}) ==
          "SparseCategoricalCrossentropy: target of sample 7 is label 4, expected a class in 0 ... "
          "3");
    CHECK_FALSE(model.is_built());
    train.labels[7] = 3;

    const auto shape = [&](const auto& x, const auto& y) {
        return message_of<ShapeError>([&] { trainer.fit(x, y, silent(1)); });
    };
    CHECK(shape(train.x, std::span(train.labels).first(31)) ==
          "dataset: x has 32 samples, y has 31 targets; expected as many");
    CHECK(shape(train.x, Tensor<float>({32, 3})) ==
          "SparseCategoricalCrossentropy: targets have shape (None, 3), expected (None,) for "
          "predictions (None, 4)");
    CHECK(message_of<ArgumentError>([&] {
              trainer.fit(train.x.slice(0, 0), std::span(train.labels).first(0), silent(1));
          }) == "fit: the data has no samples, expected at least 1");
    CHECK(message_of<ArgumentError>([&] { trainer.fit(Examples<float>(), silent(1)); }) ==
          "fit: the data has no samples, expected at least 1");
    CHECK(message_of<ArgumentError>([&] { trainer.evaluate(Examples<float>()); }) ==
          "evaluate: the data has no samples, expected at least 1");
    CHECK(message_of<ArgumentError>([&] {
              trainer.evaluate(train.x, train.labels);
          }).find("not built") != std::string::npos);
    const auto validation = [&](const auto& x, const auto& y) {
        FitOptions<float> options = silent(1);
        options.validation_data = {x, y};
        try {
            trainer.fit(train.x, train.labels, options);
        } catch (const Error& error) {
            return std::string(error.what());
        }
        return std::string();
    };
    const auto none = std::span(train.labels).first(0);
    CHECK(validation(train.x.slice(0, 0), none) ==
          "fit: validation_data has no samples, expected at least 1");
    CHECK(validation(Tensor<float>({2, 30}), std::vector{1, 2}) ==
          "flatten: input of validation_data has shape (None, 30), expected (None, 6, 5)");
    CHECK(
        validation(train.x, Tensor<float>({32, 3})) ==
        "SparseCategoricalCrossentropy: targets of validation_data have shape (None, 3), expected "
        "(None,) for predictions (None, 4)");
    CHECK(
        validation(train.x.slice(0, 2), std::vector{1, 4}) ==
        "SparseCategoricalCrossentropy: target of sample 1 of validation_data is label 4, expected "
        "a class in 0 ... 3");
    CHECK_FALSE(model.is_built());

    trainer.fit(train.x, train.labels, silent(1));
    CHECK(shape(Tensor<float>({32, 30}), train.labels) ==
          "flatten: input has shape (None, 30), expected (None, 6, 5)");
    CHECK(message_of<ArgumentError>([&] { trainer.set_learning_rate(0); }) ==
          "Adam: learning_rate is 0, expected a positive number");
    Sequential<float> empty;
    Trainer no_layers(empty, classification());
    CHECK(message_of<ArgumentError>([&] { no_layers.fit(train.x, train.labels, silent(1)); }) ==
          "the model has no layers, expected at least 1");
}

TEST_CASE("a model that is built again starts afresh in its trainer too") {
    const Toy train(32);
    Sequential model = toy_model();
    Trainer trainer(model, classification());
    trainer.fit(train.x, train.labels, silent(1));
    const Tensor<float> once(model.arena());
    model.build({6, 5}, 5);
    trainer.fit(train.x, train.labels, silent(1));
    CHECK(identical(model.arena(), once));
    CHECK(trainer.steps() == 2);
}

namespace {

using Replace = std::function<void(Sequential<float>&)>;

/// A model of other sizes than toy_model, built.
Sequential<float> wide_model(std::uint64_t seed = 3) {
    Sequential<float> model{Flatten{}, Dense{50, relu}, Dense{40, relu}, Dense{4, softmax}};
    model.build({6, 5}, seed);
    return model;
}

Sequential<float> built_toy_model(std::uint64_t seed = 3) {
    Sequential<float> model = toy_model();
    model.build({6, 5}, seed);
    return model;
}

/// Ways to put another model into the place of one.
std::vector<std::pair<const char*, Replace>> replacements(const Sequential<float>& other) {
    return {{"copied", [&](auto& model) { model = other; }},
            {"moved", [&](auto& model) { model = Sequential<float>(other); }},
            {"swapped",
             [&](auto& model) {
                 Sequential<float> copy = other;
                 std::swap(model, copy);
             }},
            {"erased", [&](auto& model) {
                 std::vector<Sequential<float>> models;
                 models.push_back(std::move(model));
                 models.push_back(other);
                 models.erase(models.begin());
                 model = std::move(models.front());
             }}};
}

}  // namespace

TEST_CASE("a model that is replaced is trained afresh, whatever its sizes") {
    const Toy train(64);
    for (const Sequential<float>& other : {built_toy_model(9), wide_model(9)}) {
        Sequential expected = other;
        Trainer(expected, classification()).fit(train.x, train.labels, silent(2));
        for (const auto& way : replacements(other)) {
            INFO(way.first);
            Sequential model = toy_model();
            Trainer trainer(model, classification());
            trainer.fit(train.x, train.labels, silent(3));
            way.second(model);
            trainer.fit(train.x, train.labels, silent(2));
            CHECK(trainer.steps() == 8);
            CHECK(identical(model.arena(), expected.arena()));
        }
    }
}

TEST_CASE("a model that went and came back is trained on as if it had stayed") {
    const Toy train(64);
    Sequential model = toy_model(), stayed = toy_model(), other = wide_model();
    Trainer trainer(model, classification()), stayed_trainer(stayed, classification());
    trainer.fit(train.x, train.labels, silent(1));
    stayed_trainer.fit(train.x, train.labels, silent(1));
    std::swap(model, other);
    CHECK(trainer.evaluate(train.x, train.labels)["loss"] > 0);
    std::swap(model, other);
    model = *&model;
    trainer.fit(train.x, train.labels, silent(1));
    stayed_trainer.fit(train.x, train.labels, silent(1));
    CHECK(identical(model.arena(), stayed.arena()));
    // Trained by another trainer in between, a copy is another model, and comes back as one.
    const Sequential copy = model;
    model = copy;
    trainer.fit(train.x, train.labels, silent(1));
    CHECK(trainer.steps() == 4);
}

TEST_CASE("a trainer says that its model is gone") {
    const Toy train(32);
    std::vector<Sequential<float>> models;
    models.push_back(built_toy_model());
    models.shrink_to_fit();
    Trainer trainer(models.front(), classification());
    trainer.fit(train.x, train.labels, silent(1));
    const auto fit = [&] { trainer.fit(train.x, train.labels, silent(1)); };
    SUBCASE("moved by its vector") {
        models.push_back(wide_model());
        CHECK(message_of<ArgumentError>(fit).starts_with("fit: the model is gone"));
    }
    SUBCASE("destroyed") {
        models.clear();
        CHECK(message_of<ArgumentError>(fit).starts_with("fit: the model is gone"));
        CHECK(message_of<ArgumentError>([&] {
                  trainer.evaluate(train.x, train.labels);
              }).starts_with("evaluate: the model is gone"));
    }
    SUBCASE("moved away: it has no layers") {
        const Sequential taken = std::move(models.front());
        CHECK(message_of<ArgumentError>(fit) == "the model has no layers, expected at least 1");
        CHECK(taken.is_built());
    }
}

TEST_CASE("a callback that replaces the model ends the run before anything is written") {
    const Toy train(64);
    std::unique_ptr<Sequential<float>> model;
    const auto fit = [&](CallbackHandle callback) {
        model = std::make_unique<Sequential<float>>(toy_model());
        Trainer trainer(*model, classification());
        EarlyStopping stopping{.monitor = "loss"};
        FitOptions<float> options = silent(3);
        options.callbacks = {stopping, std::move(callback)};
        return message_of<ArgumentError>([&] { trainer.fit(train.x, train.labels, options); });
    };
    const Sequential alike = built_toy_model(9), wide = wide_model(9);
    const std::string expected = "fit: the model was replaced, built again or destroyed";
    for (const Sequential<float>* other : {&alike, &wide}) {
        const auto replace = [&](TrainingRun&) { *model = *other; };
        for (const LambdaCallback& callback :
             {LambdaCallback{.train_begin = replace}, LambdaCallback{.epoch_begin = replace},
              LambdaCallback{.batch_end = replace}, LambdaCallback{.epoch_end = replace}}) {
            CHECK(fit(callback).starts_with(expected));
            CHECK(identical(std::as_const(*model).arena(), other->arena()));
        }
    }
    CHECK(fit(LambdaCallback{.batch_end = [&](auto&) {
              model->build({6, 5}, 1);
          }}).starts_with(expected));
    CHECK(fit(LambdaCallback{.epoch_end = [&](auto&) { model.reset(); }}).starts_with(expected));
}

static_assert(!std::is_copy_constructible_v<Trainer<float, Cpu>>);
static_assert(!std::is_move_constructible_v<Trainer<float, Cpu>>);
static_assert(!std::is_copy_assignable_v<Trainer<float, Cpu>>);
static_assert(!std::is_move_assignable_v<Trainer<float, Cpu>>);

namespace {

/// The way that docs/training.md shows. Made in a member's initialiser, g++ 12 would fail.
class Both {
public:
    Both()
        : trainer_(model_, {.optimizer = Adam{.learning_rate = 0.01},
                            .loss = SparseCategoricalCrossentropy{},
                            .metrics = {Accuracy{}}}) {}

    Tensor<float> trained(const Toy& data) {
        trainer_.fit(data.x, data.labels, silent(1));
        return Tensor<float>(model_.arena());
    }

private:
    Sequential<float> model_ = toy_model();
    Trainer<float, Cpu> trainer_;
};

// So none trains the model of another by mistake.
static_assert(!std::is_copy_constructible_v<Both> && !std::is_move_constructible_v<Both>);

}  // namespace

TEST_CASE("objects of a class with a model and its trainer are kept by pointers") {
    const Toy data(64);
    const Tensor<float> expected = Both().trained(data);
    std::vector<std::unique_ptr<Both>> many;
    for (int i = 0; i < 5; ++i) many.push_back(std::make_unique<Both>());
    for (const auto& both : many) CHECK(identical(both->trained(data), expected));
}

TEST_CASE("weights of classes, limits of gradients and targets out of range are refused") {
    const Toy train(32);
    Sequential binary{Flatten{}, Dense{1, sigmoid}};
    Trainer trainer(binary, {.loss = BinaryCrossentropy{}});
    std::vector<int> labels(32, 1);
    FitOptions<float> options = silent(1);
    options.class_weight = {1.0};
    const auto fit = [&] {
        return message_of<ArgumentError>([&] { trainer.fit(train.x, labels, options); });
    };
    CHECK(fit() == "fit: class_weight has 1 weights, expected 2");
    options.class_weight.clear();
    options.validation_sample_weight = {1};
    CHECK(fit() == "fit: validation_sample_weight has 1 weights, expected 0");
    options.validation_sample_weight.clear();
    labels[3] = 5;
    CHECK(fit() == "BinaryCrossentropy: target of sample 3 is label 5, expected 0 ... 1");
    CHECK(message_of<ArgumentError>([&] {
              Trainer(binary, {.loss = BinaryCrossentropy{}, .clipping = {.value = -1}});
          }) == "clipping: value is -1, expected at least 0");
    const auto metrics = [&](std::vector<MetricDeclaration<float, Cpu>> named) {
        return message_of<ArgumentError>(
            [&] { Trainer(binary, {.loss = BinaryCrossentropy{}, .metrics = std::move(named)}); });
    };
    Sequential unbuilt{Flatten{}, Dense{1, sigmoid}};
    Trainer scheduled(unbuilt, {.loss = BinaryCrossentropy{},
                                .learning_rate_schedule = ExponentialDecay{0.1, 0, 0.9}});
    CHECK(message_of<ArgumentError>([&] {
              scheduled.fit(train.x, std::vector<int>(32, 1), silent(1));
          }).starts_with("ExponentialDecay: decay_steps is 0"));
    CHECK(!unbuilt.is_built());
    const std::string twice =
        " is the name of two scores; .name of a metric or .output_names sets "
        "another";
    CHECK(metrics({Accuracy{}, Accuracy{}}) == "metrics: accuracy" + twice);
    CHECK(metrics({Accuracy{.name = "loss"}}) == "metrics: loss" + twice);
    Sequential planes{Input{{6, 2, 5}}, Dense{1}};
    Trainer regression(planes, {.loss = MeanSquaredError{}});
    CHECK_THROWS_AS(
        regression.fit(Tensor<float>({4, 6, 2, 5}), Tensor<float>({4, 3, 4}), silent(1)),
        ShapeError);
    FitOptions<float> weighted = silent(1);
    weighted.class_weight = {1, 2};
    CHECK(message_of<ArgumentError>([&] {
              regression.fit(Tensor<float>({4, 6, 2, 5}), Tensor<float>({4, 6, 2, 1}), weighted);
          }) ==
          "fit: class_weight needs a class as each sample's target, MeanSquaredError for "
          "predictions (None, 6, 2, 1) has none");
    Sequential rows{Dense{2, softmax}};
    Trainer of_rows(rows, {.loss = CategoricalCrossentropy{}});
    CHECK(message_of<ArgumentError>(
              [&] { of_rows.fit(train.x, Tensor<float>({32, 6, 2}), weighted); }) ==
          "fit: class_weight needs a class as each sample's target, CategoricalCrossentropy "
          "for predictions (None, 6, 2) has none");
}

TEST_CASE("a target that is not a number is found, with weights of classes too") {
    const Toy train(32);
    std::vector<float> y(32, 1.0f);
    y[3] = std::nanf("");
    Sequential binary{Flatten{}, Dense{1, sigmoid}};
    FitOptions<float> options = silent(1);
    options.class_weight = {1, 2};
    Trainer trainer(binary, {.loss = BinaryCrossentropy{}});
    CHECK(trainer.fit(train.x, y, options).non_finite->where == "targets");
}

TEST_CASE("weights of classes are those of their samples, whatever form the targets have") {
    const Toy train(64);
    const std::vector<double> four{0.5, 2, 0, 3}, two{0.25, 4};
    const auto trained = [&](Sequential<float> model, LossDeclaration<float, Cpu> loss,
                             const auto& y, const FitOptions<float>& options) {
        Trainer(model, {.optimizer = Adam{.learning_rate = 0.01}, .loss = std::move(loss)})
            .fit(train.x, y, options);
        return Tensor<float>(std::as_const(model).arena());
    };
    FitOptions<float> by_class = silent(2), by_sample = silent(2);
    by_class.class_weight = four;
    for (const auto label : train.labels) by_sample.sample_weight.push_back(four[label]);
    const Tensor<float> targets = one_hot<float>(train.labels, 4);
    const auto indices =
        trained(toy_model(), SparseCategoricalCrossentropy{}, train.labels, by_sample);
    CHECK(identical(trained(toy_model(), SparseCategoricalCrossentropy{}, train.labels, by_class),
                    indices));
    CHECK(!identical(trained(toy_model(), SparseCategoricalCrossentropy{}, train.labels, silent(2)),
                     indices));
    CHECK(identical(trained(toy_model(), CategoricalCrossentropy{}, targets, by_class),
                    trained(toy_model(), CategoricalCrossentropy{}, targets, by_sample)));

    const Sequential binary{Flatten{}, Dense{1, sigmoid}};
    std::vector<int> yes;
    by_class.class_weight = two;
    by_sample.sample_weight.clear();
    for (const auto label : train.labels) {
        yes.push_back(label % 2);
        by_sample.sample_weight.push_back(two[label % 2]);
    }
    CHECK(identical(trained(binary, BinaryCrossentropy{}, yes, by_class),
                    trained(binary, BinaryCrossentropy{}, yes, by_sample)));
    CHECK(!identical(trained(binary, BinaryCrossentropy{}, yes, by_class),
                     trained(binary, BinaryCrossentropy{}, yes, silent(2))));

    // Between the classes: a number is rounded, half to even; a row is of its largest number.
    const std::vector<float> between{0, 0.4f, 0.5f, 0.6f};
    std::vector<float> numbers;
    Tensor<float> rows = targets;
    by_sample.sample_weight.clear();
    for (std::size_t i = 0; i < 64; ++i) {
        numbers.push_back(between[i % 4]);
        by_sample.sample_weight.push_back(two[i % 4 == 3]);
    }
    CHECK(identical(trained(binary, BinaryCrossentropy{}, numbers, by_class),
                    trained(binary, BinaryCrossentropy{}, numbers, by_sample)));
    by_class.class_weight = four;
    by_sample.sample_weight.assign(64, four[1]);
    for (Index i = 0; i < 64; ++i)
        std::ranges::copy(std::array{0.2f, 0.5f, 0.3f, 0.0f}, &rows(i, 0));
    CHECK(identical(trained(toy_model(), CategoricalCrossentropy{}, rows, by_class),
                    trained(toy_model(), CategoricalCrossentropy{}, rows, by_sample)));
}

TEST_CASE(
    "weights of samples that are held back weight the validation, as those given with it do") {
    const Toy all(50);
    const std::span labels(all.labels);
    FitOptions<float> split = silent(2), data = silent(2);
    split.validation_split = 0.2;
    data.validation_data = {all.x.slice(40, 10), labels.subspan(40)};
    for (int i = 0; i < 50; ++i) split.sample_weight.push_back(0.1 * (1 + i % 7));
    data.sample_weight.assign(split.sample_weight.begin(), split.sample_weight.begin() + 40);
    data.validation_sample_weight.assign(split.sample_weight.begin() + 40,
                                         split.sample_weight.end());
    const auto val_losses = [&](const FitOptions<float>& options, Index samples) {
        Sequential model = toy_model();
        return Trainer(model, classification())
            .fit(all.x.slice(0, samples), labels.first(static_cast<std::size_t>(samples)),
                 options)["val_loss"];
    };
    CHECK(val_losses(split, 50) == val_losses(data, 40));
    std::fill(split.sample_weight.begin() + 40, split.sample_weight.end(), 0.0);
    CHECK(val_losses(split, 50) == std::vector<double>{0, 0});
}

TEST_CASE("a step clips the gradient together with those of the penalties") {
    // L = (w - 3)^2 + 0.5 w^2 for w = 1: dL/dw = -4 + 1, clipped to -2. Clipped before the penalty
    // it would be -2 + 1.
    Sequential<float> model{Input{{1}}, Dense{.units = 1,
                                              .use_bias = false,
                                              .kernel_initializer = ones,
                                              .kernel_regularizer = l2(0.5)}};
    Trainer trainer(model, {.optimizer = SGD{.learning_rate = 1},
                            .loss = MeanSquaredError{},
                            .clipping = {.value = 2}});
    const std::vector<float> x{1}, y{3};
    trainer.fit(TensorView<const float>(x, {1, 1}), TensorView<const float>(y, {1, 1}), silent(1));
    CHECK(model.parameter("dense/kernel")[0] == 3);
}

TEST_CASE("labels may have an axis of their own, and one output may have none in the targets") {
    const Toy train(32);
    Sequential a = toy_model(), b = toy_model();
    Trainer(a, classification()).fit(train.x, train.labels, silent(1));
    const TensorView<const std::uint8_t> column(train.labels.data(), {32, 1});
    Trainer(b, classification()).fit(train.x, column, silent(1));
    CHECK(identical(a.arena(), b.arena()));

    Sequential binary{Flatten{}, Dense{1, sigmoid}};
    Trainer trainer(binary, {.loss = BinaryCrossentropy{}, .metrics = {Accuracy{}}});
    std::vector<int> zeros_and_ones;
    for (const auto label : train.labels) zeros_and_ones.push_back(label % 2);
    CHECK(trainer.fit(train.x, zeros_and_ones, silent(1))["accuracy"][0] > 0);
}

TEST_CASE("a batch larger than the data is the data") {
    const Toy train(10);
    Sequential model = toy_model();
    Trainer trainer(model, classification());
    FitOptions<float> options = silent(1);
    options.batch_size = 1000;
    CHECK(trainer.fit(train.x, train.labels, options).epochs.size() == 1);
    CHECK(trainer.steps() == 1);
    options.batch_size = 1;
    trainer.fit(train.x, train.labels, options);
    CHECK(trainer.steps() == 11);
}

TEST_CASE("each metric has its score, whichever of them is counted along with the loss") {
    const auto x = random_normal<float>({12, 4}, 1);
    Tensor<float> labels({12});
    for (Index i = 0; i < 12; ++i) labels[i] = static_cast<float>(i % 3);
    Sequential<float> model{Dense{3, softmax}};
    model.build({4}, 2);
    using Metrics = std::vector<MetricDeclaration<float, Cpu>>;
    const auto scores = [&](Metrics metrics) {
        Trainer<float, Cpu> trainer(
            model, {.loss = SparseCategoricalCrossentropy{}, .metrics = std::move(metrics)});
        return trainer.evaluate(x, labels);
    };
    const Accuracy first{.name = "first"}, second{.name = "second"};
    const double right = scores({first})["first"];
    const double of_two = scores({TopKAccuracy{.k = 2}})["top_k_accuracy"];
    CHECK(right > 0);
    CHECK(of_two > right);
    for (const Metrics& metrics : {Metrics{TopKAccuracy{.k = 2}, first, second},
                                   Metrics{first, TopKAccuracy{.k = 2}, second}}) {
        const Scores all = scores(metrics);
        CHECK(all["first"] == right);
        CHECK(all["second"] == right);
        CHECK(all["top_k_accuracy"] == of_two);
        CHECK(all["loss"] == scores({})["loss"]);
    }
}
