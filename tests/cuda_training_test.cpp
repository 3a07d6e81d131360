/// \file
/// Runs of training on a GPU, or on the simulated one, that stop and go on, or go wrong.
#include "tests/support/compare.hpp"
#include "tests/support/random_tensor.hpp"
#include "tests/support/special_values.hpp"
#include "weft/cuda.hpp"
#include "weft/training/lambda_callback.hpp"
#include "weft/training/run_state.hpp"
#include "weft/weft.hpp"

#include <doctest/doctest.h>

using namespace weft;

namespace {

struct Samples {
    Tensor<float> x, y;
};

Samples seven_samples() {
    return {random_normal<float>({7, 3}, 1), Tensor<float>({7}, {0, 1, 2, 3, 0, 1, 2})};
}

Sequential<float> small_model() {
    Sequential<float> model{Dense{6, relu}, BatchNorm{}, Dropout{0.2}, Dense{4, softmax}};
    model.build({3}, 3);
    return model;
}

template <class Device>
TrainerOptions<float, Device> usual() {
    return {.loss = SparseCategoricalCrossentropy{}, .metrics = {Accuracy{}}};
}

/// What a run leaves that stops by itself where a number goes wrong.
struct Stopped {
    std::string message;
    Tensor<float> parameters;
    std::int64_t steps;
};

template <class Device>
Stopped train_until_wrong(const Sequential<float>& declared, const Samples& data, Index to_update,
                          const Device& device, bool is_listened_to,
                          Index resident_bytes = Index{1} << 30) {
    Model<float, Device> model = to<Device>(declared, device);
    Trainer<float, Device> trainer(
        model, {.optimizer = SGD{.learning_rate = 0.01}, .loss = MeanSquaredError{}});
    FitOptions<float> fit{.batch_size = 2,
                          .gradient_accumulation_steps = to_update,
                          .shuffle = false,
                          .verbosity = Verbosity::silent,
                          .resident_bytes = resident_bytes};
    if (is_listened_to) {
        fit.callbacks.push_back(LambdaCallback{.batch_end = [](TrainingRun&) {}});
    }
    const History history = trainer.fit(data.x, data.y, fit);
    return {history.non_finite ? history.non_finite->message() : "nothing",
            Tensor<float>(to<Cpu>(model).arena()), trainer.steps()};
}

}  // namespace

TEST_CASE("a run on a GPU that stopped after any step goes on to the same bits") {
    const Samples data = seven_samples();
    const FitOptions<float> whole{
        .epochs = 3, .batch_size = 2, .seed = 2, .verbosity = Verbosity::silent};
    const auto train = [&](const RunStore& store) {
        Model<float, Cuda> model = to<Cuda>(small_model());
        Trainer<float, Cuda> trainer(model, usual<Cuda>());
        FitOptions<float> options = whole;
        options.checkpoint = store;
        trainer.fit(data.x, data.y, options);
        return Tensor<float>(to<Cpu>(model).arena());
    };
    const Tensor<float> expected = train({});
    std::vector<RunState> states;
    const auto save = [&](const RunState& state) { states.push_back(state); };
    CHECK(identical(train(run_store([] { return std::nullopt; }, save, /*every_steps=*/1)),
                    expected));
    CHECK(states.size() == 13);
    for (const RunState& state : states) {
        CHECK(identical(train(run_store([&] { return std::optional(state); }, [](const auto&) {})),
                        expected));
    }
}

TEST_CASE(
    "a number that goes wrong on a GPU is found where the CPU finds it, and changes nothing") {
    constexpr float nan = not_a_number<float>;
    Sequential<float> plain{Dense{1, linear, false, ones}};
    Sequential<float> normed{Dense{6, relu}, BatchNorm{}, Dropout{0.2}, Dense{1}};
    plain.build({1}, 3);
    normed.build({1}, 3);
    struct Case {
        const char* where;
        const Sequential<float>& model;
        float x, y;  ///< of the two samples of batch 4 of 7
        Index most_batches;
    };
    // The gradients: the loss is (1.5e19)^2, the gradient 2 * 2 * 1.5e19 * 3e19 / 4 of 4 samples. With
    // twice of it, it is too large in an update of three batches, too, of which batch 4 is the first.
    const std::vector<Case> cases{{"input", normed, nan, 1, 3},
                                  {"targets", normed, 1, nan, 3},
                                  {"the loss", normed, 1, 3e38F, 3},
                                  {"the gradient of dense/kernel", plain, 3e19F, 1.5e19F, 2},
                                  {"the gradient of dense/kernel", plain, 6e19F, 4.5e19F, 3}};
    for (const Case& each : cases) {
        for (Index to_update = 1; to_update <= each.most_batches; ++to_update) {
            CAPTURE(each.where);
            CAPTURE(to_update);
            Samples data{random_normal<float>({14, 1}, 1), random_normal<float>({14, 1}, 2)};
            for (const Index i : {6, 7}) data.x[i] = each.x, data.y[i] = each.y;
            const Stopped cpu = train_until_wrong(each.model, data, to_update, Cpu(1), false);
            const Stopped eager =
                train_until_wrong(each.model, data, to_update, Cuda({.graphs = false}), false);
            CHECK(cpu.message != "nothing");
            CHECK(eager.message == cpu.message);
            CHECK(eager.steps == cpu.steps);
            if (to_update == 1) {  // as if the data ended before
                const Samples before{Tensor<float>(data.x.slice(0, 6)),
                                     Tensor<float>(data.y.slice(0, 6))};
                const Stopped whole = train_until_wrong(each.model, before, 1, Cpu(1), false);
                CHECK(identical(cpu.parameters, whole.parameters));
            }
            CHECK(largest_gap(eager.parameters, cpu.parameters, 0.1) < 1e-5);
            for (const bool is_listened_to : {false, true}) {
                for (const Index resident_bytes : {Index{0}, Index{1} << 30}) {
                    const Stopped gpu = train_until_wrong(each.model, data, to_update, Cuda(),
                                                          is_listened_to, resident_bytes);
                    CHECK(gpu.message == cpu.message);
                    CHECK(gpu.steps == cpu.steps);
                    CHECK(identical(gpu.parameters, eager.parameters));
                }
            }
        }
    }
}

TEST_CASE("where a number went wrong on a GPU is looked for with the dropout of its step") {
    Sequential<float> declared{Dropout{0.5}, Dense{1, linear, false, ones}};
    declared.build({1}, 3);
    Samples data{Tensor<float>({14, 1}), Tensor<float>({14, 1})};
    data.x[3] = 3e38F;  // of batch 2; twice of it, if it is kept, is infinite
    Index wrong = 0;
    for (std::uint64_t seed = 1; seed <= 16; ++seed) {
        CAPTURE(seed);
        const auto message = [&](auto device) {
            using Device = decltype(device);
            Model<float, Device> model = to<Device>(declared, device);
            Trainer<float, Device> trainer(
                model, {.optimizer = SGD{.learning_rate = 1e-30}, .loss = MeanSquaredError{}});
            const History history = trainer.fit(
                data.x, data.y,
                {.batch_size = 2, .shuffle = false, .seed = seed, .verbosity = Verbosity::silent});
            return history.non_finite ? history.non_finite->message() : "nothing";
        };
        const std::string expected = message(Cpu(1));
        wrong += expected.find("dropout") != std::string::npos;
        CHECK(message(Cuda({.graphs = false})) == expected);
        CHECK(message(Cuda()) == expected);
    }
    CHECK(wrong > 4);
}

TEST_CASE("constraints leave parameters alone on a GPU, too, where a number went wrong") {
    Sequential<float> declared{Dense{.units = 1,
                                     .use_bias = false,
                                     .kernel_initializer = ones,
                                     .kernel_constraint = max_norm(0.1)}};
    declared.build({1}, 3);
    Samples data{Tensor<float>({4, 1}, {1, not_a_number<float>, 1, 1}), Tensor<float>({4, 1})};
    for (const bool graphs : {true, false}) {
        const Stopped gpu = train_until_wrong(declared, data, 1, Cuda({.graphs = graphs}), false);
        CHECK(gpu.parameters[0] == 1);
        CHECK(gpu.steps == 0);
    }
}

TEST_CASE("a parameter that overflows in the last step of an epoch on a GPU is found") {
    Sequential<float> declared{Dense{1, linear, false, ones}};
    declared.build({1}, 3);
    const Samples data{Tensor<float>({2, 1}, {1e10F, 1e10F}), Tensor<float>({2, 1})};
    const auto message = [&](auto device, bool is_listened_to) {
        using Device = decltype(device);
        Model<float, Device> model = to<Device>(declared, device);
        Trainer<float, Device> trainer(
            model, {.optimizer = SGD{.learning_rate = 1e30}, .loss = MeanSquaredError{}});
        FitOptions<float> fit{.batch_size = 2, .verbosity = Verbosity::silent};
        if (is_listened_to) {
            fit.callbacks.push_back(
                LambdaCallback{.batch_end = [](TrainingRun& run) { run.scores(); }});
        }
        const History history = trainer.fit(data.x, data.y, fit);
        return history.non_finite ? history.non_finite->message() : "nothing";
    };
    const std::string expected = message(Cpu(1), false);
    CHECK(expected.find("dense/kernel") != std::string::npos);
    for (const bool is_listened_to : {false, true}) {
        CHECK(message(Cuda(), is_listened_to) == expected);
        CHECK(message(Cuda({.graphs = false}), is_listened_to) == expected);
    }
}

TEST_CASE("a callback on a GPU sees the scores of each batch, recorded or not") {
    const Samples data = seven_samples();
    const auto losses = [&](auto device) {
        using Device = decltype(device);
        Model<float, Device> model = to<Device>(small_model(), device);
        Trainer<float, Device> trainer(model, usual<Device>());
        std::vector<double> seen;
        FitOptions<float> fit{
            .epochs = 4, .batch_size = 2, .seed = 2, .verbosity = Verbosity::silent};
        fit.callbacks.push_back(LambdaCallback{
            .batch_end = [&](TrainingRun& run) { seen.push_back(run.scores()["loss"]); }});
        trainer.fit(data.x, data.y, fit);
        return seen;
    };
    const std::vector<double> expected = losses(Cpu(1));
    REQUIRE(expected.size() == 16);
    for (const bool graphs : {true, false}) {
        const std::vector<double> seen = losses(Cuda({.graphs = graphs}));
        REQUIRE(seen.size() == expected.size());
        for (std::size_t i = 0; i < seen.size(); ++i) {
            CAPTURE(i);
            CHECK(relative_gap(seen[i], expected[i]) < 1e-5);
        }
    }
}

TEST_CASE(
    "an update of more batches than a GPU keeps recordings of leaves the bits of single ones") {
    const auto x = random_normal<float>({23, 6}, 1), y = random_normal<float>({23, 1}, 2);
    const auto train = [&](const Cuda& device) {
        Sequential<float> declared{Dense{5, relu}, Dropout{0.3}, Dense{1}};
        declared.build({6}, 4);
        Model<float, Cuda> model = to<Cuda>(declared, device);
        Trainer<float, Cuda> trainer(model, {.loss = MeanSquaredError{}});
        trainer.fit(x, y,
                    {.epochs = 4,
                     .batch_size = 2,
                     .gradient_accumulation_steps = 10,
                     .seed = 3,
                     .verbosity = Verbosity::silent});
        return Tensor<float>(to<Cpu>(model).arena());
    };
    CHECK(identical(train(Cuda()), train(Cuda({.graphs = false}))));
}

TEST_CASE("blocks of batches to an update leave the CPU's parameters") {
    // Updates of n batches of one sample, and one of what is left: in a row up to 64, else in blocks.
    const auto x = random_normal<float>({198, 4}, 1), y = random_normal<float>({198, 1}, 2);
    Sequential<float> declared{Dense{3, relu}, Dense{1}};
    declared.build({4}, 4);
    const auto train = [&]<class Device>(const Device& device, Index n) {
        Model<float, Device> model = to<Device>(declared, device);
        Trainer<float, Device> trainer(
            model, {.optimizer = SGD{.learning_rate = 0.2}, .loss = MeanSquaredError{}});
        trainer.fit(x, y,
                    {.epochs = 2,
                     .batch_size = 1,
                     .gradient_accumulation_steps = n,
                     .seed = 3,
                     .verbosity = Verbosity::silent});
        return Tensor<float>(to<Cpu>(model).arena());
    };
    for (const Index n : {64, 80, 198}) {
        CAPTURE(n);
        CHECK(largest_gap(train(Cuda(), n), train(Cpu(), n), 1) < 1e-5);
    }
}

TEST_CASE("a callback that sets the rate, or the parameters, is heard by recorded steps") {
    const Samples data = seven_samples();
    const auto train = [&](const Cuda& device) {
        Model<float, Cuda> model = to<Cuda>(small_model(), device);
        Trainer<float, Cuda> trainer(model, usual<Cuda>());
        Index batches = 0;
        FitOptions<float> fit{
            .epochs = 4, .batch_size = 2, .seed = 2, .verbosity = Verbosity::silent};
        fit.callbacks.push_back(LambdaCallback{.batch_end = [&](TrainingRun& run) {
            if (++batches % 3 == 0) run.set_learning_rate(0.001 * static_cast<double>(batches));
        }});
        fit.callbacks.push_back(EarlyStopping{
            .monitor = "loss", .patience = 1, .min_delta = 10, .restore_best_weights = true});
        trainer.fit(data.x, data.y, fit);
        trainer.fit(data.x, data.y, {.batch_size = 3, .verbosity = Verbosity::silent});
        return Tensor<float>(to<Cpu>(model).arena());
    };
    CHECK(identical(train(Cuda()), train(Cuda({.graphs = false}))));
}

TEST_CASE("an infinity of a batch norm that a pool applies on a GPU is named as on the CPU") {
    Sequential<float> declared{Conv2D{.filters = 4, .kernel_size = 3, .activation = relu},
                               BatchNorm{}, MaxPool2D{}, Flatten{}, Dense{3, softmax}};
    declared.build({6, 6, 1}, 3);
    for (float& gamma : declared.parameter("batch_norm/gamma")) gamma = 3e38f;
    const Tensor<float> x = random_normal<float>({16, 6, 6, 1}, 1), labels({16});
    const auto message = [&](auto device) {
        using Device = decltype(device);
        Model<float, Device> model = to<Device>(declared, device);
        Trainer<float, Device> trainer(model, usual<Device>());
        const History history = trainer.fit(x, labels, {.verbosity = Verbosity::silent});
        return history.non_finite ? history.non_finite->message() : "nothing";
    };
    CHECK(message(Cuda()) == message(Cpu()));
    CHECK(message(Cpu()).find("batch_norm") != std::string::npos);
}

TEST_CASE("epochs of recorded steps have the scores of the CPU's, under a schedule") {
    const auto x = random_normal<float>({24, 6}, 1), y = random_normal<float>({24, 1}, 2);
    struct Left {
        Tensor<float> parameters;
        std::vector<double> losses;
    };
    const auto train = [&](auto device) {
        using Device = decltype(device);
        Sequential<float> declared{Dense{5, relu}, Dense{1}};
        declared.build({6}, 4);
        Model<float, Device> model = to<Device>(declared, device);
        const auto rate = [](std::int64_t step) { return 0.1 / static_cast<double>(1 + step % 7); };
        Trainer<float, Device> trainer(
            model,
            {.optimizer = SGD{}, .loss = MeanSquaredError{}, .learning_rate_schedule = rate});
        const History history = trainer.fit(
            x, y, {.epochs = 4, .batch_size = 4, .seed = 3, .verbosity = Verbosity::silent});
        Left left{Tensor<float>(to<Cpu>(model).arena()), {}};
        for (const auto& epoch : history.epochs) left.losses.push_back(epoch.scores["loss"]);
        return left;
    };
    const Left expected = train(Cpu());
    REQUIRE(expected.losses.size() == 4);
    for (const bool graphs : {true, false}) {
        CAPTURE(graphs);
        const Left left = train(Cuda({.graphs = graphs}));
        CHECK(largest_gap(left.parameters, expected.parameters) < 1e-5);
        REQUIRE(left.losses.size() == 4);
        for (std::size_t i = 0; i < 4; ++i) {
            CAPTURE(i);
            CHECK(relative_gap(left.losses[i], expected.losses[i]) < 1e-5);
        }
    }
}

TEST_CASE("samples that are bytes on a GPU train to the bits of those that are numbers") {
    Tensor<std::uint8_t> bytes({19, 7});
    Tensor<float> numbers({19, 7}), y({19});
    for (Index i = 0; i < bytes.size(); ++i) {
        bytes[i] = static_cast<std::uint8_t>(255 - i * 37 % 256);
        numbers[i] = bytes[i];
    }
    for (Index i = 0; i < 19; ++i) y[i] = static_cast<float>(i % 4);
    const std::vector<Index> part{18, 2, 1, 0, 16, 4, 3, 11, 9, 7, 5};
    Sequential<float> declared{Rescaling{1.0 / 255}, Dense{6, relu}, BatchNorm{}, Dropout{0.2},
                               Dense{4, softmax}};
    declared.build({7}, 3);
    const auto train = [&](const Examples<float>& data, const CudaOptions& options,
                           Index to_update) {
        Model<float, Cuda> model = to<Cuda>(declared, Cuda(options));
        Trainer<float, Cuda> trainer(model, usual<Cuda>());
        const History history = trainer.fit(data, {.epochs = 3,
                                                   .batch_size = 3,
                                                   .gradient_accumulation_steps = to_update,
                                                   .validation_split = 0.3,
                                                   .seed = 2,
                                                   .verbosity = Verbosity::silent});
        return std::pair(Tensor<float>(to<Cpu>(model).arena()),
                         history.epochs.back().scores["val_loss"]);
    };
    const Examples<float> of_bytes(bytes, y), of_numbers(numbers, y);
    CHECK(of_bytes->inputs_are_bytes());
    for (const bool graphs : {true, false}) {
        for (const Index to_update : {1, 2}) {
            CAPTURE(graphs);
            CAPTURE(to_update);
            for (const bool is_part : {false, true}) {
                const auto of = [&](const Examples<float>& all) {
                    return train(is_part ? subset<float>(all, part) : all, {.graphs = graphs},
                                 to_update);
                };
                const auto found = of(of_bytes), expected = of(of_numbers);
                CHECK(identical(found.first, expected.first));
                CHECK(found.second == expected.second);
            }
        }
    }
}
