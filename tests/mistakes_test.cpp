/// \file
/// What weft says at run time of the mistakes that are made most: as docs/mistakes.md has it.
#include "weft/weft.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace {

using namespace weft;

/// Fits a model of 3 classes to 6 samples of 4 x 4 numbers.
template <class Loss>
void fit(const Dense& last, Loss loss, const Tensor<int>& labels) {
    Sequential<float> model{Flatten{}, last};
    Trainer trainer(model, {.loss = loss});
    trainer.fit(Tensor<float>({6, 4, 4}), labels, {.verbosity = Verbosity::silent});
}

/// The message of what `mistake` throws; the page of the mistakes has to have it.
template <class Mistake>
void check(const std::string& message, Mistake mistake) {
    static const std::string page = [] {
        std::ifstream file(std::filesystem::path(WEFT_SOURCE_DIR) / "docs" / "mistakes.md");
        return std::string(std::istreambuf_iterator<char>(file), {});
    }();
    std::string found = "nothing is thrown";
    try {
        mistake();
    } catch (const Error& error) {
        found = error.what();
    }
    CHECK(found == message);
    CHECK_MESSAGE(page.find("`" + message + "`") != std::string::npos, message);
}

}  // namespace

TEST_CASE("what weft says of frequent mistakes is what docs/mistakes.md says") {
    const Tensor<float> x({6, 4, 4});
    const Tensor<int> labels({6}), one_hot({6, 3});
    const SparseCategoricalCrossentropy by_class;
    const Dense probabilities{.units = 3, .activation = softmax};
    Sequential<float> built{Flatten{}, Dense{.units = 3}};
    built.build({4, 4});

    check(
        "SparseCategoricalCrossentropy: takes probabilities, but dense has no activation; write "
        ".activation = softmax in dense, or .from_logits = true in the loss",
        [&] { fit({.units = 3}, by_class, labels); });
    check(
        "SparseCategoricalCrossentropy: takes logits, with .from_logits, but dense ends in "
        "softmax; "
        "write .activation = linear in dense, or .from_logits = false in the loss",
        [&] { fit(probabilities, SparseCategoricalCrossentropy{.from_logits = true}, labels); });
    check(
        "CategoricalCrossentropy: targets have shape (None,), expected (None, 3) for predictions "
        "(None, 3)",
        [&] { fit(probabilities, CategoricalCrossentropy{}, labels); });
    check(
        "SparseCategoricalCrossentropy: targets have shape (None, 3), expected (None,) for "
        "predictions (None, 3)",
        [&] { fit(probabilities, by_class, one_hot); });
    check(
        "SparseCategoricalCrossentropy: target of sample 3 is label 3, expected a class in 0 ... 2",
        [&] { fit(probabilities, by_class, Tensor<int>({6}, {1, 2, 1, 3, 1, 2})); });
    check("dataset: x has 6 samples, y has 5 targets; expected as many",
          [&] { fit(probabilities, by_class, Tensor<int>({5})); });
    check("the model is not built; call build(input_shape) or fit it first",
          [&] { Sequential<float>{Flatten{}, probabilities}.predict(x); });
    check("flatten: input has shape (None, 5, 5), expected (None, 4, 4)",
          [&] { built.predict(Tensor<float>({6, 5, 5})); });
    check("dense: units is 0, expected at least 1",
          [&] { Sequential<float>{Flatten{}, Dense{}}.build({4, 4}); });
    check(
        "SparseCategoricalCrossentropy: targets have shape (None,), expected (None, 4) for "
        "predictions (None, 4, 3)",
        [&] {
            Sequential<float> model{probabilities};
            Trainer(model, {.loss = by_class}).fit(x, labels, {.verbosity = Verbosity::silent});
        });
    check("conv2d: input has shape (None, 4, 4), expected (None, height, width, channels)",
          [&] { Sequential<float>{Conv2D{.filters = 2, .kernel_size = 3}}.build({4, 4}); });
    check("flatten: input has shape (96,), expected (None, 4, 4), or of one sample (4, 4)",
          [&] { built.predict(std::vector<float>(6 * 4 * 4)); });
    check("Adam: learning_rate is -1, expected a positive number",
          [&] { Trainer(built, {.optimizer = Adam{.learning_rate = -1}, .loss = by_class}); });
    check("scores: no score is named accuracy; there are loss", [&] {
        Trainer trainer(built, {.loss = SparseCategoricalCrossentropy{.from_logits = true}});
        static_cast<void>(trainer.evaluate(x, labels)["accuracy"]);
    });
}
