/// \file
/// What every loss has to hold.
#pragma once

#include "tests/support/reference_checks.hpp"
#include "weft/testing/gradient_check.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <string_view>

namespace weft {

/// How many cases of each loss losses.json and loss_options.json hold together, and no others.
inline const std::map<std::string_view, int> loss_reference_counts{
    {"BinaryCrossentropy", 20 + 20},
    {"CategoricalCrossentropy", 15 + 24},
    {"MeanSquaredError", 5 + 3},
    {"SparseCategoricalCrossentropy", 9 + 8},
};

/// Checks all reference cases of that loss.
template <class Declaration>
void check_loss_reference() {
    int held = 0, in_files = 0;
    for (const char* file : {"losses.json", "loss_options.json"}) {
        for (const ReferenceCase& expected : reference_cases(file)) {
            ++in_files;
            if (expected.at("type") != Declaration::type) continue;
            const std::string name = expected.name();
            CAPTURE(name);
            Declaration loss;
            if constexpr (requires { loss.from_logits; }) {
                loss.from_logits = expected.at("from_logits");
            }
            if (expected.has("label_smoothing")) {
                if constexpr (requires { loss.label_smoothing; }) {
                    loss.label_smoothing = expected.at("label_smoothing");
                } else {
                    FAIL_CHECK("the loss has no label_smoothing");
                }
            }
            CHECK(matches_reference<double>(loss, expected));
            // In float, 1 - 1e-7 is 1 - 2^-23, so values beside that bound differ by a fifth.
            const auto has = [&](const char* part) { return name.find(part) != std::string::npos; };
            const bool at_bounds =
                has("_probabilities_") && (has("zero_and_one") || has("hard_rows"));
            if (!at_bounds) CHECK(matches_reference<float>(loss, expected));
            ++held;
        }
    }
    CHECK(held == loss_reference_counts.at(Declaration::type));
    int of_all_losses = 0;
    for (const auto& [type, count] : loss_reference_counts) of_all_losses += count;
    CHECK(in_files == of_all_losses);
}

/// Checks that the option is refused by name, and that 0 and what is below 1 are not.
template <class Declaration>
void check_label_smoothing_range() {
    using Loss = LossDeclaration<double, Cpu>;
    const std::string refused = concat(Declaration::type, ": label_smoothing is ");
    CHECK_THROWS_WITH_AS(Loss(Declaration{.label_smoothing = 1.5}),
                         (refused + "1.5, expected a number in [0, 1)").c_str(), ArgumentError);
    const double infinity = std::numeric_limits<double>::infinity();
    for (const double bad : {-0.1, -1e-300, 1.0, infinity, -infinity, std::nan("")}) {
        CAPTURE(bad);
        CHECK_THROWS_WITH_AS(Loss(Declaration{.label_smoothing = bad}),
                             doctest::Contains(refused.c_str()), ArgumentError);
    }
    for (const double good : {0.0, 0.1, std::nextafter(1.0, 0.0)}) {
        CAPTURE(good);
        CHECK_NOTHROW(Loss(Declaration{.label_smoothing = good}));
    }
}

/// The samples' rows of a batch, for a loss whose targets have that many numbers a sample.
template <class Scalar>
Tensor<Scalar> repeated(const Tensor<Scalar>& one, Index times) {
    Tensor<Scalar> many(one.shape().sample().batch(times));
    for (Index i = 0; i < many.size(); ++i) many[i] = one[i % one.size()];
    return many;
}

/// Checks that a batch of `times` equal samples has the mean loss of one and gradients `times`
/// smaller: the loss alone divides by N.   predictions (1, ...)   targets (1, ...)
inline void check_divides_by_n(const LossDeclaration<double, Cpu>& loss,
                               const Tensor<double>& predictions, const Tensor<double>& targets,
                               bool fused) {
    const auto one = evaluate_loss(loss, predictions, targets, fused);
    const auto five = evaluate_loss(loss, repeated(predictions, 5), repeated(targets, 5), fused);
    CHECK(relative_gap(five.mean(), one.mean()) < 1e-14);
    Tensor<double> fifth = repeated(one.gradient, 5);
    for (double& value : fifth) value /= 5;
    CHECK(largest_gap(five.gradient, fifth) < 1e-13);
}

/// Checks that threads and the other rows of a batch leave a row's bits alone, that evaluate keeps
/// predictions unless fused, and that a NaN comes out as NaN in its own row.
///
///   predictions (N, C)   targets (N, target...)
template <class Scalar>
void check_loss_rows(const LossDeclaration<Scalar, Cpu>& loss, const Tensor<Scalar>& predictions,
                     const Tensor<Scalar>& targets, bool fused) {
    CAPTURE(fused);
    const auto all = evaluate_loss(loss, predictions, targets, fused);
    for (const int threads : {2, 7}) {
        const auto many = evaluate_loss(loss, predictions, targets, fused, Cpu(threads));
        CHECK(identical(many.losses, all.losses));
        CHECK(identical(many.gradient, all.gradient));
        CHECK(identical(many.predictions, all.predictions));
    }
    if (!fused) CHECK(identical(all.predictions, predictions));

    Tensor<Scalar> with_nan = predictions;
    const Index middle = predictions.shape()[0] / 2;
    with_nan(middle, 1) = std::numeric_limits<Scalar>::quiet_NaN();
    const auto found = evaluate_loss(loss, with_nan, targets, fused);
    for (const Index row : {middle - 1, middle + 1}) CHECK(found.losses[row] == all.losses[row]);
    CHECK(std::isnan(found.losses[middle]));

    for (const Index row : {Index{0}, middle}) {
        const auto alone = evaluate_loss(loss, Tensor<Scalar>(predictions.slice(row, 1)),
                                         Tensor<Scalar>(targets.slice(row, 1)), fused);
        CHECK(identical(alone.losses, all.losses.slice(row, 1)));
    }
}

/// Checks that the loss fused with the activation equals the activation's layer, followed by the
/// loss on its output: losses, the gradient of the logits, and the probabilities put in their
/// place.
template <class ActivationLayer>
void check_fused_equals_unfused(const LossDeclaration<double, Cpu>& loss,
                                const Tensor<double>& logits, const Tensor<double>& targets) {
    SingleLayer<double> layer(ActivationLayer{}, logits.shape().sample());
    REQUIRE(loss->fuses(layer.layer().as_activation()));
    const auto probabilities = layer.forward(logits);
    const auto unfused = evaluate_loss(loss, probabilities, targets);
    const auto fused = evaluate_loss(loss, logits, targets, true);
    // A dozen roundings on either way, and 1 / p with p above 1e-2.
    CHECK(largest_gap(fused.losses, unfused.losses) < 1e-11);
    CHECK(largest_gap(fused.gradient, layer.backward(logits, probabilities, unfused.gradient)) <
          1e-11);
    CHECK(largest_gap(fused.predictions, probabilities) < 1e-12);
}

/// Random class indices as a target.
template <class Scalar = double>
Tensor<Scalar> random_labels(const Shape& shape, Index classes, std::uint32_t stream = 8) {
    auto labels = random_uniform<Scalar>(shape, stream, 0, static_cast<double>(classes));
    for (Scalar& label : labels) label = std::floor(label);
    return labels;
}

}  // namespace weft
