// What is left of a run in which a number went wrong.
#include "weft/training/detail/non_finite_guard.hpp"

#include "tests/support/compare.hpp"
#include "tests/support/random_tensor.hpp"
#include "tests/support/walled_device.hpp"
#include "weft/model/to_device.hpp"
#include "weft/training/lambda_callback.hpp"
#include "weft/weft.hpp"

#include <doctest/doctest.h>

#include <limits>

using namespace weft;
using kernels::Walled;

namespace {

/// A regression in 10 batches of 4 samples; the fifth has a NaN, if asked to.
struct Regression {
    Tensor<float> x = random_normal<float>({40, 3}, 1), y = random_normal<float>({40, 1}, 2);

    explicit Regression(bool is_broken = true) {
        if (is_broken) x(16, 0) = std::numeric_limits<float>::quiet_NaN();
    }
};

template <class Device>
Sequential<float, Device> regression_model() {
    Sequential<float> model{Dense{4, relu}, BatchNorm{}, Dropout{0.2}, Dense{1}};
    model.build({3}, 1);
    return to<Device>(model);
}

FitOptions<float> in_order(std::vector<CallbackHandle> callbacks = {}) {
    return {.batch_size = 4,
            .shuffle = false,
            .verbosity = Verbosity::silent,
            .callbacks = std::move(callbacks)};
}

/// Begins to listen in the eighth batch of an epoch, or a little before.
struct LateListener {
    mutable int asked = 0;
    int told = 0;

    bool listens_to_batches() const { return ++asked > 7; }
    void on_batch_end(TrainingRun&) { ++told; }
};

}  // namespace

TEST_CASE_TEMPLATE("a rate that a callback set stays when a number goes wrong", Device, Cpu,
                   Walled) {
    const Regression data;
    const auto set = [](TrainingRun& run) { run.set_learning_rate(5e-5); };
    const auto set_in_second_batch = [&](TrainingRun& run) {
        if (run.step() == 2) set(run);
    };
    for (const LambdaCallback& callback :
         {LambdaCallback{.train_begin = set}, LambdaCallback{.epoch_begin = set},
          LambdaCallback{.batch_end = set_in_second_batch}}) {
        auto model = regression_model<Device>();
        Trainer<float, Device> trainer(model, {.optimizer = Adam{}, .loss = MeanSquaredError{}});
        const History history = trainer.fit(data.x, data.y, in_order({callback}));
        REQUIRE(history.non_finite);
        CHECK(history.non_finite->step == 5);
        CHECK(trainer.steps() == 4);
        CHECK(trainer.learning_rate() == 5e-5);
    }
}

TEST_CASE_TEMPLATE("a callback that begins to listen is told of no batch behind a wrong number",
                   Device, Cpu, Walled) {
    for (const bool is_broken : {false, true}) {
        const Regression data(is_broken);
        auto model = regression_model<Device>();
        Trainer<float, Device> trainer(model, {.loss = MeanSquaredError{}});
        LateListener late;
        const History history = trainer.fit(data.x, data.y, in_order({late}));
        CHECK(history.non_finite.has_value() == is_broken);
        CHECK((late.told == 0) == is_broken);
        CHECK(trainer.steps() == (is_broken ? 4 : 10));
    }
}

TEST_CASE("an exception behind a wrong number leaves the counts of the steps before it") {
    const Regression data;
    const auto rate = [](std::int64_t step) { return 0.01 / static_cast<double>(step + 1); };
    for (const Index group : {1, 2}) {
        CAPTURE(group);
        const Index good_steps = 4 / group, failing = 8 / group;
        const auto schedule = [&](std::int64_t step) {
            if (step == failing) throw std::runtime_error("no rate");
            return rate(step);
        };
        auto model = regression_model<Walled>();
        Trainer<float, Walled> trainer(
            model, {.loss = MeanSquaredError{}, .learning_rate_schedule = schedule});
        auto options = in_order();
        options.gradient_accumulation_steps = group;
        CHECK_THROWS_WITH(trainer.fit(data.x, data.y, options), "no rate");
        CHECK(trainer.steps() == good_steps);
        CHECK(trainer.learning_rate() == rate(good_steps - 1));

        auto good = regression_model<Cpu>();
        Trainer<float, Cpu> of_good(
            good, {.loss = MeanSquaredError{}, .learning_rate_schedule = schedule});
        of_good.fit(data.x.slice(0, 16), data.y.slice(0, 16), options);
        CHECK(identical(to<Cpu>(model).arena(), std::as_const(good).arena()));
    }
}

TEST_CASE_TEMPLATE("scores are there at the end of a run whose model is gone", Device, Cpu,
                   Walled) {
    const Regression data(false);
    auto model = std::make_unique<Sequential<float, Device>>(regression_model<Device>());
    Trainer<float, Device> trainer(*model, {.loss = MeanSquaredError{}});
    // At the beginning of an epoch: what a device summed is not on the host yet.
    double loss_at_end = -1;
    const LambdaCallback destroy{
        .epoch_begin = [&](TrainingRun&) { model.reset(); },
        .train_end = [&](TrainingRun& run) { loss_at_end = run.scores()["loss"]; }};
    CHECK_THROWS_AS(trainer.fit(data.x, data.y, in_order({destroy})), ArgumentError);
    CHECK(loss_at_end == 0);
}
