// Subnormal numbers, which slow some processors down by a hundred times: none is left by training
// or prediction, whatever decays.
#include "tests/support/compare.hpp"
#include "tests/support/random_tensor.hpp"
#include "weft/cpu.hpp"
#include "weft/layers/batch_norm.hpp"
#include "weft/layers/dense.hpp"
#include "weft/layers/flatten.hpp"
#include "weft/losses/mean_squared_error.hpp"
#include "weft/losses/sparse_categorical_crossentropy.hpp"
#include "weft/optimizers/adamw.hpp"
#include "weft/optimizers/rmsprop.hpp"
#include "weft/optimizers/sgd.hpp"
#include "weft/training/run_state.hpp"
#include "weft/training/trainer.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <optional>

using namespace weft;

namespace {

Index count_subnormal(TensorView<const float> x) {
    return std::ranges::count_if(x, [](float v) { return std::fpclassify(v) == FP_SUBNORMAL; });
}

/// The subnormal numbers among all that a run keeps: weights, statistics, the optimiser's vectors.
Index count_subnormal(const RunState& state) {
    Index count = 0;
    for (const RunState::Value& value : state.values) {
        if (value.type != RunState::Type::float32) continue;
        const auto* numbers = reinterpret_cast<const float*>(value.bytes.data());
        count += count_subnormal({numbers, value.shape});
    }
    return count;
}

/// Steps with all inputs, then many in which half of them are dark: what was learnt of the dark
/// ones decays. Gives the state after it.
RunState train_into_the_dark(OptimizerDeclaration<float, Cpu> optimizer, const Cpu& device) {
    constexpr Index inputs = 12, samples = 8;
    Tensor<float> bright = random_uniform<float>({samples, inputs}, 1, 0, 1), dark = bright;
    for (Index i = 0; i < samples; ++i) {
        for (Index j = 0; j < inputs / 2; ++j) dark[i * inputs + j] = 0;
    }
    const std::vector<std::uint8_t> labels{0, 1, 2, 0, 1, 2, 0, 1};
    Sequential<float> model{Input{{inputs}}, Dense{9, relu}, Dense{3, softmax}};
    model.set_device(device);
    Trainer trainer(model,
                    {.optimizer = std::move(optimizer), .loss = SparseCategoricalCrossentropy{}});
    FitOptions<float> options{.epochs = 5, .batch_size = 4, .verbosity = Verbosity::silent};
    trainer.fit(bright, labels, options);
    RunState state;
    options.epochs = 600;  // 0.9^1200 is 1e-55
    options.checkpoint = run_store([]() -> std::optional<RunState> { return {}; },
                                   [&](const RunState& kept) { state = kept; });
    trainer.fit(dark, labels, options);
    return state;
}

}  // namespace

TEST_CASE(
    "what an optimiser keeps of weights without gradient decays to 0, not through subnormals") {
    const OptimizerDeclaration<float, Cpu> optimizers[] = {
        Adam{}, AdamW{.weight_decay = 0.1}, SGD{.momentum = 0.9},
        RMSprop{.rho = 0.8, .momentum = 0.9, .centered = true}};
    for (const auto& optimizer : optimizers) {
        CAPTURE(optimizer.type());
        const RunState state = train_into_the_dark(optimizer, Cpu(1));
        REQUIRE_FALSE(state.values.empty());
        CHECK(count_subnormal(state) == 0);
    }
}

TEST_CASE("training through subnormals has the same bits for any number of threads") {
    const RunState one = train_into_the_dark(Adam{}, Cpu::exactly(1));
    const RunState three = train_into_the_dark(Adam{}, Cpu::exactly(3));
    REQUIRE(one.values.size() == three.values.size());
    for (std::size_t i = 0; i < one.values.size(); ++i) {
        const Buffer &a = one.values[i].bytes, &b = three.values[i].bytes;
        // Seconds are no result.
        if (one.values[i].type != RunState::Type::float32) continue;
        CHECK(a.size() == b.size());
        CHECK(std::memcmp(a.data(), b.data(), a.size()) == 0);
    }
}

TEST_CASE("moving statistics of channels gone dark decay to 0, not through subnormals") {
    Sequential<float> model{Input{{4}}, BatchNorm{.momentum = 0.5}, Dense{1}};
    Trainer trainer(model, {.loss = MeanSquaredError{}});
    Tensor<float> x = random_uniform<float>({8, 4}, 2, 1, 2);
    const Tensor<float> y({8, 1});
    FitOptions<float> options{.batch_size = 8, .verbosity = Verbosity::silent};
    trainer.fit(x, y, options);
    for (Index i = 0; i < 8; ++i) x[4 * i] = 0;
    options.epochs = 140;  // 0.5^140 is 7e-43, a subnormal
    trainer.fit(x, y, options);
    CHECK(count_subnormal(std::as_const(model).arena()) == 0);
    CHECK(std::as_const(model).parameter("batch_norm/moving_mean")[0] == 0);
}

TEST_CASE("weights that only decay become 0, not subnormal") {
    Sequential<float> model{Input{{2}}, Dense{.units = 3, .kernel_regularizer = l2(0.25)}};
    Trainer trainer(model, {.optimizer = SGD{.learning_rate = 1.0}, .loss = MeanSquaredError{}});
    const Tensor<float> x({4, 2}), y({4, 3});
    trainer.fit(x, y, {.epochs = 130, .batch_size = 4, .verbosity = Verbosity::silent});
    CHECK(count_subnormal(std::as_const(model).arena()) == 0);
}

TEST_CASE("predictions too small for full precision are 0, alone and in a batch") {
    Sequential<float> model{Input{{2}}, Dense{2}};
    for (float& w : model.parameter("dense/kernel")) w = 1e-30f;
    Tensor<float> x({40, 2});
    for (Index i = 0; i < 40; ++i) x[2 * i] = i < 20 ? 1e-7f : 1e-9f;  // 1e-39 is subnormal
    for (const Cpu& device : {Cpu::exactly(1), Cpu::exactly(3)}) {
        model.set_device(device);
        const Tensor<float> p = model.predict(x);
        CHECK(count_subnormal(p) == 0);
        CHECK(p[2 * 19] > 0);
        CHECK(p[2 * 20] == 0);
        for (const Index i : {0, 19, 20, 39}) {
            CHECK(identical(model.predict(x.sample(i)), p.sample(i)));
        }
    }
}

TEST_CASE("passes called by hand have the bits of predict, also in small numbers") {
    Sequential<float> model{Input{{2}}, Dense{2}};
    for (float& w : model.parameter("dense/kernel")) w = 1e-30f;
    Tensor<float> x({3, 2});
    for (Index i = 0; i < 3; ++i) x[2 * i] = i == 0 ? 1e-7f : 1e-9f;
    const Tensor<float> expected = model.predict(x);
    auto inference = model.make_workspace(3, PassKind::inference);
    auto training = model.make_workspace(3, PassKind::training);
    const PassOptions options{.training = true};
    CHECK(identical(model.forward(inference, x), expected));
    CHECK(identical(model.forward(inference, x, PassOptions{}), expected));
    CHECK(identical(model.forward(training, x, options), expected));
    std::ranges::fill(model.output_gradient(training, 3), 1e-35f);
    Tensor<float> gradients(model.trainable_parameters().shape());
    model.backward(training, x, options, gradients);
    CHECK(count_subnormal(gradients) == 0);
}
