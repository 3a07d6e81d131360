/// \file
/// What training asks of a GPU: kernels a step, graphs, copies, waiting.
#include "sim/control.hpp"
#include "tests/support/device_runs.hpp"
#include "weft/cuda.hpp"
#include "weft/data/augmentation.hpp"
#include "weft/data/random_flip.hpp"
#include "weft/data/random_translation.hpp"
#include "weft/training/lambda_callback.hpp"

#include <doctest/doctest.h>

#include <array>
#include <map>
#include <span>
#include <utility>
#include <vector>

using namespace weft;

namespace {

/// Four batches of 4 samples, an epoch of them.
FitOptions<float> epochs(Index count) {
    return {.epochs = count, .batch_size = 4, .seed = 3, .verbosity = Verbosity::silent};
}

/// What the n-th epoch of a training asks for: the difference between n epochs and n - 1.
struct Asked {
    long kernels = 0, graphs = 0, synchronisations = 0, copies_to_device = 0, copies_to_host = 0,
         allocations = 0;
};

Asked asked_in_epoch(const Tutorial& tutorial, Index n) {
    const auto count = [&](Index epochs_to_run) {
        Run<float, Cuda> run = run_of<float, Cuda>(tutorial);
        const Shape sample = run.x.shape().sample();
        const auto x = random_uniform<float>(sample.batch(16), 1, 0, 1);
        Tensor<float> labels({16});
        for (Index i = 0; i < 16; ++i) labels[i] = static_cast<float>(i % 10);
        run.model.build(sample, 7);
        run.trainer.metrics = {Accuracy{}};
        Trainer<float, Cuda> trainer(run.model, run.trainer);
        cuda_sim::counts() = {};
        trainer.fit(x, labels, epochs(epochs_to_run));
        const cuda_sim::Counts& counts = cuda_sim::counts();
        return Asked{std::ssize(counts.kernels), counts.graphs,         counts.synchronisations,
                     counts.copies_to_device,    counts.copies_to_host, counts.allocations};
    };
    const Asked all = count(n), before = count(n - 1);
    return {all.kernels - before.kernels,
            all.graphs - before.graphs,
            all.synchronisations - before.synchronisations,
            all.copies_to_device - before.copies_to_device,
            all.copies_to_host - before.copies_to_host,
            all.allocations - before.allocations};
}

/// The kernels of a step that counts right predictions. A change is welcome where it lowers one.
const std::map<std::string, long> kernels_of_step{
    {"mlp", 9},     {"mlp-wide", 12}, {"dense-on-rows", 12},
    {"cnn", 14},    {"mlp-deep", 27}, {"cnn-deep", 40},
    {"cnn-bn", 34}, {"cnn-wide", 28}, {"cnn-augmented", 46},
    {"resnet", 189}};

}  // namespace

TEST_CASE("steps of training on a GPU are one graph, and the host waits once an epoch") {
    for (const Tutorial& known : tutorials()) {
        CAPTURE(known.id);
        const Asked epoch = asked_in_epoch(known, 3);
        CHECK(epoch.graphs == 1);
        // Two more look through the parameters behind the last step.
        CHECK(epoch.kernels == 4 * kernels_of_step.at(known.id) + 2);
        CHECK(epoch.copies_to_host == 1);
        CHECK(epoch.synchronisations == 1);
        // The order, the tally, and the table of steps with how many of them are taken.
        CHECK(epoch.copies_to_device == 4);
        CHECK(epoch.allocations == 0);
    }
}

TEST_CASE("clipping, decay and penalties take no kernel of an update, constraints one") {
    const auto x = random_normal<float>({16, 6}, 1), y = random_normal<float>({16, 3}, 2);
    const auto kernels_of = [&](const Dense& dense, const kernels::GradientClipping& clipping,
                                const OptimizerDeclaration<float, Cuda>& optimizer) {
        const auto asked = [&](Index epochs_to_run) {
            Sequential<float, Cuda> model{dense, dense, dense};
            model.build({6}, 4);
            Trainer<float, Cuda> trainer(
                model, {.optimizer = optimizer, .loss = MeanSquaredError{}, .clipping = clipping});
            cuda_sim::counts() = {};
            trainer.fit(x, y, epochs(epochs_to_run));
            return std::ssize(cuda_sim::counts().kernels);
        };
        return (asked(3) - asked(2)) / 4;
    };
    const auto plain = kernels_of({3}, {}, Adam{});
    const kernels::GradientClipping clipping{.value = 0.1, .global_norm = 0.2};
    for (const OptimizerDeclaration<float, Cuda>& optimizer :
         {OptimizerDeclaration<float, Cuda>(AdamW{}),
          {Adam{}},
          {RMSprop{.momentum = 0.9}},
          {SGD{}},
          {SGD{.momentum = 0.9}}}) {
        CAPTURE(optimizer.type());
        CHECK(kernels_of({3}, clipping, optimizer) == plain);
    }
    // Penalties are scored by a kernel of their own.
    const Dense penalised{.units = 3, .kernel_regularizer = l1_l2(0.01, 0.02)};
    CHECK(kernels_of(penalised, clipping, AdamW{}) == plain + 1);
    for (const Constraint& constraint : {max_norm(0.5), Constraint(unit_norm), {non_negative}}) {
        const Dense constrained{.units = 3,
                                .kernel_regularizer = l1_l2(0.01, 0.02),
                                .kernel_constraint = constraint,
                                .bias_constraint = max_norm(0.1)};
        CHECK(kernels_of(constrained, clipping, AdamW{}) == plain + 2);
    }
}

TEST_CASE("34 constraints of a model take three kernels of an update") {
    const auto x = random_normal<float>({16, 2}, 1), y = random_normal<float>({16, 2}, 2);
    const auto kernels_of = [&](const Constraint& constraint) {
        const auto asked = [&](Index epochs_to_run) {
            Sequential<float, Cuda> model;
            for (int i = 0; i < 17; ++i) {
                model.add(Dense{
                    .units = 2, .kernel_constraint = constraint, .bias_constraint = constraint});
            }
            model.build({2}, 4);
            Trainer<float, Cuda> trainer(model, {.loss = MeanSquaredError{}});
            cuda_sim::counts() = {};
            trainer.fit(x, y, epochs(epochs_to_run));
            return std::ssize(cuda_sim::counts().kernels);
        };
        return (asked(3) - asked(2)) / 4;
    };
    CHECK(kernels_of(max_norm(0.5)) == kernels_of({}) + 3);
}

TEST_CASE("an epoch of two steps is one graph, and the table of steps goes to a GPU once") {
    const auto x = random_normal<float>({8, 6}, 1), y = random_normal<float>({8, 1}, 2);
    const auto asked = [&](Index epochs_to_run) {
        Sequential<float, Cuda> model{Dense{5, relu}, Dense{1}};
        model.build({6}, 4);
        Trainer<float, Cuda> trainer(model, {.loss = MeanSquaredError{}});
        cuda_sim::counts() = {};
        trainer.fit(x, y, epochs(epochs_to_run));
        return std::pair(cuda_sim::counts().graphs, cuda_sim::counts().copies_to_device);
    };
    const auto all = asked(4), before = asked(3);
    CHECK(all.first - before.first == 1);
    // The order, the tally, and the table of steps with how many of them are taken.
    CHECK(all.second - before.second == 4);
}

TEST_CASE("constraints on a GPU are a kernel for each 16, apart for long columns") {
    const auto kernels_of = [](const std::vector<Shape>& shapes) {
        Cuda device;
        std::vector<Tensor<float, Cuda>> parameters;
        std::vector<kernels::ConstrainedParameter<float>> constraints;
        for (const Shape& shape : shapes) {
            Tensor<float, Cuda>& w = parameters.emplace_back(shape, device);
            constraints.push_back({w.data(), shape[0], shape[1], /*limits_norms=*/true, 1});
        }
        cuda_sim::counts() = {};
        kernels::constrain<float>(device, std::span(std::as_const(constraints)));
        return std::ssize(cuda_sim::counts().kernels);
    };
    CHECK(kernels_of({}) == 0);
    CHECK(kernels_of(std::vector<Shape>(16, Shape{3, 4})) == 1);
    CHECK(kernels_of(std::vector<Shape>(17, Shape{3, 4})) == 2);
    CHECK(kernels_of({{8191, 8}, {3, 4}}) == 1);
    CHECK(kernels_of({{8192, 8}, {3, 4}}) == 3);
}

TEST_CASE("batches that go to a GPU one by one, or have weights, are a graph each") {
    const auto x = random_normal<float>({16, 6}, 1), y = random_normal<float>({16, 1}, 2);
    struct Counted {
        long kernels, graphs, allocations;
    };
    const auto epoch = [&](bool is_resident, bool weighs, bool graphs = true) {
        const auto asked = [&](Index epochs_to_run) {
            Sequential<float, Cuda> model{Dense{5, relu}, Dense{1}};
            model.set_device(Cuda({.graphs = graphs}));
            model.build({6}, 4);
            Trainer<float, Cuda> trainer(model, {.loss = MeanSquaredError{}});
            auto fit = epochs(epochs_to_run);
            if (!is_resident) fit.resident_bytes = 0;
            if (weighs) fit.sample_weight.assign(16, 0.5);
            cuda_sim::counts() = {};
            trainer.fit(x, y, fit);
            const cuda_sim::Counts& counts = cuda_sim::counts();
            return Counted{std::ssize(counts.kernels), counts.graphs, counts.allocations};
        };
        const Counted all = asked(3), before = asked(2);
        return Counted{all.kernels - before.kernels, all.graphs - before.graphs,
                       all.allocations - before.allocations};
    };
    CHECK(epoch(true, false).graphs == 1);
    for (const bool is_resident : {false, true}) {
        for (const bool weighs : {false, true}) {
            if (is_resident && !weighs) continue;
            CAPTURE(is_resident);
            CAPTURE(weighs);
            const Counted recorded = epoch(is_resident, weighs);
            CHECK(recorded.graphs == 4);
            CHECK(recorded.allocations == 0);
            const Counted one_by_one = epoch(is_resident, weighs, false);
            CHECK(one_by_one.graphs == 0);
            CHECK(recorded.kernels == one_by_one.kernels);
        }
    }
}

TEST_CASE("samples that a GPU has no memory for go there batch by batch") {
    const auto x = random_normal<float>({4000, 100}, 1), y = random_normal<float>({4000, 1}, 2);
    std::size_t most = 0;
    const auto train = [&](Index resident_bytes) {
        Sequential<float, Cuda> model{Dense{1}};
        model.build({100}, 4);
        Trainer<float, Cuda> trainer(model, {.loss = MeanSquaredError{}});
        FitOptions<float> fit{.batch_size = 500,
                              .seed = 3,
                              .verbosity = Verbosity::silent,
                              .resident_bytes = resident_bytes};
        fit.callbacks.push_back(
            LambdaCallback{.batch_end = [&](TrainingRun&) { most = cuda_sim::memory_in_use(); }});
        trainer.fit(x, y, fit);
        return Tensor<float>(to<Cpu>(model).arena());
    };
    const auto expected = train(0);
    const std::size_t by_batch = most;
    CHECK(identical(train(Index{1} << 30), expected));
    const std::size_t resident = most;
    REQUIRE(resident > by_batch + 4000 * 100 * sizeof(float));
    const std::size_t all = cuda_sim::options().memory_bytes;
    cuda_sim::options().memory_bytes = (by_batch + resident) / 2;
    CHECK(identical(train(Index{1} << 30), expected));
    CHECK(most < resident);
    cuda_sim::options().memory_bytes = all;
}

TEST_CASE("samples that are bytes take a quarter of the memory of a GPU, and no kernel more") {
    const Tensor<std::uint8_t> bytes({4000, 128});
    const Tensor<float> numbers({4000, 128}), y({4000, 1});
    struct Taken {
        std::size_t memory = 0;
        long kernels = 0, graphs = 0, copies_to_device = 0, allocations = 0;
    };
    const auto train = [&](const Examples<float>& data, Index epochs_to_run, Index resident_bytes) {
        Sequential<float, Cuda> model{Dense{1}};
        model.build({128}, 4);
        Trainer<float, Cuda> trainer(model, {.loss = MeanSquaredError{}});
        FitOptions<float> fit{.epochs = epochs_to_run,
                              .batch_size = 500,
                              .seed = 3,
                              .verbosity = Verbosity::silent,
                              .resident_bytes = resident_bytes};
        Taken taken;
        fit.callbacks.push_back(LambdaCallback{
            .epoch_end = [&](TrainingRun&) { taken.memory = cuda_sim::memory_in_use(); }});
        cuda_sim::counts() = {};
        trainer.fit(data, fit);
        const cuda_sim::Counts& counts = cuda_sim::counts();
        taken.kernels = std::ssize(counts.kernels);
        taken.graphs = counts.graphs;
        taken.copies_to_device = counts.copies_to_device;
        taken.allocations = counts.allocations;
        return taken;
    };
    const Examples<float> of_bytes(bytes, y), of_numbers(numbers, y);
    constexpr Index enough = Index{1} << 30;
    const std::size_t fewer =
        train(of_numbers, 1, enough).memory - train(of_bytes, 1, enough).memory;
    CHECK(fewer == 4000 * 128 * 3);
    const auto in_epoch = [&](const Examples<float>& data) {
        const Taken all = train(data, 3, enough), before = train(data, 2, enough);
        return std::array{all.kernels - before.kernels, all.graphs - before.graphs,
                          all.copies_to_device - before.copies_to_device,
                          all.allocations - before.allocations};
    };
    CHECK(in_epoch(of_bytes) == in_epoch(of_numbers));
}

TEST_CASE("images that a GPU augments are changed by one kernel more, recorded with the step") {
    const auto x = random_uniform<float>({16, 9, 8}, 1, 0, 1);
    const Tensor<float> y({16});
    const auto asked = [&](const Examples<float>& examples, Index epochs_to_run) {
        Sequential<float, Cuda> model{Flatten{}, Dense{1}};
        model.build({9, 8}, 4);
        Trainer<float, Cuda> trainer(model, {.loss = MeanSquaredError{}});
        cuda_sim::counts() = {};
        trainer.fit(examples, epochs(epochs_to_run));
        const cuda_sim::Counts& counts = cuda_sim::counts();
        return std::array{std::ssize(counts.kernels), counts.graphs, counts.copies_to_device};
    };
    const auto in_epoch = [&](const Examples<float>& examples) {
        auto all = asked(examples, 3);
        const auto before = asked(examples, 2);
        for (std::size_t i = 0; i < all.size(); ++i) all[i] -= before[i];
        return all;
    };
    const Examples<float> plain(x, y);
    const auto expected = in_epoch(plain);
    const auto augmented_ones =
        in_epoch(augmented(plain, {RandomFlip{}, RandomTranslation{.width_factor = 0.1}}));
    CHECK(augmented_ones[0] == expected[0] + 4);
    CHECK(augmented_ones[1] == expected[1]);
    CHECK(augmented_ones[2] == expected[2] + 1);
}
