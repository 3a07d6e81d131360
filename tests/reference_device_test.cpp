/// \file
/// Models on a second device, all of whose kernels are other ones.
#include "tests/support/allocation_counter.hpp"
#include "tests/support/device_runs.hpp"
#include "tests/support/reference/kernels.hpp"
#include "tests/support/temporary_folder.hpp"
#include "weft/io/model_file.hpp"
#include "weft/training/early_stopping.hpp"
#include "weft/training/lambda_callback.hpp"
#include "weft/training/run_state.hpp"

#include <doctest/doctest.h>

using namespace weft;

TEST_CASE_TEMPLATE("the tutorials' networks train alike by kernels and by their definitions",
                   Scalar, float, double) {
    for (const Tutorial& known : tutorials()) {
        CAPTURE(known.id);
        CHECK(same_training(run_of<Scalar, Cpu>(known), run_of<Scalar, Reference>(known)));
    }
}

TEST_CASE_TEMPLATE("all other kernels train alike by their definitions", Scalar, float, double) {
    const auto runs = other_runs<Scalar, Cpu>();
    const auto expected = other_runs<Scalar, Reference>();
    for (std::size_t i = 0; i < runs.size(); ++i) {
        CAPTURE(i);
        CHECK(same_training(runs[i], expected[i]));
    }
}

TEST_CASE_TEMPLATE("a run that ends early by definitions leaves its best weights, as on the CPU",
                   Scalar, float, double) {
    const auto ending_early = []<class Device>(std::type_identity<Device>) {
        auto run = weighted_run<Scalar, Device>();
        run.fit.epochs = 4;
        // No epoch is better than the first.
        run.fit.callbacks = {EarlyStopping{.monitor = "loss", .patience = 2, .min_delta = 10}};
        return run;
    };
    const auto run = ending_early(std::type_identity<Reference>());
    auto first = weighted_run<Scalar, Reference>();
    first.fit.epochs = 1;
    const Trained left = train(run), expected = train(first);
    CHECK(left.scores.size() == 3 * expected.scores.size());
    CHECK(left.parameters == expected.parameters);
    CHECK(same_training(run, ending_early(std::type_identity<Cpu>())));
}

TEST_CASE_TEMPLATE("a run goes on within an epoch by definitions, from its own state or the CPU's",
                   Scalar, float, double) {
    const auto on_cpu = weighted_run<Scalar, Cpu>();
    const auto run = weighted_run<Scalar, Reference>();
    // Of four steps in two epochs, the state behind the third. The first is that of the start.
    const auto state_of = [](auto saved) {
        std::vector<RunState> states;
        saved.fit.checkpoint =
            run_store([] { return std::nullopt; },
                      [&](const RunState& state) { states.push_back(state); }, /*every_steps=*/1);
        train(saved);
        REQUIRE(states.size() == 5);
        return states[3];
    };
    Index steps = 0;
    const auto resumed = [&](auto from, const RunState& state) {
        from.fit.checkpoint = run_store([=] { return std::optional(state); }, [](const auto&) {});
        from.fit.callbacks = {LambdaCallback{.batch_end = [&](TrainingRun&) { ++steps; }}};
        return from;
    };
    const Trained expected = train(run), left = train(resumed(run, state_of(run)));
    CHECK(steps == 1);
    CHECK(left.parameters == expected.parameters);
    CHECK(left.scores == expected.scores);
    CHECK(same_training(resumed(run, state_of(on_cpu)), on_cpu));
    CHECK(same_training(resumed(on_cpu, state_of(run)), run));
    CHECK(steps == 3);
}

TEST_CASE_TEMPLATE("no step by definitions allocates", Scalar, float, double) {
    const auto allocations_of = [](const Run<Scalar, Reference>& run) {
        const AllocationCounter counter;
        return growth_in_steps(run, [&] { return counter.count(); });
    };
    for (const Tutorial& known : tutorials()) {
        CAPTURE(known.id);
        CHECK(allocations_of(run_of<Scalar, Reference>(known)) == 0);
    }
    for (const auto& run : other_runs<Scalar, Reference>()) CHECK(allocations_of(run) == 0);
}

TEST_CASE("data in memory that is the host's too are predicted from where they are") {
    Sequential<float, Reference> model{Dense{3, relu}, Dense{2}};
    model.build({50}, 4);
    const auto x = random_normal<float>({40, 50}, 1);
    const TensorView<const float, Reference> view(x.data(), x.shape());
    const auto expected = model.predict(view);
    const auto bytes_of = [&](const auto& data) {
        const AllocationCounter counter;
        const auto y = model.predict(data);
        CHECK(std::equal(y.begin(), y.end(), expected.begin(), expected.end()));
        return counter.bytes();
    };
    CHECK(bytes_of(x) == bytes_of(view));
    const Tensor<float> one = model.predict(Tensor<float>(x.sample(7)));
    CHECK(one.shape() == Shape{2});
    CHECK(one[1] == expected(7, 1));
    CHECK_THROWS_AS(model.predict(random_normal<float>({40, 51}, 1)), ShapeError);
}

TEST_CASE("a file of a model says whose kernels computed the outputs in it") {
    const TemporaryFolder folder;
    const auto path = folder.path() / "model.safetensors";
    Sequential<float, Reference> model{Dense{3, relu}, Dense{2}};
    model.build({5}, 4);
    save_model(model, path);
    const std::string build(detail::SafetensorsFile(path).metadata("build"));
    CHECK(build.find(", definitions, ") != std::string::npos);
    CHECK(detail::gives_same_bits<float, Reference>(build));
    CHECK_FALSE(detail::gives_same_bits<float, Cpu>(build));
    const auto loaded = load_model<float, Reference>(path);
    CHECK(std::equal(loaded.arena().begin(), loaded.arena().end(), model.arena().begin()));
    CHECK(load_model<float>(path).parameter_count() == model.parameter_count());
}
