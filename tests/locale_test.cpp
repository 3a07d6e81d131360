/// \file
/// What is written and read is the same in a locale of decimal commas and grouped digits.
#include "tests/support/comma_locale.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/random_tensor.hpp"
#include "weft/data/csv.hpp"
#include "weft/io/checkpoint_file.hpp"
#include "weft/io/model_file.hpp"
#include "weft/report/report.hpp"
#include "weft/report/tensorboard_logger.hpp"
#include "weft/testing/gradient_check.hpp"
#include "weft/weft.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <functional>
#include <map>
#include <sstream>

using namespace weft;

namespace {

/// Texts by what they are: the contents of files, messages, lines on the screen.
using Texts = std::map<std::string, std::string>;

std::string message_of(const std::function<void()>& call) {
    try {
        call();
    } catch (const Error& error) {
        return error.what();
    }
    return "nothing was thrown";
}

Sequential<float> some_model() {
    Sequential<float> model{Input{{2}}, Dense{.units = 1500, .kernel_regularizer = l2(0.125)},
                            LeakyReLU{.negative_slope = 0.25}, Dropout{0.5}, Dense{2, softmax}};
    return model;
}

/// A history of 1234 epochs; times that are measured would differ.
History long_history() {
    History history;
    for (int i = 0; i < 1234; ++i) {
        EpochRecord epoch;
        epoch.scores.set("loss", 1234.5 - i);
        epoch.scores.set("val_loss", 2345.25 - i);
        epoch.seconds = 1.5;
        epoch.samples_per_second = 12345.5;
        epoch.learning_rate = 0.00125;
        history.epochs.push_back(epoch);
    }
    return history;
}

void write_models(const TemporaryFolder& folder, Texts& texts) {
    const Sequential<float> model = some_model();
    save_model(model, folder / "model");
    texts["model"] = contents_of(folder / "model");
    CHECK(identical(load_model<float>(folder / "model").arena(), model.arena()));
    texts["summary"] = model.summary();
    texts["shape"] = message_of([&] { model.predict(Tensor<float>({1234, 1001})); });
    texts["option"] = message_of([] { Sequential<float>{Input{{2}}, Dropout{1234.5}}; });
}

void write_report_of(const TemporaryFolder& folder, Texts& texts) {
    const Tensor<float> images = random_uniform<float>({1200, 4, 4}, 1, 0, 1);
    Tensor<std::uint8_t> labels({1200});
    Tensor<float> predictions({1200, 2});
    for (Index i = 0; i < 1200; ++i) {
        labels[i] = static_cast<std::uint8_t>(i % 2);
        predictions(i, 0) = i % 3 == 0 ? 0.25f : 0.625f;
        predictions(i, 1) = 1 - predictions(i, 0);
    }
    const auto directory = folder.path() / "report";
    write_report(directory, {.history = long_history(),
                             .train = {images, labels},
                             .test = {images, labels},
                             .white = 1,
                             .predictions = predictions});
    for (const auto& file : std::filesystem::directory_iterator(directory)) {
        texts[file.path().filename().string()] = contents_of(file.path());
    }
}

void check_gradients(Texts& texts) {
    GradientCheck check;
    check.largest_gap = 1234.5;
    check.where = "an element";
    std::ostringstream gap, gradient;  // in the global locale
    gap << Gap{1234.5, " of an element"};
    gradient << check;
    texts["gap"] = gap.str();
    texts["gradient check"] = gradient.str();
}

void train(const TemporaryFolder& folder, Texts& texts) {
    const Tensor<float> x({2, 1}, {1, 2}), y({2, 1}, {0.5, 1.25});
    const auto fit = [&](Index epochs) {
        Sequential<float> model{Dense{1}};
        Trainer trainer(model, {.loss = MeanSquaredError{}});
        return trainer.fit(x, y,
                           {.epochs = epochs,
                            .verbosity = Verbosity::silent,
                            .callbacks = {CSVLogger{folder.path() / "log.csv"},
                                          TensorBoardLogger{folder.path() / "logs"}},
                            .checkpoint = checkpoint_file(folder / "run", {.every_steps = 100})});
    };
    // Epochs from 1000 on have a digit that could be grouped.
    fit(990);
    CHECK(fit(1002).epochs.size() == 1002);
    texts["log.csv"] = contents_of(folder / "log.csv");
    Scores scores;
    scores.set("loss", 1234.5);
    const ProgressLine line(Verbosity::line, 1234, 5678, 98765);
    texts["line"] = line.line(12345, 1234.5, scores) + line.line(98765, 4.25, scores);
}

void read_tables(const TemporaryFolder& folder, Texts& texts) {
    const auto path = folder.file("table.csv", "label,a,b\n0,1234.5,-1e-3\n1,+.25,1e-99\n");
    const auto table = read_csv<float>(path);
    CHECK(values_of(table.x) == std::vector<float>{1234.5f, -1e-3f, 0.25f, 0});
    folder.file("table.csv", "label,a\n0,1234.5\n1,1.234,5\n");
    texts["table"] = message_of([&] { read_csv<float>(path); });
    folder.file("table.csv", "label,a\n1234.5,0\n");
    texts["label"] = message_of([&] { read_csv<float>(path); });
}

/// All that the library writes.
Texts all_texts() {
    const TemporaryFolder folder;
    Texts texts;
    write_models(folder, texts);
    write_report_of(folder, texts);
    check_gradients(texts);
    train(folder, texts);
    read_tables(folder, texts);
    for (auto& [what, text] : texts) {
        const std::string name = folder.path().string();
        for (auto at = text.find(name); at != text.npos; at = text.find(name)) {
            text.replace(at, name.size(), "folder");
        }
    }
    return texts;
}

}  // namespace

TEST_CASE("what is written and read is the same in a locale of commas and grouped digits") {
    const Texts expected = all_texts();
    REQUIRE(expected.size() > 10);
    CHECK(expected.at("log.csv").find("\n1000,0.001,") != std::string::npos);
    const CommaLocale locale;
    WARN_MESSAGE(CommaLocale::has_c_locale(), "no such locale of C: printf is not tried");
    std::ostringstream stream;
    stream << 1234.5;
    REQUIRE(stream.str() == "1.234,5");
    const Texts texts = all_texts();
    REQUIRE(texts.size() == expected.size());
    for (const auto& text : expected) {
        CAPTURE(text.first);
        CHECK(texts.at(text.first) == text.second);
    }
}
