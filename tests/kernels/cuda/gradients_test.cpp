/// \file
/// What is done to all gradients and parameters at once on a GPU.
#include "tests/support/cuda.hpp"
#include "tests/support/random_tensor.hpp"
#include "tests/support/reference/penalty.hpp"
#include "tests/support/reference/tally.hpp"
#include "tests/support/special_values.hpp"
#include "weft/kernels/cuda/penalty.hpp"
#include "weft/kernels/cuda/step.hpp"
#include "weft/kernels/cuda/tally.hpp"
#include "weft/kernels/fused.hpp"

#include <doctest/doctest.h>

using namespace weft;
using kernels::GradientClipping;
using kernels::Penalty;
using kernels::TallyPlaces;

namespace {

/// Parameters of some lengths, one after another, every second of them with a penalty.
template <class Scalar>
std::vector<Penalty<Scalar>> penalties_on(const Scalar* parameters,
                                          const std::vector<Index>& lengths) {
    std::vector<Penalty<Scalar>> penalties;
    Index offset = 0;
    bool has_one = true;
    for (const Index length : lengths) {
        if (has_one) {
            const auto number = static_cast<double>(penalties.size());
            penalties.push_back({parameters + offset, length, 0.5 + number, 0.25, offset});
        }
        has_one = !has_one;
        offset += length;
    }
    return penalties;
}

template <class Scalar>
struct Left {
    Tensor<Scalar> gradients;
    Tensor<double> tally;
};

constexpr Index scores = 3;

/// What is left of gradients, and of a tally that says `wrong`.
template <class Scalar, class Device>
Left<Scalar> finish(const Tensor<Scalar>& parameters, const Tensor<Scalar>& gradients,
                    const std::vector<Index>& lengths, const GradientClipping& limits,
                    double wrong) {
    Device device;
    Tensor<double> numbers({TallyPlaces::size(scores)});
    for (Index i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<double>(i);
    numbers[TallyPlaces::wrong] = wrong;
    Tensor<Scalar, Device> x(parameters.shape(), device), g(gradients.shape(), device);
    Tensor<double, Device> tally(numbers.shape(), device);
    kernels::copy_to_device<Scalar>(device, parameters, x);
    kernels::copy_to_device<Scalar>(device, gradients, g);
    kernels::copy_to_device<double>(device, numbers, tally);
    const auto penalties = penalties_on<Scalar>(std::as_const(x).data(), lengths);
    finish_gradients<Scalar>(device, g.view(), std::span<const Penalty<Scalar>>(penalties), limits,
                             4, tally.view());
    Left<Scalar> left{gradients, numbers};
    kernels::copy_to_host<Scalar>(device, g, left.gradients);
    kernels::copy_to_host<double>(device, tally, left.tally);
    return left;
}

Index sum_of(const std::vector<Index>& lengths) {
    Index sum = 0;
    for (const Index length : lengths) sum += length;
    return sum;
}

const std::vector<std::vector<Index>> all_lengths{
    {1}, {7, 300}, {300, 7, 2000, 1}, std::vector<Index>(50, 33)};  // 25 penalties of 33

}  // namespace

TEST_CASE_TEMPLATE("gradients are made ready on a GPU in one kernel as in many", Scalar, float,
                   double) {
    for (const auto& lengths : all_lengths) {
        // Whole numbers, and their halves and quarters: sums of two are exact.
        auto parameters = random_integers<Scalar>({sum_of(lengths)}, 1, -3, 3);
        const auto gradients = random_integers<Scalar>({sum_of(lengths)}, 2, -9, 9);
        parameters[0] = -Scalar(0);
        for (const GradientClipping& limits : {GradientClipping{},
                                               {.value = 4},
                                               {.global_norm = 10},
                                               {.value = 4, .global_norm = 1}}) {
            for (const double wrong : {0.0, 2.0}) {
                CAPTURE(sum_of(lengths));
                CAPTURE(limits.value);
                CAPTURE(limits.global_norm);
                const auto expected =
                    finish<Scalar, Reference>(parameters, gradients, lengths, limits, wrong);
                Left<Scalar> first;
                in_each_order([&] {
                    const auto left =
                        finish<Scalar, Cuda>(parameters, gradients, lengths, limits, wrong);
                    CHECK(identical(left.tally, expected.tally));
                    if (limits.global_norm == 0) {
                        CHECK(identical(left.gradients, expected.gradients));
                    } else {
                        // The norm is a sum in double, its quotient rounded once, and the product.
                        CHECK(largest_gap(left.gradients, expected.gradients) < 4 * eps<Scalar>);
                    }
                    if (first.gradients.size() > 1) {
                        CHECK(identical(left.gradients, first.gradients));
                    }
                    first = left;
                });
            }
        }
    }
}

TEST_CASE_TEMPLATE("a gradient that is not finite marks the tally on a GPU, and its batch is none",
                   Scalar, float, double) {
    const std::vector<Index> lengths{300, 7, 2000, 1};
    const Index count = sum_of(lengths);
    const auto parameters = random_normal<Scalar>({count}, 1);
    for (const Scalar number : {not_a_number<Scalar>, infinity<Scalar>, -infinity<Scalar>}) {
        for (const Index i : {Index{0}, Index{1500}, count - 1}) {
            auto gradients = random_normal<Scalar>({count}, 2);
            gradients[i] = number;
            for (const double wrong : {0.0, 2.0}) {
                const auto expected =
                    finish<Scalar, Reference>(parameters, gradients, lengths, {.value = 1}, wrong);
                CHECK(expected.tally[TallyPlaces::wrong] == (wrong == 0 ? 4 : wrong));
                in_each_order([&] {
                    const auto left =
                        finish<Scalar, Cuda>(parameters, gradients, lengths, {.value = 1}, wrong);
                    CHECK(identical(left.tally, expected.tally));
                });
            }
        }
    }
    // A penalty's gradient is looked at as well; and squares may overflow.
    auto large = parameters;
    large[0] = infinity<Scalar>;
    const auto gradients = random_normal<Scalar>({count}, 2);
    CHECK(finish<Scalar, Cuda>(large, gradients, lengths, {}, 0).tally[TallyPlaces::wrong] == 4);
    auto steep = gradients;
    steep[0] = std::numeric_limits<Scalar>::max();
    CHECK(finish<Scalar, Cuda>(parameters, steep, lengths, {}, 0).tally[TallyPlaces::wrong] == 0);
}

TEST_CASE_TEMPLATE("a limit on the norm of gradients is left to the update on a GPU", Scalar, float,
                   double) {
    const std::vector<Index> lengths{300, 7, 2000, 1};
    const Index count = sum_of(lengths);
    const auto parameters = random_normal<Scalar>({count}, 1);
    const auto gradients = random_normal<Scalar>({count}, 2);
    for (const double limit : {0.5, 1e6}) {
        CAPTURE(limit);
        const GradientClipping limits{.value = 1.5, .global_norm = limit};
        const auto multiplied =
            finish<Scalar, Cuda>(parameters, gradients, lengths, limits, 0).gradients;
        const auto expected =
            finish<Scalar, Cuda>(parameters, gradients, lengths, {.value = 1.5}, 0);
        in_each_order([&] {
            Cuda device;
            const auto x = to_cuda(device, parameters);
            auto g = to_cuda(device, gradients);
            auto tally = to_cuda(device, Tensor<double>({TallyPlaces::size(scores)}));
            const auto penalties = penalties_on<Scalar>(x.data(), lengths);
            kernels::finish_gradients<Scalar>(
                device, g, std::span<const Penalty<Scalar>>(penalties), limits, 4, tally,
                tally.data() + TallyPlaces::gradient_factor);
            const auto left = from_cuda(device, g);
            CHECK(identical(left, expected.gradients));
            const double factor = from_cuda(device, tally)[TallyPlaces::gradient_factor];
            CHECK((factor == 1) == (limit > 1));
            Tensor<Scalar> product = left;
            for (Scalar& value : product) {
                value = static_cast<Scalar>(static_cast<double>(value) * factor);
            }
            CHECK(identical(product, multiplied));
        });
    }
}

namespace {

/// The sum of the loss, the penalties of the parameters, and the mark.
template <class Scalar, class Device>
Tensor<double> score(const Tensor<Scalar>& parameters, const std::vector<Index>& lengths,
                     double of_outputs, double wrong, bool marks = true) {
    Device device;
    Tensor<Scalar, Device> x(parameters.shape(), device);
    Tensor<double, Device> numbers({5}, device);
    kernels::copy_to_device<Scalar>(device, parameters, x);
    kernels::copy_to_device<double>(device, Tensor<double>({5}, {3, 4, 7, wrong, of_outputs}),
                                    numbers);
    const auto penalties = penalties_on<Scalar>(std::as_const(x).data(), lengths);
    score_all_penalties<Scalar>(device, std::span<const Penalty<Scalar>>(penalties),
                                numbers.data() + 2, std::as_const(numbers).data() + 4, 8, 16,
                                TensorView<double, Device>(numbers.data(), {2}), 5,
                                marks ? numbers.data() + 3 : nullptr);
    Tensor<double> result({5});
    kernels::copy_to_host<double>(device, numbers, result);
    return result;
}

}  // namespace

TEST_CASE_TEMPLATE("penalties of all parameters are scored on a GPU in one kernel as in many",
                   Scalar, float, double) {
    auto all = all_lengths;
    all.push_back({});
    for (const auto& lengths : all) {
        auto parameters = random_integers<Scalar>({sum_of(lengths)}, 1, -3, 3);
        for (const double of_outputs : {0.0, 4.0, not_a_number<>}) {
            for (const double wrong : {0.0, 2.0}) {
                CAPTURE(sum_of(lengths));
                CAPTURE(of_outputs);
                const auto expected =
                    score<Scalar, Reference>(parameters, lengths, of_outputs, wrong);
                in_each_order([&] {
                    CHECK(identical(score<Scalar, Cuda>(parameters, lengths, of_outputs, wrong),
                                    expected));
                });
            }
            CHECK(score<Scalar, Cuda>(parameters, lengths, of_outputs, 0, false)[3] == 0);
        }
    }
}
