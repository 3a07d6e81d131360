#include "weft/io/checkpoint_file.hpp"

#include "tests/io/safetensors_bytes.hpp"
#include "tests/support/captured_output.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/random_tensor.hpp"
#include "tests/support/temporary_folder.hpp"
#include "weft/io/model_checkpoint.hpp"
#include "weft/training/run_state.hpp"
#include "weft/weft.hpp"

#include <doctest/doctest.h>

using namespace weft;

namespace {

/// A user's own callback, which adds the losses of all batches up.
struct LossSum {
    double sum = 0;

    void on_train_begin(TrainingRun&) { sum = 0; }
    void on_batch_end(TrainingRun& run) { sum += run.scores()["loss"]; }
    void visit_state(StateFields& field) { field("sum", sum); }
};

/// A program that trains: everything that a run may carry from one step to the next is in it.
struct Program {
    std::filesystem::path folder;
    std::filesystem::path csv = folder / "log.csv";
    Index epochs = 20;
    Index batch_size = 8;
    std::uint64_t seed = 3;
    Tensor<float> x = random_normal<float>({30, 6, 5, 1}, 1);
    Tensor<float> x_to_validate = random_normal<float>({30, 6, 5, 1}, 2);
    Tensor<std::uint8_t> y = Tensor<std::uint8_t>({30});
    Sequential<float> model{Conv2D{.filters = 3, .kernel_size = 2, .activation = relu},
                            BatchNorm{},
                            Dropout{0.3},
                            Flatten{},
                            Dense{.units = 4, .kernel_regularizer = l2(0.01)},
                            Softmax{}};
    OptimizerDeclaration<float, Cpu> optimizer = Adam{.learning_rate = 0.03};
    EarlyStopping stopping{.patience = 2};
    ReduceLROnPlateau plateau{.factor = 0.5, .patience = 1, .cooldown = 1};
    BestCheckpoint best{.monitor = "val_accuracy"};
    ModelCheckpoint<float, Cpu> on_disk{model, folder / "best.safetensors"};
    CSVLogger log{csv};
    LossSum losses = {};
    Index stop_at = 0;  ///< ends training in the middle of that epoch; 0: never
    std::vector<CallbackHandle> more = {};

    History fit(RunStore checkpoint) {
        for (Index i = 0; i < y.size(); ++i) y[i] = static_cast<std::uint8_t>(i % 4);
        // Somewhat like the training set, so that the first epochs help and the later ones do not.
        for (Index i = 0; i < x.size(); ++i) x_to_validate[i] = 1.5F * x_to_validate[i] + x[i];
        Trainer trainer(model, {.optimizer = optimizer,
                                .loss = SparseCategoricalCrossentropy{},
                                .metrics = {Accuracy{}}});
        const LambdaCallback stop{.batch_end = [&](TrainingRun& run) {
            if (run.epoch() == stop_at && run.step() == 2) run.stop();
        }};
        std::vector<CallbackHandle> callbacks{stop, stopping, plateau, best, on_disk, log, losses};
        callbacks.insert(callbacks.end(), more.begin(), more.end());
        return trainer.fit(
            prefetched(augmented(Examples<float>(x, y), {RandomFlip{FlipMode::horizontal}})),
            {.epochs = epochs,
             .batch_size = batch_size,
             .validation_data = {x_to_validate, y},
             .seed = seed,
             .verbosity = Verbosity::silent,
             .callbacks = callbacks,
             .checkpoint = std::move(checkpoint)});
    }
};

/// Whether two programs that ended are alike to the last bit.
Verdict alike(const Program& a, const History& of_a, const Program& b, const History& of_b) {
    Verdict verdict = identical(a.model.arena(), b.model.arena());
    const auto same = [&](std::string_view what, double first, double second) {
        if (first != second) verdict.add(what, {concat(first, ", expected ", second)});
    };
    same("epochs", static_cast<double>(of_a.epochs.size()),
         static_cast<double>(of_b.epochs.size()));
    if (!verdict) return verdict;
    for (std::size_t e = 0; e < of_b.epochs.size(); ++e) {
        for (const auto& [name, value] : of_b.epochs[e].scores) {
            same(concat(name, " of epoch ", e + 1), of_a.epochs[e].scores[name], value);
        }
        same("learning rate", of_a.epochs[e].learning_rate, of_b.epochs[e].learning_rate);
    }
    same("best epoch", static_cast<double>(a.stopping.best_epoch()),
         static_cast<double>(b.stopping.best_epoch()));
    same("stopped epoch", static_cast<double>(a.stopping.stopped_epoch()),
         static_cast<double>(b.stopping.stopped_epoch()));
    same("best accuracy's epoch", static_cast<double>(a.best.best_epoch()),
         static_cast<double>(b.best.best_epoch()));
    same("saved epoch", static_cast<double>(a.on_disk.saved_epoch()),
         static_cast<double>(b.on_disk.saved_epoch()));
    same("sum of losses", a.losses.sum, b.losses.sum);
    if (contents_of(a.csv) != contents_of(b.csv)) verdict.add("the log", {contents_of(a.csv)});
    return verdict;
}

Trainer<float, Cpu> trainer_of(Sequential<float>& model) {
    return Trainer(model, {.optimizer = SGD{.momentum = 0.5}, .loss = MeanSquaredError{}});
}

/// A run of one dense layer and nothing else.
struct SmallRun {
    Tensor<float> x = random_normal<float>({6, 2}, 1), y = random_normal<float>({6, 1}, 2);
    Sequential<float> model{Dense{1}};
    Trainer<float, Cpu> trainer = trainer_of(model);

    History fit(RunStore checkpoint, Index epochs = 2) {
        return trainer.fit(x, y,
                           {.epochs = epochs,
                            .batch_size = 2,
                            .verbosity = Verbosity::silent,
                            .checkpoint = std::move(checkpoint)});
    }
};

/// What resuming from the file says.
std::string refusal(Program& program, const std::filesystem::path& file) {
    try {
        program.fit(checkpoint_file(file));
    } catch (const IoError& error) {
        return error.what();
    }
    return "";
}

struct Killed {};

}  // namespace

TEST_CASE("a run resumed after any of its steps ends with the same bits") {
    const TemporaryFolder folder, other;
    Program whole{.folder = folder.path()};
    std::vector<RunState> states;
    std::vector<std::string> logs;  // what the log held then
    const auto record = [&](const RunState& state) {
        states.push_back(state);
        logs.push_back(contents_of(whole.csv));
    };
    const History history = whole.fit(run_store([] { return std::nullopt; }, record, 1));
    const std::size_t epochs = history.epochs.size();
    REQUIRE(states.size() == 1 + epochs * 4);
    REQUIRE(whole.stopping.best_epoch() > 1);
    REQUIRE(whole.stopping.stopped_epoch() == static_cast<Index>(epochs));
    REQUIRE(history.epochs.front().learning_rate > history.epochs.back().learning_rate);

    for (std::size_t i = 0; i < states.size(); ++i) {
        CAPTURE(i);
        Program resumed{.folder = other.path()};
        // The killed run may have come further before it died.
        other.file("log.csv", i + 1 < logs.size() ? logs[i + 1] : logs[i]);
        const History again = resumed.fit(
            run_store([&] { return std::optional(states[i]); }, [](const RunState&) {}));
        CHECK(alike(resumed, again, whole, history));
    }
}

TEST_CASE("a run that was told to stop in the middle of an epoch ends that epoch when resumed") {
    const TemporaryFolder folder, other;
    Program whole{.folder = folder.path(), .stop_at = 2};
    std::vector<RunState> states;
    const History history = whole.fit(run_store(
        [] { return std::nullopt; }, [&](const RunState& state) { states.push_back(state); }, 1));
    REQUIRE(history.epochs.size() == 2);
    for (const RunState& state : states) {
        Program resumed{.folder = other.path(), .stop_at = 2};
        const History again =
            resumed.fit(run_store([&] { return std::optional(state); }, [](const RunState&) {}));
        CHECK(identical(resumed.model.arena(), whole.model.arena()));
        CHECK(again["loss"] == history["loss"]);
    }
}

TEST_CASE("a run that is killed again and again, by way of its file, ends with the same bits") {
    const TemporaryFolder folder, other;
    Program whole{.folder = folder.path()};
    const History history = whole.fit({});
    for (const Index every : {0, 3}) {
        CAPTURE(every);
        const auto file = other.path() / concat("run-", every, ".safetensors");
        const RunStore store = checkpoint_file(file, {.every_steps = every});
        for (int kills = 0;; ++kills) {
            REQUIRE(kills < 100);
            Program program{.folder = other.path()};
            int steps_left = 5 + kills % 3;
            program.more = {LambdaCallback{.batch_end = [&](TrainingRun&) {
                if (--steps_left == 0) throw Killed{};
            }}};
            try {
                const History last = program.fit(store);
                CHECK(kills > 3);
                CHECK(alike(program, last, whole, history));
                break;
            } catch (const Killed&) {
            }
        }
    }
}

TEST_CASE("a run that had ended is over at once, and goes on when asked for more epochs") {
    const TemporaryFolder folder;
    const auto file = folder.path() / "run";
    SmallRun whole, first;
    const History history = whole.fit({}, 5);
    first.fit(checkpoint_file(file), 3);

    SmallRun ended;
    const History known = ended.fit(checkpoint_file(file), 3);
    CHECK(known.epochs.size() == 3);
    CHECK(known["loss"][2] == history["loss"][2]);
    CHECK(ended.trainer.steps() == 9);
    CHECK(identical(ended.model.arena(), first.model.arena()));

    SmallRun longer;
    CHECK(longer.fit(checkpoint_file(file), 5)["loss"] == history["loss"]);
    CHECK(identical(longer.model.arena(), whole.model.arena()));

    SmallRun anew;
    CHECK(anew.fit(checkpoint_file(file, {.resume = false}), 1).epochs.size() == 1);
    CHECK(anew.trainer.steps() == 3);
}

TEST_CASE("a checkpoint of another run is refused, and nothing is changed") {
    const TemporaryFolder folder;
    const auto file = folder.path() / "run";
    Program first{.folder = folder.path(), .epochs = 2};
    first.fit(checkpoint_file(file));
    const std::string kept = contents_of(file), log = contents_of(first.csv);

    const auto refused = [&](Program&& program, const std::string& expected) {
        program.model.build({6, 5, 1}, 9);
        const Tensor<float> before(std::as_const(program.model).arena());
        CHECK(refusal(program, file) == file.string() + ": " + expected);
        CHECK(identical(program.model.arena(), before));
        CHECK(contents_of(file) == kept);
        CHECK(contents_of(program.csv) == log);
    };
    refused({.folder = folder.path(), .seed = 4},
            "training/of is of another run: seed 3, batches of 8 of 30 shuffled samples, Adam, "
            "loss, accuracy, val_loss, val_accuracy; "
            "this run: seed 4, batches of 8 of 30 shuffled samples, Adam, loss, accuracy, "
            "val_loss, val_accuracy");
    refused({.folder = folder.path(), .batch_size = 9},
            "training/of is of another run: seed 3, batches of 8 of 30 shuffled samples, Adam, "
            "loss, accuracy, val_loss, val_accuracy; "
            "this run: seed 3, batches of 9 of 30 shuffled samples, Adam, loss, accuracy, "
            "val_loss, val_accuracy");
    refused({.folder = folder.path(), .optimizer = SGD{}},
            "training/of is of another run: seed 3, batches of 8 of 30 shuffled samples, Adam, "
            "loss, accuracy, val_loss, val_accuracy; "
            "this run: seed 3, batches of 8 of 30 shuffled samples, SGD, loss, accuracy, val_loss, "
            "val_accuracy");
    refused({.folder = folder.path(),
             .model = {Conv2D{.filters = 5, .kernel_size = 2}, BatchNorm{}, Dropout{0.3}, Flatten{},
                       Dense{4}, Softmax{}}},
            "conv2d/kernel has shape (2, 2, 1, 3), expected (2, 2, 1, 5)");
    refused({.folder = folder.path(), .model = {Flatten{}, Dense{4}, Softmax{}}},
            "dense/kernel has shape (60, 4), expected (30, 4)");
    refused({.folder = folder.path(), .more = {EarlyStopping{.patience = 2}}},
            "training/callback_7/monitor is missing, but this run has one");
}

TEST_CASE("a damaged checkpoint is refused, whatever its damage is") {
    const TemporaryFolder folder;
    SmallRun first;
    first.fit(checkpoint_file(folder.path() / "run"));
    const std::string whole = contents_of(folder.path() / "run");
    REQUIRE(whole.size() < 4000);
    const RunState state = detail::read_checkpoint(folder.path() / "run");
    const auto harmless = [&](const std::string& bytes) {
        const auto file = folder.file("damaged", bytes);
        try {
            const RunState read = detail::read_checkpoint(file);
            return std::ranges::equal(read.values, state.values, [](const auto& a, const auto& b) {
                return a.name == b.name && a.type == b.type && a.shape == b.shape &&
                       a.bytes.size() == b.bytes.size() &&
                       std::memcmp(a.bytes.data(), b.bytes.data(), a.bytes.size()) == 0;
            });
        } catch (const IoError& error) {
            return std::string_view(error.what()).starts_with(file.string());
        }
    };
    for (std::size_t i = 0; i < whole.size(); ++i) {
        for (int bit = 0; bit < 8; ++bit) {
            std::string flipped = whole;
            flipped[i] = static_cast<char>(flipped[i] ^ 1 << bit);
            if (!harmless(flipped)) FAIL("bit ", bit, " of byte ", i);
        }
        if (!harmless(whole.substr(0, i))) FAIL("cut at byte ", i);
    }
    SmallRun run;
    CHECK_THROWS_AS(run.fit(checkpoint_file(folder.file("cut", whole.substr(0, 100)))), IoError);
    const auto model_file = folder.path() / "weights";
    save_weights(first.model, model_file);
    CHECK_THROWS_WITH_AS(
        run.fit(checkpoint_file(model_file)),
        (model_file.string() + ": is not a checkpoint that checkpoint_file wrote").c_str(),
        IoError);
}

TEST_CASE("a checkpoint's tensor of another size than its shape is refused by name") {
    const TemporaryFolder folder;
    const auto of = [&](const char* dtype, const std::string& shape, int bytes) {
        const std::string json = concat(
            R"({"__metadata__": {"format": "weft", "checkpoint_version": "1", "check": "0"}, )",
            R"("a": {"dtype": ")", dtype, R"(", "shape": )", shape, R"(, "data_offsets": [0, )",
            bytes, "]}}");
        const auto file =
            folder.file("c", safetensors(json, std::string(static_cast<std::size_t>(bytes), '\0')));
        try {
            detail::read_checkpoint(file, false);
        } catch (const IoError& error) {
            return std::string(error.what()).substr(file.string().size());
        }
        return std::string("nothing was thrown");
    };
    CHECK(of("F32", "[2]", 8) == "nothing was thrown");
    CHECK(of("F32", "[2]", 4).starts_with(": a takes 4 bytes"));
    CHECK(of("F32", "[2]", 12).starts_with(": a takes 12 bytes"));
    CHECK(of("F32", "[2]", 10).starts_with(": a takes 10 bytes"));  // two and a half numbers
    CHECK(of("F64", "[2]", 8).starts_with(": a takes 8 bytes"));
    CHECK(of("F16", "[2]", 4) == ": a holds numbers of unknown type F16");
}

TEST_CASE("a checkpoint that cannot be written is an error before the first epoch") {
    SmallRun run;
    CHECK_THROWS_WITH_AS(run.fit(checkpoint_file("/no/such/folder/run")),
                         "/no/such/folder/run: cannot be created: No such file or directory",
                         IoError);
    CHECK_THROWS_WITH_AS(run.fit(checkpoint_file("run", {.every_steps = -1})),
                         "fit: checkpoint.every_steps is -1, expected at least 0", ArgumentError);
}

namespace {

/// A callback whose best epoch was 17, in another run.
EarlyStopping used_before() {
    Sequential<float> model{Dense{1}};
    Trainer trainer(model, {.optimizer = SGD{.learning_rate = 0.01}, .loss = MeanSquaredError{}});
    EarlyStopping stopping{.monitor = "loss", .patience = 2};
    const std::vector<float> x{1, 2, 3}, y{3, 5, 7};
    trainer.fit(TensorView<const float>(x, {3, 1}), TensorView<const float>(y, {3, 1}),
                {.epochs = 17, .verbosity = Verbosity::silent, .callbacks = {stopping}});
    REQUIRE(stopping.best_epoch() == 17);
    stopping.monitor = "val_loss";
    return stopping;
}

}  // namespace

TEST_CASE("a refused checkpoint leaves callbacks and their files as they were") {
    const TemporaryFolder folder;
    const auto file = folder.path() / "run";
    Program first{.folder = folder.path(), .epochs = 1};
    first.fit(checkpoint_file(file));
    folder.file("log.csv", contents_of(first.csv) + "behind the checkpoint\n");
    const std::string log = contents_of(first.csv);
    const auto refused = [&](Program&& program) {
        program.stopping = used_before();
        CHECK(refusal(program, file) != "");
        CHECK(program.stopping.best_epoch() == 17);
        CHECK(contents_of(first.csv) == log);
    };
    refused({.folder = folder.path(), .seed = 4});
    refused({.folder = folder.path(), .more = {EarlyStopping{.patience = 2}}});
}

TEST_CASE("what callbacks get back has to be of this run") {
    const TemporaryFolder folder;
    Program first{.folder = folder.path(), .epochs = 3};
    RunState state;
    first.fit(run_store([] { return std::nullopt; }, [&](const RunState& s) { state = s; }));
    const auto refusal_with = [&](std::string_view name, const auto& change) {
        RunState hostile = state;
        const auto value = std::ranges::find(hostile.values, name, &RunState::Value::name);
        REQUIRE(value != hostile.values.end());
        change(*value);
        Program other{.folder = folder.path()};
        other.stopping = used_before();  // refusing brings its results back
        std::string refusal;
        try {
            other.fit(run_store([&] { return std::optional(hostile); }, [](const RunState&) {}));
        } catch (const IoError& error) {
            refusal = error.what();
        }
        CHECK(other.stopping.best_epoch() == 17);
        return refusal;
    };
    const auto count_4 = [](RunState::Value& value) {
        const std::int64_t four = 4;
        REQUIRE(value.bytes.size() == sizeof four);
        std::memcpy(value.bytes.data(), &four, sizeof four);
    };
    const auto one_byte = [](RunState::Value& value) {
        REQUIRE(value.bytes.size() > 1);
        value.bytes = Buffer(1);
        value.shape = Shape{1};
    };
    CHECK(refusal_with("training/callback_4/saved_epoch", count_4) ==
          "the state: training/callback_4/saved_epoch is not a completed epoch of the run");
    const auto nothing = [](RunState::Value& value) {
        value.bytes = Buffer(0);
        value.shape = Shape{0};
    };
    const std::string bytes = concat(first.model.arena().size() * 4);
    CHECK(refusal_with("training/callback_1/best_epoch", count_4) ==
          "the state: training/callback_1/best_epoch is not a completed epoch of the run");
    CHECK(refusal_with("training/callback_3/best_epoch", count_4) ==
          "the state: training/callback_3/best_epoch is not a completed epoch of the run");
    CHECK(refusal_with("training/callback_1/weights", one_byte) ==
          "the state: training/callback_1/weights has 1 bytes, expected " + bytes);
    CHECK(refusal_with("training/callback_3/weights", one_byte) ==
          "the state: training/callback_3/weights has 1 bytes, expected " + bytes);
    for (const int callback : {1, 3}) {
        const std::string name = concat("training/callback_", callback, "/weights");
        CHECK(refusal_with(name, nothing) ==
              concat("the state: ", name, " has 0 bytes, expected ", bytes));
    }
    const auto not_a_number = [](RunState::Value& value) {
        const double nan = std::nan("");
        std::memcpy(value.bytes.data() + sizeof nan, &nan, sizeof nan);  // samples_per_second
    };
    CHECK(refusal_with("training/history/epochs", not_a_number) ==
          "the state: training/history/epochs holds a time or a rate that is negative or NaN");
    for (const double rate : {-1.0, std::nan(""), std::numeric_limits<double>::infinity()}) {
        const auto set = [rate](RunState::Value& value) {
            std::memcpy(value.bytes.data(), &rate, sizeof rate);
        };
        CHECK(refusal_with("training/trainer/learning_rate", set) ==
              "the state: training/trainer/learning_rate is not a learning rate");
        CHECK(refusal_with("training/seconds", set) ==
              "the state: training/seconds are not a time");
    }
    // The epoch is over, so its number is that of the history; the fourth has not begun.
    CHECK(refusal_with("training/epoch", count_4) ==
          "the state: training/step is not a step of its epoch");
}

TEST_CASE("a state in the middle of an epoch has to be in the middle of one") {
    SmallRun first;
    RunState middle;
    first.fit(run_store([] { return std::nullopt; },
                        [&](const RunState& state) {
                            const auto over = std::ranges::find(state.values, "training/epoch_over",
                                                                &RunState::Value::name);
                            std::int64_t value = 1;
                            std::memcpy(&value, over->bytes.data(), sizeof value);
                            if (value == 0) middle = state;
                        },
                        1));
    REQUIRE(!middle.values.empty());
    const auto refusal_with = [&](std::string_view name, std::int64_t number) {
        RunState hostile = middle;
        const auto value = std::ranges::find(hostile.values, name, &RunState::Value::name);
        REQUIRE(value != hostile.values.end());
        std::memcpy(value->bytes.data(), &number, sizeof number);
        SmallRun run;
        run.model.build({2}, 1);
        try {
            run.fit(run_store([&] { return std::optional(hostile); }, [](const RunState&) {}));
        } catch (const IoError& error) {
            return std::string(error.what());
        }
        return std::string();
    };
    const std::string none = "the state: training/step is not a step of its epoch";
    CHECK(refusal_with("training/step", 1) == "");
    CHECK(refusal_with("training/step", 0) == none);
    CHECK(refusal_with("training/step", 3) == none);  // of three steps: then it would be over
    CHECK(refusal_with("training/epoch", 1) == none);
    CHECK(refusal_with("training/epoch_over", 1) == none);
    CHECK(refusal_with("training/epoch_over", 2) == none);
}

TEST_CASE("a state in the middle of an epoch lies between two updates") {
    const auto x = random_normal<float>({16, 3}, 1), y = random_normal<float>({16, 1}, 2);
    const auto fit = [&](const RunStore& store, Verbosity verbosity) {
        Sequential<float> model{Dense{1}};
        Trainer trainer(model, {.loss = MeanSquaredError{}});
        trainer.fit(x, y,
                    {.epochs = 1,
                     .batch_size = 4,
                     .gradient_accumulation_steps = 2,
                     .verbosity = verbosity,
                     .checkpoint = store});
    };
    const auto step_of = [](RunState& state) {
        const auto value = std::ranges::find(state.values, "training/step", &RunState::Value::name);
        REQUIRE(value != state.values.end());
        return value->bytes.data();
    };
    std::optional<RunState> middle;
    const auto keep = [&](RunState state) {
        std::int64_t step = 0;
        std::memcpy(&step, step_of(state), sizeof step);
        if (step == 2) middle = std::move(state);
    };
    fit(run_store([] { return std::nullopt; }, keep, 1), Verbosity::silent);
    REQUIRE(middle.has_value());
    const auto resumed = [&](std::int64_t step) {
        RunState state = *middle;
        std::memcpy(step_of(state), &step, sizeof step);
        return captured_output([&] {
            fit(run_store([&] { return std::optional(state); }, [](const RunState&) {}),
                Verbosity::line);
        });
    };
    CHECK(resumed(2).starts_with("Resumed after step 2/4 of epoch 1\n"));
    for (const std::int64_t step : {1, 3}) {
        CHECK_THROWS_WITH_AS(resumed(step), "the state: training/step is not a step of its epoch",
                             IoError);
    }
}

TEST_CASE("a run in double without shuffling goes on, and says where") {
    const TemporaryFolder folder;
    const auto file = folder.path() / "run";
    const auto x = random_normal<double>({10, 3}, 1), y = random_normal<double>({10, 1}, 2);
    const auto fit = [&](Index epochs, Verbosity verbosity) {
        Sequential<double> model{Dense{1}};
        Trainer trainer(model, {.loss = MeanSquaredError{}});
        trainer.fit(x, y,
                    {.epochs = epochs,
                     .batch_size = 4,
                     .shuffle = false,
                     .verbosity = verbosity,
                     .checkpoint = checkpoint_file(file)});
        return Tensor<double>(model.arena());
    };
    fit(1, Verbosity::silent);
    Tensor<double> resumed;
    const std::string printed = captured_output([&] { resumed = fit(2, Verbosity::line); });
    CHECK(printed.starts_with("Resumed after epoch 1\nEpoch 2/2  3/3  "));
    std::filesystem::remove(file);
    CHECK(identical(fit(2, Verbosity::silent), resumed));
}

TEST_CASE("callbacks of one type that changed places are noticed") {
    const TemporaryFolder folder;
    const auto program = [&](const char* first, const char* second) {
        return Program{.folder = folder.path(),
                       .epochs = 1,
                       .more = {EarlyStopping{.monitor = first, .patience = 9},
                                EarlyStopping{.monitor = second, .patience = 9}}};
    };
    program("loss", "val_loss").fit(checkpoint_file(folder.path() / "run"));
    Program swapped = program("val_loss", "loss");
    CHECK(refusal(swapped, folder.path() / "run")
              .ends_with(": training/callback_7/monitor is loss, expected val_loss"));
}

TEST_CASE("a store needs both directions") {
    SmallRun run;
    const char* const expected = "fit: checkpoint needs both load and save";
    CHECK_THROWS_WITH_AS(run.fit({.save = [](const VisitState&) {}}), expected, ArgumentError);
    CHECK_THROWS_WITH_AS(run.fit({.every_steps = 2}), expected, ArgumentError);
}

TEST_CASE("a layer named like the state of training: weights load, a checkpoint is refused") {
    const TemporaryFolder folder;
    Sequential<float> model{Dense{.units = 1, .name = "training"}};
    model.build({2}, 1);
    save_weights(model, folder.path() / "weights");
    SmallRun run;
    run.model = Sequential<float>(model);
    run.model.build({2}, 2);
    load_weights(run.model, folder.path() / "weights");
    CHECK(identical(run.model.arena(), model.arena()));
    CHECK_THROWS_WITH_AS(run.fit(checkpoint_file(folder.path() / "run")),
                         "fit: checkpoints reserve the name training/kernel; rename the layer",
                         ArgumentError);
}

TEST_CASE("load_weights reads a checkpoint") {
    const TemporaryFolder folder;
    Program first{.folder = folder.path(), .epochs = 1};
    first.fit(checkpoint_file(folder.path() / "run"));
    Program other{.folder = folder.path()};
    other.model.build({6, 5, 1}, 9);
    load_weights(other.model, folder.path() / "run");
    // The callbacks brought the best weights back when training ended: those of the one epoch.
    CHECK(identical(other.model.arena(), first.model.arena()));
}
