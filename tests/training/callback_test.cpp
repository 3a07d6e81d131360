#include "weft/training/callback.hpp"

#include "tests/support/compare.hpp"
#include "tests/support/io_error.hpp"
#include "tests/support/keras_model.hpp"
#include "tests/support/random_tensor.hpp"
#include "tests/support/temporary_folder.hpp"
#include "weft/layers/batch_norm.hpp"
#include "weft/layers/dense.hpp"
#include "weft/layers/flatten.hpp"
#include "weft/losses/mean_squared_error.hpp"
#include "weft/losses/sparse_categorical_crossentropy.hpp"
#include "weft/optimizers/sgd.hpp"
#include "weft/training/best_checkpoint.hpp"
#include "weft/training/csv_logger.hpp"
#include "weft/training/early_stopping.hpp"
#include "weft/training/lambda_callback.hpp"
#include "weft/training/reduce_lr_on_plateau.hpp"
#include "weft/training/trainer.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <limits>
#include <sstream>

using namespace weft;

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

/// A run whose score in each epoch is given, and whose weights are the number of the epoch.
class ScriptedRun final : public TrainingRun {
public:
    explicit ScriptedRun(std::vector<double> values, std::string name = "val_loss")
        : values_(std::move(values)), name_(std::move(name)) {}

    Index epoch() const override { return epoch_; }
    Index epochs() const override { return static_cast<Index>(values_.size()); }
    Index ended_epochs() const override { return epoch_; }
    Index step() const override { return 1; }
    Scores scores() const override {
        Scores scores;
        scores.set("loss", 0.25);
        scores.set(name_, values_[static_cast<std::size_t>(epoch_ - 1)]);
        return scores;
    }
    std::vector<std::string> score_names() const override { return {"loss", name_}; }
    double learning_rate() const override { return rate; }
    void set_learning_rate(double learning_rate) override { rate = learning_rate; }
    void stop() override { stopped_ = true; }
    Buffer save_weights() const override {
        Buffer buffer(1);
        buffer.data()[0] = static_cast<std::byte>(weights);
        return buffer;
    }
    std::size_t weights_bytes() const override { return 1; }
    void load_weights(const Buffer& buffer) override {
        weights = static_cast<int>(buffer.data()[0]);
    }

    /// Runs all epochs, unless stopped; the learning rate after each.
    std::vector<double> run(const CallbackHandle& callback) {
        using Event = CallbackHandle::Event;
        std::vector<double> rates;
        callback(Event::train_begin, *this);
        for (epoch_ = 1; epoch_ <= epochs() && !stopped_; ++epoch_) {
            callback(Event::epoch_begin, *this);
            weights = static_cast<int>(epoch_);
            callback(Event::batch_end, *this);
            callback(Event::epoch_end, *this);
            rates.push_back(rate);
            last_epoch = epoch_;
        }
        epoch_ = last_epoch;
        callback(Event::train_end, *this);
        return rates;
    }

    double rate = 1;
    int weights = 0;
    Index last_epoch = 0;

private:
    std::vector<double> values_;
    std::string name_;
    Index epoch_ = 0;
    bool stopped_ = false;
};

/// Samples (16, 2) and what a linear model makes of them.
struct Line {
    Tensor<float> x = random_normal<float>({16, 2}, 1);
    Tensor<float> y{{16, 1}};
    Line() {
        for (Index i = 0; i < 16; ++i) y(i, 0) = x(i, 0) - 2 * x(i, 1);
    }
};

}  // namespace

TEST_CASE("EarlyStopping waits for patience epochs without improvement, and goes back") {
    EarlyStopping stopping{.patience = 2};
    ScriptedRun run({5, 3, 4, 3, 1, 1});
    run.run(stopping);
    CHECK(run.last_epoch == 4);
    CHECK(stopping.stopped_epoch() == 4);
    CHECK(stopping.best_epoch() == 2);
    CHECK(stopping.best_score() == 3);
    CHECK(run.weights == 2);

    ScriptedRun again({1, 2, 3, 4});
    again.run(stopping);
    CHECK(stopping.best_epoch() == 1);
    CHECK(stopping.stopped_epoch() == 3);
}

TEST_CASE("EarlyStopping brings the best weights back also when the epochs run out") {
    EarlyStopping stopping{.patience = 10};
    ScriptedRun run({5, 3, 4});
    run.run(stopping);
    CHECK(run.last_epoch == 3);
    CHECK(stopping.stopped_epoch() == 0);
    CHECK(run.weights == 2);

    stopping.restore_best_weights = false;
    ScriptedRun last({5, 3, 4});
    last.run(stopping);
    CHECK(last.weights == 3);
}

TEST_CASE("EarlyStopping: an improvement is one by more than min_delta") {
    EarlyStopping stopping{.patience = 1, .min_delta = 0.5};
    ScriptedRun run({4, 3.25, 2.75, 1});
    run.run(stopping);
    CHECK(stopping.best_epoch() == 2);
    CHECK(stopping.stopped_epoch() == 3);
}

TEST_CASE("EarlyStopping: higher is better for accuracy, or where it is told") {
    EarlyStopping accuracy{.monitor = "val_accuracy", .patience = 1};
    ScriptedRun run({0.5, 0.75, 0.5, 1}, "val_accuracy");
    run.run(accuracy);
    CHECK(accuracy.best_epoch() == 2);
    EarlyStopping acc{.monitor = "val_acc", .patience = 1};
    ScriptedRun other_name({0.5, 0.75, 0.5, 1}, "val_acc");
    other_name.run(acc);
    CHECK(acc.best_epoch() == 2);
    EarlyStopping told{.monitor = "profit", .patience = 1, .better = Better::higher};
    ScriptedRun profit({0.5, 0.75, 0.5, 1}, "profit");
    profit.run(told);
    CHECK(told.best_epoch() == 2);
    told.better = Better::automatic;
    CHECK_THROWS_WITH_AS(ScriptedRun({1}, "profit").run(told),
                         "monitor profit: the name does not tell whether higher or lower is "
                         "better; set .better",
                         ArgumentError);
}

TEST_CASE("EarlyStopping: NaN is never an improvement") {
    EarlyStopping stopping{.patience = 2};
    ScriptedRun run({not_a_number, 4, not_a_number, not_a_number, 1});
    run.run(stopping);
    CHECK(stopping.best_epoch() == 2);
    CHECK(stopping.stopped_epoch() == 4);
    CHECK(run.weights == 2);
    ScriptedRun nothing({not_a_number, not_a_number, 1});
    nothing.run(stopping);
    CHECK(stopping.best_epoch() == 0);
    CHECK(nothing.weights == 2);
}

TEST_CASE("EarlyStopping refuses a negative patience and an unknown score, by name") {
    ScriptedRun run({1, 2});
    CHECK_THROWS_WITH_AS(run.run(EarlyStopping{.patience = -1}),
                         "EarlyStopping: patience is -1, expected at least 0", ArgumentError);
    CHECK_THROWS_WITH_AS(run.run(EarlyStopping{.monitor = "val_f1"}),
                         "EarlyStopping: no score is named val_f1; the run has loss, val_loss",
                         ArgumentError);
    CHECK_THROWS_WITH_AS(run.run(EarlyStopping{.min_delta = not_a_number}),
                         "val_loss: min_delta is nan, expected a number", ArgumentError);
}

TEST_CASE("BestCheckpoint keeps the best epoch without ending the run") {
    BestCheckpoint best;
    ScriptedRun run({5, 3, 4, not_a_number, 3});
    run.run(best);
    CHECK(run.last_epoch == 5);
    CHECK(best.best_epoch() == 2);
    CHECK(best.best_score() == 3);
    CHECK(run.weights == 2);
    CHECK_THROWS_WITH_AS(ScriptedRun({1}).run(BestCheckpoint{.monitor = "f1"}),
                         doctest::Contains("BestCheckpoint: no score is named f1"), ArgumentError);
}

TEST_CASE("lower is better, also of a score whose name says higher, where it is told") {
    EarlyStopping stopping{.monitor = "val_accuracy", .patience = 9, .better = Better::lower};
    ScriptedRun run({0.5, 0.75, 0.25, 1}, "val_accuracy");
    run.run(stopping);
    CHECK(stopping.best_epoch() == 3);
}

TEST_CASE("BestCheckpoint of a run without a number for a score leaves the last weights") {
    BestCheckpoint best;
    ScriptedRun run({not_a_number, not_a_number});
    run.run(best);
    CHECK(best.best_epoch() == 0);
    CHECK(run.weights == 2);
}

TEST_CASE("ReduceLROnPlateau reduces after patience epochs, not below the least rate") {
    ScriptedRun run({4, 4, 4, 4, 4, 4, 4});
    CHECK(run.run(ReduceLROnPlateau{.factor = 0.5, .patience = 2, .min_learning_rate = 0.3}) ==
          std::vector<double>{1, 1, 0.5, 0.5, 0.3, 0.3, 0.3});
    ScriptedRun improving({4, 3, 2, 1});
    CHECK(improving.run(ReduceLROnPlateau{.patience = 1}) == std::vector<double>(4, 1.0));
    ScriptedRun barely({4, 3.75, 3.5, 3.25});
    CHECK(barely.run(ReduceLROnPlateau{.factor = 0.5, .patience = 1, .min_delta = 0.3}) ==
          std::vector<double>{1, 0.5, 0.5, 0.25});
    ScriptedRun run_of_nan({4, not_a_number, not_a_number});
    CHECK(run_of_nan.run(ReduceLROnPlateau{.factor = 0.5, .patience = 2}).back() == 0.5);
}

TEST_CASE("ReduceLROnPlateau ignores the epochs of its cooldown") {
    ScriptedRun run(std::vector<double>(9, 4.0));
    CHECK(run.run(ReduceLROnPlateau{.factor = 0.5, .patience = 1, .cooldown = 3}) ==
          std::vector<double>{1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125, 0.125});
    // An improvement in the cooldown is one all the same.
    ScriptedRun improving({4, 4, 2, 3, 3, 3});
    CHECK(improving.run(ReduceLROnPlateau{.factor = 0.5, .patience = 1, .cooldown = 2}) ==
          std::vector<double>{1, 0.5, 0.5, 0.25, 0.25, 0.125});
}

TEST_CASE("callbacks that act on a score do in each epoch what Keras's do") {
    int plateaus = 0, stoppings = 0;
    for (const ReferenceCase& expected : reference_cases("callbacks.json")) {
        CAPTURE(expected.name());
        KerasFields options("callback", expected.at("options"));
        ScriptedRun run(expected.at("scores").get<std::vector<double>>(),
                        expected.at("options").at("monitor"));
        if (expected.at("type") == "ReduceLROnPlateau") {
            const auto rates = run.run(keras_reduce_lr_on_plateau(options));
            const auto theirs = expected.at("rates").get<std::vector<double>>();
            CHECK(largest_gap(as_view(rates), as_view(theirs)) < 1e-14);  // sixteen roundings
            ++plateaus;
        } else {
            run.run(keras_early_stopping(options));
            CHECK(run.last_epoch == expected.at("epochs_run"));
            CHECK(run.weights == expected.at("weights"));
            ++stoppings;
        }
        options.require_all_known();
    }
    CHECK(plateaus == 18);
    CHECK(stoppings == 18);
}

TEST_CASE("ReduceLROnPlateau keeps the rate that is too small to be reduced") {
    ScriptedRun run(std::vector<double>(5, 4.0));
    CHECK(run.run(ReduceLROnPlateau{.factor = 1e-200, .patience = 1}) ==
          std::vector<double>{1, 1e-200, 1e-200, 1e-200, 1e-200});
}

TEST_CASE("ReduceLROnPlateau refuses bad options, by name") {
    ScriptedRun run({1, 2});
    for (const double factor : {0.0, 1.0, not_a_number}) {
        CHECK_THROWS_WITH_AS(run.run(ReduceLROnPlateau{.factor = factor}),
                             doctest::Contains("ReduceLROnPlateau: factor is "), ArgumentError);
    }
    CHECK_THROWS_WITH_AS(run.run(ReduceLROnPlateau{.patience = -1}),
                         "ReduceLROnPlateau: patience is -1, expected at least 0", ArgumentError);
    CHECK_THROWS_WITH_AS(run.run(ReduceLROnPlateau{.cooldown = -1}),
                         "ReduceLROnPlateau: cooldown is -1, expected at least 0", ArgumentError);
    CHECK_THROWS_WITH_AS(run.run(ReduceLROnPlateau{.min_learning_rate = -1}),
                         "ReduceLROnPlateau: min_learning_rate is -1, expected a finite number of "
                         "at least 0",
                         ArgumentError);
    for (const double number : {not_a_number, std::numeric_limits<double>::infinity()}) {
        CHECK_THROWS_WITH_AS(run.run(ReduceLROnPlateau{.min_learning_rate = number}),
                             doctest::Contains("ReduceLROnPlateau: min_learning_rate is "),
                             ArgumentError);
        CHECK_THROWS_WITH_AS(run.run(ReduceLROnPlateau{.min_delta = number}),
                             doctest::Contains("ReduceLROnPlateau: min_delta is "), ArgumentError);
    }
}

TEST_CASE("ReduceLROnPlateau beside a schedule is refused before the first epoch") {
    Sequential<float> model{Dense{1}};
    Trainer trainer(model, {.loss = MeanSquaredError{},
                            .learning_rate_schedule = [](std::int64_t) { return 0.1; }});
    const auto x = random_normal<float>({4, 2}, 1), y = random_normal<float>({4, 1}, 2);
    CHECK_THROWS_WITH_AS(
        trainer.fit(
            x, y,
            {.verbosity = Verbosity::silent, .callbacks = {ReduceLROnPlateau{.monitor = "loss"}}}),
        "trainer: set_learning_rate cannot change the rate of a schedule", ArgumentError);
    CHECK(trainer.steps() == 0);
}

TEST_CASE("CSVLogger writes a header and a line an epoch, and continues a file if told") {
    const auto path = std::filesystem::temp_directory_path() / "weft_csv_logger_test.csv";
    ScriptedRun({0.5, 0.125}).run(CSVLogger{.path = path});
    const std::string lines = "1,1,0.25,0.5\n2,1,0.25,0.125\n";
    CHECK(contents_of(path) == "epoch,learning_rate,loss,val_loss\n" + lines);
    ScriptedRun({0.5, 0.125}).run(CSVLogger{.path = path, .append = true});
    CHECK(contents_of(path) == "epoch,learning_rate,loss,val_loss\n" + lines + lines);
    ScriptedRun({2}).run(CSVLogger{.path = path, .separator = ';'});
    CHECK(contents_of(path) == "epoch;learning_rate;loss;val_loss\n1;1;0.25;2\n");
    std::filesystem::remove(path);
    CHECK_THROWS_WITH_AS(ScriptedRun({1}).run(CSVLogger{.path = "/no/such/folder/log.csv"}),
                         "/no/such/folder/log.csv: cannot be written", IoError);
}

TEST_CASE("CSVLogger does not continue a file of other columns") {
    const TemporaryFolder folder;
    const auto path = folder.path() / "log.csv";
    ScriptedRun({0.5}, "val_loss").run(CSVLogger{.path = path});
    const std::string before = contents_of(path);
    const auto message = [&](CSVLogger log, const std::string& score) {
        return io_error(path, [&] { ScriptedRun({0.5}, score).run(log); });
    };
    const std::string other = "has the columns epoch,learning_rate,loss,val_loss, expected ";
    CHECK(message({.path = path, .append = true}, "accuracy") ==
          other + "epoch,learning_rate,loss,accuracy; without .append it is written anew");
    CHECK(message({.path = path, .separator = ';', .append = true}, "val_loss") ==
          other + "epoch;learning_rate;loss;val_loss; without .append it is written anew");
    CHECK(contents_of(path) == before);
    folder.file("log.csv", "\n");
    CHECK(message({.path = path, .append = true}, "val_loss").starts_with("has the columns , "));
    // An empty file has no columns yet, and one that was edited elsewhere other ends of lines.
    folder.file("log.csv", "");
    ScriptedRun({0.5}).run(CSVLogger{.path = path, .append = true});
    CHECK(contents_of(path) == before);
    folder.file("log.csv", "epoch,learning_rate,loss,val_loss\r\n1,1,0.25,0.75");
    ScriptedRun({0.5}).run(CSVLogger{.path = path, .append = true});
    CHECK(contents_of(path) ==
          "epoch,learning_rate,loss,val_loss\r\n1,1,0.25,0.75\n1,1,0.25,0.5\n");
}

TEST_CASE("CSVLogger quotes a name that would be more than one field") {
    const TemporaryFolder folder;
    const auto path = folder.path() / "log.csv";
    for (int repeat = 0; repeat < 2; ++repeat) {
        ScriptedRun({0.5}, "a,\"b\"").run(CSVLogger{.path = path, .append = repeat > 0});
    }
    CHECK(contents_of(path) ==
          "epoch,learning_rate,loss,\"a,\"\"b\"\"\"\n1,1,0.25,0.5\n1,1,0.25,0.5\n");
    ScriptedRun({0.5}, "a,b").run(CSVLogger{.path = path, .separator = ';'});
    CHECK(contents_of(path).starts_with("epoch;learning_rate;loss;a,b\n"));
}

TEST_CASE("A callback has at least one of the functions that a run calls") {
    struct Epochs {
        void on_epoch_end(TrainingRun&) {}
    };
    struct Misspelt {
        void on_epoch_ended(TrainingRun&) {}
    };
    static_assert(std::constructible_from<CallbackHandle, Epochs>);
    static_assert(std::constructible_from<CallbackHandle, Epochs&>);
    static_assert(std::constructible_from<CallbackHandle, LambdaCallback>);
    static_assert(!std::constructible_from<CallbackHandle, Misspelt>);
    static_assert(!std::constructible_from<CallbackHandle, int>);
}

TEST_CASE("Callbacks are called in order, by a trainer") {
    const Line line;
    Sequential model{Dense{1}};
    Trainer trainer(model, {.loss = MeanSquaredError{}});
    std::string events;
    const auto note = [&](const char* event) {
        return [&events, event](TrainingRun&) { events += event; };
    };
    LambdaCallback second;
    second.epoch_end = note("2");
    trainer.fit(line.x, line.y,
                {.epochs = 2,
                 .batch_size = 8,
                 .verbosity = Verbosity::silent,
                 .callbacks = {LambdaCallback{.train_begin = note("<"),
                                              .epoch_begin = note("["),
                                              .batch_end = note("b"),
                                              .epoch_end = note("]"),
                                              .train_end = note(">")},
                               second}});
    CHECK(events == "<[bb]2[bb]2>");
}

TEST_CASE("a callback that does not listen to batches is not told of them, whoever else is") {
    struct Unheeding {
        int batches = 0, epochs = 0;

        bool listens_to_batches() const { return false; }
        void on_batch_end(TrainingRun&) { ++batches; }
        void on_epoch_end(TrainingRun&) { ++epochs; }
    };
    const Line line;
    Sequential model{Dense{1}};
    Trainer trainer(model, {.loss = MeanSquaredError{}});
    Unheeding unheeding;
    int told = 0;
    const LambdaCallback other{.batch_end = [&](TrainingRun&) { ++told; }};
    trainer.fit(line.x, line.y,
                {.batch_size = 8,
                 .verbosity = Verbosity::silent,
                 .callbacks = {unheeding, other, unheeding}});
    CHECK(told == 2);
    CHECK(unheeding.batches == 0);
    CHECK(unheeding.epochs == 2);
}

TEST_CASE("Callbacks see a trainer's numbers, may stop it and bring its best weights back") {
    const Line line;
    Sequential model{Dense{1}};
    Trainer trainer(model, {.loss = MeanSquaredError{}});
    EarlyStopping stopping{.patience = 0};
    Tensor<float> best;
    // patience 0 ends at the first epoch that is no better: after a step that is far too long.
    LambdaCallback jump;
    jump.epoch_end = [&](TrainingRun& run) {
        CHECK(run.epochs() == 10);
        CHECK(run.scores().find("val_loss").has_value());
        if (run.epoch() != 2) return;
        best = model.predict(line.x);
        run.set_learning_rate(1000);
    };
    const auto history = trainer.fit(line.x, line.y,
                                     {.epochs = 10,
                                      .batch_size = 16,
                                      .validation_data = {line.x, line.y},
                                      .verbosity = Verbosity::silent,
                                      .callbacks = {jump, stopping}});
    CHECK(history.epochs.size() == 3);
    CHECK(stopping.stopped_epoch() == 3);
    CHECK(stopping.best_epoch() == 2);
    CHECK(identical(model.predict(line.x), best));
}

TEST_CASE("fit refuses class weights that do not fit the classes, by name") {
    const auto x = random_normal<float>({6, 2}, 1);
    const Tensor<float> labels({6}, {0, 1, 2, 0, 1, 2});
    Sequential model{Dense{3, softmax}};
    Trainer trainer(model, {.loss = SparseCategoricalCrossentropy{}});
    const auto fit = [&](const std::vector<double>& weights) {
        return trainer.fit(x, labels, {.verbosity = Verbosity::silent, .class_weight = weights});
    };
    CHECK_THROWS_WITH_AS(fit({1, 2}), "fit: class_weight has 2 weights, expected 3", ArgumentError);
    CHECK_THROWS_WITH_AS(fit({1, 2, 3, 4}), "fit: class_weight has 4 weights, expected 3",
                         ArgumentError);
    CHECK_THROWS_WITH_AS(fit({1, -2, 3}),
                         "fit: class_weight 1 is -2, expected a number of at least 0",
                         ArgumentError);
    CHECK(fit({1, 2, 3}).epochs.size() == 1);
    CHECK(fit({0, 0, 0}).epochs[0].scores["loss"] == 0);
}

namespace {

/// A regression whose first epochs are good and whose learning rate then makes it worse and worse,
/// until a number overflows.
struct Diverging {
    Tensor<float> x = random_uniform<float>({8, 3}, 1, 1, 2),
                  y = random_uniform<float>({8, 1}, 2, 0, 1);
    Sequential<float> model{Dense{4, relu}, BatchNorm{}, Dense{1}};
    EarlyStopping stopping{.monitor = "loss", .patience = 100};
    std::vector<Tensor<float>> weights = {};  ///< after each epoch

    History fit(const std::function<void(TrainingRun&)>& batch_end = {}) {
        Trainer trainer(model,
                        {.optimizer = SGD{.learning_rate = 0.01}, .loss = MeanSquaredError{}});
        const LambdaCallback watch{
            .epoch_begin =
                [](TrainingRun& run) {
                    if (run.epoch() == 3) run.set_learning_rate(10);
                    if (run.epoch() == 5) run.set_learning_rate(1e15);
                },
            .batch_end = batch_end,
            .epoch_end = [&](TrainingRun&) { weights.emplace_back(std::as_const(model).arena()); }};
        return trainer.fit(x, y,
                           {.epochs = 20,
                            .batch_size = 8,
                            .verbosity = Verbosity::silent,
                            .callbacks = {watch, stopping}});
    }
};

}  // namespace

TEST_CASE("EarlyStopping brings the best weights back when a number goes wrong") {
    Diverging run;
    const History history = run.fit();
    REQUIRE(history.non_finite);
    REQUIRE(run.weights.size() >= 4);
    REQUIRE(run.stopping.best_epoch() > 0);
    const auto best = static_cast<std::size_t>(run.stopping.best_epoch() - 1);
    CHECK(!identical(run.weights.back(), run.weights[best]));
    CHECK(identical(run.model.arena(), run.weights[best]));
}

TEST_CASE("EarlyStopping brings the best weights back when something throws") {
    Diverging run;
    const auto fit = [&] {
        run.fit([](TrainingRun& now) {
            if (now.epoch() == 5) throw std::runtime_error("the disk is full");
        });
    };
    CHECK_THROWS_WITH_AS(fit(), "the disk is full", std::runtime_error);
    REQUIRE(run.weights.size() == 4);
    REQUIRE(run.stopping.best_epoch() > 0);
    CHECK(identical(run.model.arena(),
                    run.weights[static_cast<std::size_t>(run.stopping.best_epoch() - 1)]));
}

TEST_CASE("what a callback throws after an exception does not hide it, nor stop the others") {
    Diverging run;
    int ended = 0;
    const LambdaCallback bad{.batch_end = [](TrainingRun&) { throw std::runtime_error("first"); },
                             .train_end = [](TrainingRun&) { throw std::runtime_error("second"); }};
    const LambdaCallback last{.train_end = [&](TrainingRun&) { ++ended; }};
    Trainer trainer(run.model, {.loss = MeanSquaredError{}});
    CHECK_THROWS_WITH_AS(
        trainer.fit(run.x, run.y, {.verbosity = Verbosity::silent, .callbacks = {bad, last}}),
        "first", std::runtime_error);
    CHECK(ended == 1);
}

TEST_CASE("a callback that throws at the end keeps none of the others from ending") {
    Diverging run;
    const LambdaCallback bad{.train_end = [](TrainingRun&) { throw std::runtime_error("bad"); }};
    int ended = 0;
    const LambdaCallback last{.train_end = [&](TrainingRun&) { ++ended; }};
    Trainer trainer(run.model, {.loss = MeanSquaredError{}});
    CHECK_THROWS_WITH_AS(
        trainer.fit(run.x, run.y, {.verbosity = Verbosity::silent, .callbacks = {bad, last}}),
        "bad", std::runtime_error);
    CHECK(ended == 1);
}

TEST_CASE("where a callback does not begin, those before it end, and no other") {
    Diverging run;
    std::string events;
    const auto noted = [&](const std::string& name) {
        return LambdaCallback{.train_begin = [&events, name](TrainingRun&) { events += name; },
                              .train_end = [&events, name](TrainingRun&) { events += "-" + name; }};
    };
    Trainer trainer(run.model, {.loss = MeanSquaredError{}});
    CHECK_THROWS_AS(
        trainer.fit(run.x, run.y,
                    {.verbosity = Verbosity::silent,
                     .callbacks = {noted("a"), noted("b"), EarlyStopping{}, noted("c")}}),
        ArgumentError);
    CHECK(events == "ab-a-b");
}

TEST_CASE("a score that no epoch will have is refused before the first step") {
    Diverging run;
    Trainer trainer(run.model, {.loss = MeanSquaredError{}});
    const char* const known = ": no score is named val_loss; the run has loss";
    const auto refused = [&](const CallbackHandle& callback, const std::string& name) {
        CHECK_THROWS_WITH_AS(
            trainer.fit(run.x, run.y, {.verbosity = Verbosity::silent, .callbacks = {callback}}),
            (name + known).c_str(), ArgumentError);
        CHECK(trainer.steps() == 0);
    };
    refused(EarlyStopping{}, "EarlyStopping");
    refused(BestCheckpoint{}, "BestCheckpoint");
    refused(ReduceLROnPlateau{}, "ReduceLROnPlateau");
}

TEST_CASE("the first of several exceptions at the end of training is the one that comes out") {
    Sequential<float> model{Dense{1}};
    Trainer trainer(model, {.loss = MeanSquaredError{}});
    const Line line;
    int ended = 0;
    const auto failing = [&](const char* message) {
        return LambdaCallback{.train_end = [&ended, message](TrainingRun&) {
            ++ended;
            throw std::runtime_error(message);
        }};
    };
    CHECK_THROWS_WITH(trainer.fit(line.x, line.y,
                                  {.verbosity = Verbosity::silent,
                                   .callbacks = {failing("first"), failing("second")}}),
                      "first");
    CHECK(ended == 2);
}

TEST_CASE("a run has scores before its first step, and takes back weights of its own size alone") {
    Sequential<float> model{Dense{1}};
    Trainer trainer(model, {.loss = MeanSquaredError{}});
    const Line line;
    std::size_t names = 0;
    std::string complaint;
    const LambdaCallback looks{.train_begin = [&](TrainingRun& run) {
        for (const auto& score : run.scores()) names += !score.first.empty();
        try {
            run.load_weights(Buffer(3));
        } catch (const ArgumentError& error) {
            complaint = error.what();
        }
    }};
    trainer.fit(line.x, line.y, {.verbosity = Verbosity::silent, .callbacks = {looks}});
    CHECK(names == 1);
    CHECK(complaint == concat("load_weights: the buffer has 3 bytes, expected ",
                              model.arena().size() * static_cast<Index>(sizeof(float))));
}

TEST_CASE("a model without parameters is evaluated by fit, and has a best epoch") {
    Sequential<float> model{Input{{2}}, Flatten{}};
    Trainer trainer(model, {.loss = MeanSquaredError{}});
    const Line line;
    EarlyStopping stopping{.monitor = "loss", .patience = 1};
    trainer.fit(line.x, line.x,
                {.epochs = 4, .verbosity = Verbosity::silent, .callbacks = {stopping}});
    CHECK(stopping.best_epoch() == 1);
    CHECK(stopping.stopped_epoch() == 2);
}

TEST_CASE("data that a callback assigns during fit are not read, and the run's parameters stay") {
    for (const int threads : {1, 2}) {
        CAPTURE(threads);
        Tensor<float> x = random_normal<float>({64, 200}, 3);
        const Tensor<float> y = random_normal<float>({64, 2}, 4);
        const Examples<float> examples(x, y);
        Sequential model{Dense{2}};
        model.set_device(Cpu::exactly(threads));
        Trainer trainer(model, {.optimizer = SGD{}, .loss = MeanSquaredError{}});
        const LambdaCallback assigns{
            .batch_end = [&](TrainingRun&) { x = Tensor<float>({1, 200}); }};
        const std::string told =
            "dataset: x was assigned, resized or moved after the Examples were made of it, "
            "expected the same array; make them anew";
        CHECK_THROWS_WITH_AS(
            trainer.fit(examples,
                        {.batch_size = 32, .verbosity = Verbosity::silent, .callbacks = {assigns}}),
            told.c_str(), ArgumentError);
        CHECK(trainer.steps() == 1);
        CHECK_THROWS_WITH_AS(trainer.fit(examples, {.verbosity = Verbosity::silent}), told.c_str(),
                             ArgumentError);
        CHECK_THROWS_WITH_AS(trainer.evaluate(examples), told.c_str(), ArgumentError);
        CHECK_THROWS_WITH_AS(
            trainer.fit(Tensor<float>({4, 200}), Tensor<float>({4, 2}),
                        {.validation_data = examples, .verbosity = Verbosity::silent}),
            told.c_str(), ArgumentError);
        CHECK(trainer.steps() == 1);
    }
}
