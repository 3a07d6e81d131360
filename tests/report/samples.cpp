// Writes what the checks of this folder look at, from short runs on pictures made up here:
//   samples DIR    DIR/grey, DIR/colour (reports), DIR/hostile (names and numbers that try to break
//                  a page), DIR/logs (a TensorBoard log) and DIR/logs.csv (the same numbers),
//                  DIR/resumed and DIR/resumed.csv (likewise, of a run that lost two epochs)
#include "tests/support/models_once.hpp"

#include <weft/report/report.hpp>
#include <weft/report/tensorboard_logger.hpp>
#include <weft/training/run_state.hpp>
#include <weft/weft.hpp>

#include <filesystem>
#include <iostream>

namespace {

using namespace weft;

/// Noise, and in it a bright bar: as many places for it as there are classes.
struct Pictures {
    Tensor<float> x;
    Tensor<std::uint8_t> labels;

    Pictures(Index count, Index channels, std::uint32_t stream)
        : x({count, 12, 12, channels}), labels(Shape{count}) {
        const RandomStream random(1, RandomPurpose::user, stream);
        std::uint64_t draw = 0;
        for (Index n = 0; n < count; ++n) {
            labels[n] = static_cast<std::uint8_t>(n % 10);
            for (Index i = 0; i < 12; ++i) {
                for (Index j = 0; j < 12; ++j) {
                    for (Index c = 0; c < channels; ++c) {
                        const bool bar = i == labels[n] + 1 && c == labels[n] % channels;
                        const double noise = random.uniform(draw++);
                        x(n, i, j, c) = static_cast<float>(0.75 * noise + (bar ? 0.25 : 0));
                    }
                }
            }
        }
    }
};

void write(const std::filesystem::path& directory, Index channels, bool hostile) {
    const Pictures train(800, channels, 1), test(300, channels, 2);
    Sequential<float> model{Conv2D{.filters = 8, .kernel_size = 3, .activation = relu}, Flatten{},
                            Dense{10, softmax}};
    Trainer trainer(model, {.loss = SparseCategoricalCrossentropy{}, .metrics = {Accuracy{}}});
    FitOptions<float> fit{
        .epochs = 6, .validation_data = {test.x, test.labels}, .verbosity = Verbosity::silent};
    if (channels == 1 && !hostile) {
        fit.callbacks = {TensorBoardLogger{.directory = directory.parent_path() / "logs"},
                         CSVLogger{.path = directory.parent_path() / "logs.csv"}};
    }
    RunReport run{.title = directory.filename().string(),
                  .options = {{"optimizer", "adam"}, {"batch size", "32"}},
                  .history = trainer.fit(train.x, train.labels, fit),
                  .class_names = {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal",
                                  "Shirt", "Sneaker", "Bag", "Ankle boot"},
                  .train = {train.x, train.labels},
                  .test = {test.x, test.labels},
                  .white = 1,
                  .predictions = model.predict(test.x),
                  .filters = first_filters(model)};
    run.summary = model.summary();
    if (hostile) {
        const std::string attack = "</title></style><script>document.title='broken'</script>";
        run.title = run.summary = attack;
        run.options.push_back({attack, std::string(400, 'x')});
        run.class_names[0] = attack;
        run.class_names[1] = "\"><img src=\"http://example.invalid/x.png\" onerror=\"alert(1)\">";
        run.class_names[2] = std::string(200, 'W');
        run.class_names[3] = "\xFF\x01 \xE2\x82\xAC";
        run.history.epochs[2].scores.set("loss", std::numeric_limits<double>::quiet_NaN());
        run.history.non_finite = NonFinite{6, 1, attack};
    }
    write_report(directory, run);
}

/// Six epochs, of which the last two are run twice: their state is lost.
void write_resumed(const std::filesystem::path& directory) {
    const Pictures train(100, 1, 3);
    std::vector<RunState> states;
    const auto fit = [&](const RunStore& store) {
        Sequential<float> model{Flatten{}, Dense{10, softmax}};
        model.build(train.x.shape().sample(), 1);
        Trainer trainer(model, {.loss = SparseCategoricalCrossentropy{}, .metrics = {Accuracy{}}});
        trainer.fit(train.x, train.labels,
                    {.epochs = 6,
                     .verbosity = Verbosity::silent,
                     .callbacks = {TensorBoardLogger{.directory = directory},
                                   CSVLogger{.path = directory.string() + ".csv"}},
                     .checkpoint = store});
    };
    fit(run_store([] { return std::nullopt; },
                  [&](const RunState& state) { states.push_back(state); }));
    fit(run_store([&] { return std::optional(states.at(4)); }, [](const RunState&) {}));
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    try {
        const std::filesystem::path root = argv[1];
        std::filesystem::create_directories(root);
        for (const char* log : {"logs", "resumed"}) {
            std::filesystem::remove_all(root / log);  // a new run would add to the one of before
        }
        write(root / "grey", 1, false);
        write(root / "colour", 3, false);
        write(root / "hostile", 1, true);
        write_resumed(root / "resumed");
    } catch (const std::exception& error) {
        std::cerr << error.what() << "\n";
        return 1;
    }
}
