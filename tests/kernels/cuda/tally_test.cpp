#include "weft/kernels/cuda/tally.hpp"

#include "tests/support/cuda.hpp"
#include "tests/support/random_tensor.hpp"
#include "tests/support/reference/tally.hpp"
#include "tests/support/special_values.hpp"

#include <doctest/doctest.h>

using namespace weft;
using kernels::TallyPlaces;

namespace {

/// The tally of one score behind three batches of losses with penalties; with a number that is not
/// finite in the second batch if one is given.
template <class Scalar, class Device>
Tensor<double> three_batches(Index rows, const Scalar* not_finite) {
    Device device;
    Tensor<double, Device> tally({TallyPlaces::size(1)}, device), of_outputs({1}, device);
    double* const wrong = tally.data() + TallyPlaces::wrong;
    const TensorView<double, Device> loss(tally.data() + TallyPlaces::scores, {2});
    for (std::uint32_t batch = 0; batch < 3; ++batch) {
        // Whole numbers, whose sums are exact.
        auto losses = random_integers<Scalar>({rows}, batch, 0, 9);
        if (batch == 1 && not_finite != nullptr) losses[rows / 2] = *not_finite;
        Tensor<Scalar, Device> on_device({rows}, device), w({7}, device);
        kernels::copy_to_device<Scalar>(device, losses, on_device);
        kernels::copy_to_device<Scalar>(device, random_integers<Scalar>({7}, batch, -4, 4), w);
        kernels::add_losses<Scalar>(device, on_device, loss, 2, wrong);
        for (const bool adds : {false, true}) {
            kernels::add_penalty<Scalar>(device, w, 0.5, 0.25, adds,
                                         tally.data() + TallyPlaces::parameter_penalty);
            kernels::add_penalty<Scalar>(device, w, 0.25, 0.5, adds, of_outputs.data());
        }
        kernels::score_penalties(device, tally.data() + TallyPlaces::parameter_penalty,
                                 of_outputs.data(), 4, rows, loss, 3, wrong);
        kernels::end_batch(device, tally.view());
    }
    Tensor<double> result(tally.shape());
    kernels::copy_to_host<double>(device, tally, result);
    return result;
}

}  // namespace

TEST_CASE_TEMPLATE("a tally on a GPU sums batches, and none from where a number went wrong", Scalar,
                   float, double) {
    const Scalar special[] = {not_a_number<Scalar>, infinity<Scalar>, -infinity<Scalar>};
    for (const Index rows : {1, 32, 10000}) {
        for (const Scalar* number :
             {static_cast<const Scalar*>(nullptr), special, special + 1, special + 2}) {
            CAPTURE(rows);
            const auto expected = three_batches<Scalar, Reference>(rows, number);
            in_each_order(
                [&] { CHECK(identical(three_batches<Scalar, Cuda>(rows, number), expected)); });
            CHECK(expected[TallyPlaces::wrong] == (number == nullptr ? 0 : 2));
        }
    }
}

TEST_CASE_TEMPLATE("a penalty that is not finite marks a tally on a GPU", Scalar, float, double) {
    Cuda device;
    const auto numbers = to_cuda(device, Tensor<double>({2}, {not_a_number<>, 1}));
    auto tally = to_cuda(device, Tensor<double>({TallyPlaces::size(1)}));
    kernels::score_penalties(device, numbers.data(), numbers.data() + 1, 2, 2,
                             {tally.data() + TallyPlaces::scores, {2}}, 5, tally.data());
    CHECK(from_cuda(device, tally)[TallyPlaces::wrong] == 5);
}

TEST_CASE_TEMPLATE("losses and penalties on a GPU keep a mark that is there, and do without one",
                   Scalar, float, double) {
    Cuda device;
    const auto losses = to_cuda(device, Tensor<Scalar>({2}, {1, not_a_number<Scalar>}));
    const auto numbers = to_cuda(device, Tensor<double>({2}, {not_a_number<>, 1}));
    auto sum = to_cuda(device, Tensor<double>({2}, {0, 0}));
    auto wrong = to_cuda(device, Tensor<double>({1}, {1}));
    const auto score = [&](double* mark) {
        kernels::add_losses<Scalar>(device, losses, sum, 2, mark);
        kernels::score_penalties(device, numbers.data(), numbers.data() + 1, 2, 2, sum, 3, mark);
    };
    score(wrong.data());
    CHECK(from_cuda(device, wrong)[0] == 1);
    score(nullptr);
    CHECK(from_cuda(device, sum)[1] == 4);
}

TEST_CASE_TEMPLATE("the first mark stays on a GPU, and a check can be left out", Scalar, float,
                   double) {
    for (const Index count : {1, 300, 10000}) {
        Tensor<Scalar> good = random_normal<Scalar>({count}, 1), bad = good;
        bad[count - 1] = -infinity<Scalar>;
        Cuda device;
        const auto good_there = to_cuda(device, good), bad_there = to_cuda(device, bad);
        const auto unless = to_cuda(device, Tensor<double>({1}, {1}));
        auto wrong = to_cuda(device, Tensor<double>({1}, {0}));
        const auto mark = [&] { return from_cuda(device, wrong)[0]; };
        kernels::check_finite<Scalar>(device, good_there, 1, wrong.data());
        CHECK(mark() == 0);
        kernels::check_finite<Scalar>(device, bad_there, 2, wrong.data(), unless.data());
        CHECK(mark() == 0);
        kernels::check_finite<Scalar>(device, bad_there, 3, wrong.data());
        CHECK(mark() == 3);
        kernels::check_finite<Scalar>(device, bad_there, 4, wrong.data());
        CHECK(mark() == 3);
        kernels::check_finite<Scalar>(device, bad_there, 5, nullptr);
    }
}

TEST_CASE_TEMPLATE("a step's changes are taken back on a GPU if a number went wrong", Scalar, float,
                   double) {
    const auto before = random_normal<Scalar>({300}, 1), now = random_normal<Scalar>({300}, 2);
    Cuda device;
    for (const double wrong : {0.0, 2.0}) {
        const auto mark = to_cuda(device, Tensor<double>({1}, {wrong}));
        auto there = to_cuda(device, now);
        kernels::undo_if_wrong<Scalar>(device, mark.data(), to_cuda(device, before), there);
        CHECK(identical(from_cuda(device, there), wrong == 0 ? now : before));
    }
}
