// Training and predicting where any operation fails.
#include "tests/faults/survive.hpp"
#include "tests/support/temporary_folder.hpp"
#include "weft/data/augmentation.hpp"
#include "weft/data/prefetched.hpp"
#include "weft/io/checkpoint_file.hpp"
#include "weft/io/model_checkpoint.hpp"
#include "weft/io/weights.hpp"
#include "weft/report/tensorboard_logger.hpp"
#include "weft/training/csv_logger.hpp"
#include "weft/weft.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <memory>

using namespace weft;
using namespace weft::faults;
namespace fs = std::filesystem;

namespace {

struct Data {
    Tensor<float> x;
    Tensor<std::uint8_t> y;

    Data(Index count, const Shape& sample) : x(sample.batch(count)), y(Shape{count}) {
        const RandomStream random(1, RandomPurpose::user);
        for (Index i = 0; i < x.size(); ++i) {
            x[i] = static_cast<float>(random.uniform(static_cast<std::uint64_t>(i)));
        }
        for (Index i = 0; i < count; ++i) y[i] = static_cast<std::uint8_t>(i % 3);
    }
};

std::vector<float> numbers(const Tensor<float>& tensor) { return {tensor.begin(), tensor.end()}; }

/// A model and its trainer.
struct Learner {
    Sequential<float> model{Conv2D{.filters = 2, .kernel_size = 3, .activation = relu},
                            BatchNorm{},
                            MaxPool2D{},
                            Dropout{0.25},
                            Flatten{},
                            Dense{3, softmax}};
    Trainer<float, Cpu> trainer;

    explicit Learner(int threads)
        : trainer(model, {.loss = SparseCategoricalCrossentropy{}, .metrics = {Accuracy{}}}) {
        model.set_device(Cpu::exactly(threads));
    }

    std::vector<float> weights() const {
        std::vector<float> all;
        for (const ParameterInfo& parameter : model.parameters()) {
            const auto view = model.parameter(parameter.name);
            all.insert(all.end(), view.begin(), view.end());
        }
        return all;
    }
};

/// Work that trains, by a call of fit with a new learner. After it, training goes on.
Work trains(std::string name, int threads, std::function<History(Learner&)> fit) {
    Learner first(threads);
    fit(first);
    return {.name = std::move(name),
            .prepare =
                [=, right = first.weights()] {
                    const auto learner = std::make_shared<Learner>(threads);
                    return Attempt{[=] { fit(*learner); },
                                   [=](bool is_done) {
                                       if (is_done) CHECK(learner->weights() == right);
                                       const History more = fit(*learner);
                                       CHECK(std::isfinite(more["loss"].back()));
                                   }};
                },
            .names = {"fit"},
            .most_places = 200};
}

}  // namespace

TEST_CASE("a trainer trains on after a failure") {
    const Data data(20, {8, 8, 1});
    const FitOptions<float> options{
        .epochs = 2, .batch_size = 8, .validation_split = 0.2, .verbosity = Verbosity::silent};
    for (const int threads : {1, 2}) {
        survive(trains("fit", threads, [&](Learner& learner) {
            return learner.trainer.fit(data.x, data.y, options);
        }));
        const Examples<float> changed =
            augmented(Examples<float>(data.x, data.y),
                      {RandomFlip{FlipMode::horizontal}, RandomRotation{0.1}, RandomErasing{}});
        survive(trains("fit of augmented data", threads,
                       [&](Learner& learner) { return learner.trainer.fit(changed, options); }));
        survive(trains("fit of prefetched data", threads, [&](Learner& learner) {
            return learner.trainer.fit(prefetched(changed, 2), options);
        }));
    }
}

TEST_CASE("an epoch's order, and no thread to make it ahead") {
    const Data data(16'384, {1});
    const auto train = [&](Sequential<float>& model) {
        Trainer trainer(model, {.loss = SparseCategoricalCrossentropy{}});
        trainer.fit(data.x, data.y,
                    {.epochs = 3, .batch_size = 8192, .verbosity = Verbosity::silent});
        return numbers(model.predict(data.x));
    };
    const auto make = [] {
        auto model = std::make_shared<Sequential<float>>(Dense{3, softmax});
        model->set_device(Cpu(1));
        return model;
    };
    const std::vector<float> right = train(*make());
    survive({.name = "fit of many samples",
             .prepare =
                 [&] {
                     const auto found = std::make_shared<std::vector<float>>();
                     return Attempt{[&, model = make(), found] { *found = train(*model); },
                                    [&, found](bool is_done) {
                                        if (is_done) CHECK(*found == right);
                                    }};
                 },
             .names = {"fit"},
             .most_places = 40});
}

TEST_CASE("a trainer whose model was built anew") {
    const Data small(12, {8, 8, 1}), large(12, {10, 10, 1});
    const FitOptions<float> options{.epochs = 1, .batch_size = 4, .verbosity = Verbosity::silent};
    for (const Data* data : {&small, &large}) {
        Learner anew(1);
        anew.model.build(data->x.shape().sample(), 5);
        anew.trainer.fit(data->x, data->y, options);
        const auto built_again = [&] {
            const auto learner = std::make_shared<Learner>(1);
            learner->trainer.fit(small.x, small.y, options);
            learner->model.build(data->x.shape().sample(), 5);
            return learner;
        };
        survive({.name = "fit of a model that was built again",
                 .prepare =
                     [&] {
                         const auto learner = built_again();
                         const auto fit = [&, learner] {
                             learner->trainer.fit(data->x, data->y, options);
                         };
                         return Attempt{fit, [&, fit, learner](bool is_done) {
                                            if (!is_done) {
                                                learner->model.build(data->x.shape().sample(), 5);
                                                fit();
                                            }
                                            CHECK(learner->weights() == anew.weights());
                                        }};
                     },
                 .names = {"fit"},
                 .most_places = 300});
        survive({.name = "fit that fails before its first step",
                 .prepare =
                     [&] {
                         const auto learner = built_again();
                         const auto fit = [&, learner] {
                             learner->trainer.fit(data->x, data->y, options);
                         };
                         return Attempt{fit, [&, fit, learner, before = learner->weights()](bool) {
                                            if (learner->weights() == before) fit();
                                            CHECK(std::isfinite(learner->weights()[0]));
                                        }};
                     },
                 .names = {"fit"},
                 .most_places = 300});
    }
}

TEST_CASE("predictions and scores") {
    const Data data(20, {8, 8, 1});
    for (const int threads : {1, 2}) {
        const auto learner = std::make_shared<Learner>(threads);
        learner->model.build({8, 8, 1}, 3);
        const std::vector<float> right = numbers(learner->model.predict(data.x));
        survive({.name = "predict",
                 .prepare =
                     [&] {
                         const auto found = std::make_shared<std::vector<float>>();
                         const auto copy = std::make_shared<Sequential<float>>(learner->model);
                         return Attempt{
                             [&, found, copy] { *found = numbers(copy->predict(data.x)); },
                             [&, found, copy](bool is_done) {
                                 if (is_done) CHECK(*found == right);
                                 CHECK(numbers(copy->predict(data.x)) == right);
                             }};
                     },
                 .names = {"predict"}});
        const double loss = learner->trainer.evaluate(data.x, data.y)["loss"];
        survive({.name = "evaluate",
                 .prepare =
                     [&] {
                         const auto found = std::make_shared<double>(0);
                         const auto evaluate = [&] {
                             return learner->trainer.evaluate(data.x, data.y)["loss"];
                         };
                         return Attempt{[=] { *found = evaluate(); },
                                        [&, evaluate, found](bool is_done) {
                                            if (is_done) CHECK(*found == loss);
                                            CHECK(evaluate() == loss);
                                        }};
                     },
                 .names = {"evaluate"}});
    }
}

TEST_CASE("a run with all that writes files goes on from its checkpoint to the same bits") {
    const TemporaryFolder folder;
    const Data data(20, {8, 8, 1});
    const fs::path run = folder / "run", log = folder / "log.csv", best = folder / "best",
                   events = folder / "events";
    const auto fit = [&](Learner& learner) {
        ModelCheckpoint checkpoint(learner.model, best);
        learner.trainer.fit(
            data.x, data.y,
            {.epochs = 3,
             .batch_size = 8,
             .validation_split = 0.2,
             .verbosity = Verbosity::silent,
             .callbacks = {EarlyStopping{.patience = 5}, ReduceLROnPlateau{.patience = 1},
                           CSVLogger{log}, checkpoint, TensorBoardLogger{events}},
             .checkpoint = checkpoint_file(run, {.every_steps = 1})});
    };
    const auto clear = [&] {
        for (const auto& entry : fs::directory_iterator(folder.path())) fs::remove_all(entry);
    };
    Learner first(1);
    fit(first);
    const std::vector<float> right = first.weights();
    const std::string right_log = contents_of(log);
    survive(
        {.name = "fit with a checkpoint, logs and the best weights",
         .prepare =
             [&] {
                 clear();
                 const auto learner = std::make_shared<Learner>(1);
                 return Attempt{
                     [&, learner] { fit(*learner); },
                     [&, learner](bool is_done) {
                         if (is_done) CHECK(learner->weights() == right);
                         if (fs::exists(run)) CHECK_NOTHROW(detail::read_checkpoint(run));
                         if (fs::exists(best)) {
                             Learner other(1);
                             other.model.build({8, 8, 1}, 1);
                             CHECK_NOTHROW(load_weights(other.model, best));
                         }
                         for (const auto& entry : fs::directory_iterator(folder.path())) {
                             const fs::path& path = entry.path();
                             CHECK((path == run || path == log || path == best || path == events));
                         }
                         Learner resumed(1);
                         fit(resumed);
                         CHECK(resumed.weights() == right);
                         CHECK(contents_of(log) == right_log);
                         const History more = learner->trainer.fit(
                             data.x, data.y, {.epochs = 1, .verbosity = Verbosity::silent});
                         CHECK(std::isfinite(more["loss"].back()));
                     }};
             },
         .names = {folder.path().string()},
         .most_places = 100,
         .left_out = {Kind::remove}});
}
