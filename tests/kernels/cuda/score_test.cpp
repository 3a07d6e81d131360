/// \file
/// The sums that losses add up on a GPU in their own launch.
#include "tests/support/cuda.hpp"
#include "tests/support/random_tensor.hpp"
#include "tests/support/reference/loss.hpp"
#include "tests/support/reference/tally.hpp"
#include "tests/support/special_values.hpp"
#include "weft/kernels/cuda/loss.hpp"
#include "weft/kernels/cuda/metric.hpp"
#include "weft/kernels/cuda/tally.hpp"
#include "weft/kernels/fused.hpp"

#include <doctest/doctest.h>

using namespace weft;
using kernels::Matches;

namespace {

template <class Scalar, class Device>
using Score =
    std::function<void(Device&, TensorView<Scalar, Device>, TensorView<const Scalar, Device>,
                       const kernels::ScoredLosses<Scalar, Device>&, TensorView<Scalar, Device>)>;

/// What a loss adds up behind another batch: sum and count of losses, sum and count of matches, mark.
template <class Scalar, class Device>
Tensor<double> sums_on(const Tensor<Scalar>& predictions, const Tensor<Scalar>& targets, Index rows,
                       Matches matches, double mark_before, bool marks,
                       const Score<Scalar, Device>& score) {
    Device device;
    const auto there = [&]<class Number>(const Tensor<Number>& x) {
        Tensor<Number, Device> result(x.shape(), device);
        kernels::copy_to_device<Number>(device, x, result);
        return result;
    };
    auto sums = there(Tensor<double>({5}, {3, 4, 5, 6, mark_before}));
    auto p = there(predictions), gradient = there(predictions);
    const auto t = there(targets);
    Tensor<Scalar, Device> losses({rows}, device);
    const kernels::BatchScore<Scalar, Device> of{.loss = {sums.data(), {2}},
                                                 .mark = 7,
                                                 .wrong = marks ? sums.data() + 4 : nullptr,
                                                 .matches = matches,
                                                 .matched = {sums.data() + 2, {2}},
                                                 .predictions = p,
                                                 .targets = t};
    score(device, p, t, {losses, &of}, gradient);
    Tensor<double> result({5});
    kernels::copy_to_host<double>(device, sums, result);
    return result;
}

/// Checks them against the definitions: the matches and counts are the same, and the loss is as good
/// as its rows are, whose tolerance loss_test.cpp argues for: it is a sum of those.
template <class Scalar>
void check_sums(const Tensor<Scalar>& predictions, const Tensor<Scalar>& targets, Index rows,
                Matches matches, const auto& score) {
    const auto of = [&]<class Device>(Device*, double mark = 0, bool marks = true) {
        return sums_on<Scalar, Device>(predictions, targets, rows, matches, mark, marks, score);
    };
    const auto expected = of(static_cast<Reference*>(nullptr));
    Tensor<double> first;
    in_each_order([&] {
        const auto result = of(static_cast<Cuda*>(nullptr));
        for (const Index i : {1, 2, 3, 4}) CHECK(result[i] == expected[i]);
        if (std::isfinite(expected[0])) {
            CHECK(relative_gap(result[0], expected[0]) < 30 * static_cast<double>(eps<Scalar>));
        } else {
            CHECK(expected[4] == 7);
            CHECK_FALSE(std::isfinite(result[0]));
        }
        if (first.size() > 1) CHECK(identical(result, first));
        first = result;
    });
    // A mark that is there stays, and without a place nothing is marked.
    CHECK(of(static_cast<Cuda*>(nullptr), 2)[4] == 2);
    CHECK(of(static_cast<Cuda*>(nullptr), 0, false)[4] == 0);
}

template <class Scalar>
void check_all(const Shape& shape, const Tensor<Scalar>& logits, const Tensor<Scalar>& labels,
               const Tensor<Scalar>& targets) {
    const Index rows = shape[0], columns = shape[1];
    for (const auto kind : {Matches::Kind::none, Matches::Kind::sparse}) {
        check_sums(logits, labels, rows, {kind},
                   [](auto& device, auto p, auto t, const auto& losses, auto gradient) {
                       sparse_softmax_crossentropy<Scalar>(device, p, t, Scalar(1), losses, p,
                                                           gradient);
                       finish_score<Scalar>(device, losses);
                   });
        check_sums(logits, labels, rows, {kind},  // as it is, without probabilities in its place
                   [](auto& device, auto p, auto t, const auto& losses, auto gradient) {
                       sparse_softmax_crossentropy<Scalar>(device, p, t, Scalar(1), losses,
                                                           gradient, gradient);
                       finish_score<Scalar>(device, losses);
                   });
    }
    const auto kind = columns > 1 ? Matches::Kind::categorical : Matches::Kind::binary;
    const auto smoothed = [=](const auto& t) {
        return kernels::SmoothedTargets<Scalar>(t, 0.1, columns);
    };
    check_sums(logits, targets, rows, {kind, 0.25},
               [=](auto& device, auto p, auto t, const auto& losses, auto gradient) {
                   softmax_crossentropy<Scalar>(device, p, smoothed(t), Scalar(1), losses, p,
                                                gradient);
                   finish_score<Scalar>(device, losses);
               });
    check_sums(logits, targets, rows, {kind, 0.25},
               [=](auto& device, auto p, auto t, const auto& losses, auto gradient) {
                   sigmoid_crossentropy<Scalar>(device, p, smoothed(t), Scalar(1), losses, p,
                                                gradient);
                   finish_score<Scalar>(device, losses);
               });
    check_sums(logits, targets, rows, {kind, 1},  // which some logits are
               [](auto& device, auto p, auto t, const auto& losses, auto gradient) {
                   mean_squared_error<Scalar>(device, p, t, Scalar(1), losses, gradient);
                   finish_score<Scalar>(device, losses);
               });
    // A loss of one's own, which leaves the sums to training.
    check_sums(logits, targets, rows, {kind, 0.25},
               [](auto& device, auto p, auto t, const auto& losses, auto gradient) {
                   mean_squared_error<Scalar>(
                       device, p, t, Scalar(1),
                       TensorView<Scalar, std::remove_reference_t<decltype(device)>>(losses),
                       gradient);
                   add_score<Scalar>(device, losses);
               });
    auto probabilities = random_uniform<Scalar>(shape, 4, 0.05, 0.95);
    check_sums(probabilities, labels, rows, {Matches::Kind::sparse},
               [](auto& device, auto p, auto t, const auto& losses, auto gradient) {
                   sparse_categorical_crossentropy<Scalar>(device, p, t, Scalar(1), losses,
                                                           gradient);
                   finish_score<Scalar>(device, losses);
               });
    check_sums(probabilities, targets, rows, {kind, 0.5},
               [=](auto& device, auto p, auto t, const auto& losses, auto gradient) {
                   categorical_crossentropy<Scalar>(device, p, smoothed(t), Scalar(1), losses,
                                                    gradient);
                   finish_score<Scalar>(device, losses);
               });
    check_sums(probabilities, targets, rows, {kind, 0.5},
               [=](auto& device, auto p, auto t, const auto& losses, auto gradient) {
                   binary_crossentropy<Scalar>(device, p, smoothed(t), Scalar(1), losses, gradient);
                   finish_score<Scalar>(device, losses);
               });
}

template <class Scalar>
Tensor<Scalar> labels_of(const Shape& shape) {
    Tensor<Scalar> labels({shape[0]});
    for (Index r = 0; r < shape[0]; ++r) labels[r] = static_cast<Scalar>(r * 7 % shape[1]);
    return labels;
}

}  // namespace

TEST_CASE_TEMPLATE("losses on a GPU add up themselves and count what matches", Scalar, float,
                   double) {
    // Several rows a block and several blocks, rows of warps and of blocks, and none at all.
    for (const Shape& shape :
         {Shape{5, 1}, {19, 3}, {300, 2}, {9, 33}, {2, 1000}, {3, 1025}, {0, 3}}) {
        CAPTURE(shape);
        // Ties: of equal logits, the first is the argmax.
        const auto logits = random_integers<Scalar>(shape, 1, -3, 3);
        const auto targets = random_integers<Scalar>(shape, 2, 0, 1);
        check_all(shape, logits, labels_of<Scalar>(shape), targets);
    }
}

TEST_CASE_TEMPLATE("a loss that is not finite marks the tally on a GPU", Scalar, float, double) {
    for (const Scalar number : {not_a_number<Scalar>, infinity<Scalar>}) {
        for (const Shape& shape : {Shape{19, 3}, {100, 1}, {2, 1025}}) {
            CAPTURE(shape);
            const auto logits = random_normal<Scalar>(shape, 1);
            auto targets = random_uniform<Scalar>(shape, 2, 0, 1);
            targets[shape.size() - 1] = number;
            check_sums(logits, targets, shape[0], {},
                       [](auto& device, auto p, auto t, const auto& losses, auto gradient) {
                           mean_squared_error<Scalar>(device, p, t, Scalar(1), losses, gradient);
                           finish_score<Scalar>(device, losses);
                       });
        }
    }
}

TEST_CASE("many rows of losses on a GPU take the blocks in turn") {
    const Index rows = 8 * 1024 + 77;  // more than the blocks have at once
    const auto logits = random_integers<float>({rows, 2}, 1, -3, 3);
    check_sums(logits, labels_of<float>({rows, 2}), rows, {Matches::Kind::sparse},
               [](auto& device, auto p, auto t, const auto& losses, auto gradient) {
                   sparse_softmax_crossentropy<float>(device, p, t, 1.0F, losses, p, gradient);
                   finish_score<float>(device, losses);
               });
}
