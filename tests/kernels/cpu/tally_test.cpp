#include "weft/kernels/cpu/tally.hpp"

#include "tests/support/compare.hpp"
#include "tests/support/random_tensor.hpp"
#include "tests/support/reference/kernels.hpp"
#include "weft/cpu.hpp"

#include <doctest/doctest.h>

#include <limits>

using namespace weft;
using namespace weft::kernels;

namespace {

constexpr double nan_value = std::numeric_limits<double>::quiet_NaN();
constexpr Index size_of_two = TallyPlaces::size(2);

template <class Scalar, class Device>
TensorView<const Scalar, Device> view(const Tensor<Scalar>& x) {
    return {x.data(), x.shape()};
}
template <class Scalar, class Device>
TensorView<Scalar, Device> view(Tensor<Scalar>& x) {
    return {x.data(), x.shape()};
}

/// What two scores of three batches leave in a tally; the second meets a NaN if asked to.
template <class Scalar, class Device>
Tensor<double> three_batches(bool goes_wrong) {
    Device device;
    Tensor<double> tally({size_of_two});
    const auto slot = [&](Index i) { return tally.data() + i; };
    const TensorView<double, Device> loss{slot(TallyPlaces::scores), Shape{2}};
    const TensorView<double, Device> matches{slot(TallyPlaces::scores + 2), Shape{2}};
    for (Index batch = 0; batch < 3; ++batch) {
        // Whole numbers, so that sums are exact.
        Tensor<Scalar> losses({2}, {Scalar(1), Scalar(2 + batch)}), labels({2}, {0, 1});
        if (goes_wrong && batch == 1) losses[0] = static_cast<Scalar>(nan_value);
        const Tensor<Scalar> p({2, 2}, {3, 1, 2, 1}), w({3}, {1, -2, 3});
        const double of_outputs = 6;
        add_losses<Scalar>(device, view<Scalar, Device>(std::as_const(losses)), loss, 2,
                           slot(TallyPlaces::wrong));
        for (const bool adds : {false, true}) {  // 0.5 * 6 + 0.25 * 14, twice
            add_penalty<Scalar>(device, view<Scalar, Device>(w), 0.5, 0.25, adds,
                                slot(TallyPlaces::parameter_penalty));
        }
        score_penalties(device, slot(TallyPlaces::parameter_penalty), &of_outputs, 2, 2, loss, 2,
                        slot(TallyPlaces::wrong));
        add_sparse_matches<Scalar>(device, view<Scalar, Device>(p),
                                   view<Scalar, Device>(std::as_const(labels)), matches);
        end_batch(device, TensorView<double, Device>{tally.data(), tally.shape()});
    }
    return tally;
}

}  // namespace

TEST_CASE_TEMPLATE("a tally sums batches, and none from where a number went wrong", Scalar, float,
                   double) {
    // Losses 3, 4 and 5 of two rows each; penalties 13 + 6 / 2 a row; one match of two a batch.
    const Tensor<double> all({size_of_two}, {0, 3, 13, 0, 0, 0, 0, 0, 12 + 6 * 16, 6, 3, 6});
    CHECK(identical(three_batches<Scalar, Cpu>(false), all));
    CHECK(identical(three_batches<Scalar, Reference>(false), all));
    const Tensor<double> first({size_of_two}, {2, 1, 13, 0, 0, 0, 0, 0, 3 + 2 * 16, 2, 1, 2});
    CHECK(identical(three_batches<Scalar, Cpu>(true), first));
    CHECK(identical(three_batches<Scalar, Reference>(true), first));
}

TEST_CASE("the first mark stays, and a check can be left out") {
    Cpu cpu(1);
    Reference reference;
    const Tensor<float> good({2}, {1, 2}), bad({2}, {1, static_cast<float>(nan_value)});
    double wrong = 0, unless = 1;
    const auto check = [&](const Tensor<float>& x, double mark, const double* condition) {
        double other = wrong;
        check_finite<float>(cpu, x, mark, &wrong, condition);
        check_finite<float>(reference, view<float, Reference>(x), mark, &other, condition);
        CHECK(other == wrong);
        return wrong;
    };
    CHECK(check(good, 3, nullptr) == 0);
    CHECK(check(bad, 3, &unless) == 0);
    unless = 0;
    CHECK(check(bad, 3, &unless) == 3);
    CHECK(check(bad, 4, nullptr) == 3);
    check_finite<float>(cpu, bad, 4, nullptr);  // nobody asks
    check_finite<float>(reference, view<float, Reference>(bad), 4, nullptr);
}

TEST_CASE("penalties that are not finite are marked, and none where nobody asks") {
    Cpu cpu(1);
    const double of_parameters = 1, of_outputs = nan_value;
    double wrong = 0;
    Tensor<double> sum({2}, {1, 2});
    score_penalties(cpu, &of_parameters, &of_outputs, 1, 2, sum, 2, nullptr);
    score_penalties(cpu, &of_parameters, &of_outputs, 1, 2, sum, 2, &wrong);
    CHECK(wrong == 2);
    const Tensor<float> losses({1}, {static_cast<float>(nan_value)});
    add_losses<float>(cpu, losses, sum, 2, nullptr);
    CHECK(sum[1] == 3);
}

TEST_CASE_TEMPLATE("all metrics add the matches they count, and their rows", Scalar, float,
                   double) {
    Cpu cpu(1);
    Reference reference;
    const Tensor<Scalar> p({3, 2}, {3, 1, 2, 1, 0, 1}), labels({3}, {0, 1, 1});
    const Tensor<Scalar> rows({3, 2}, {1, 0, 0, 1, 0, 1});
    const auto of = [&](const auto& add, std::initializer_list<double> expected) {
        Tensor<double> sum({2}, {10, 20}), other({2}, {10, 20});
        add(cpu, sum.view());
        add(reference, view<double, Reference>(other));
        CHECK(identical(sum, Tensor<double>({2}, expected)));
        CHECK(identical(other, sum));
    };
    const auto as = []<class Device>(Device&, const Tensor<Scalar>& x) {
        return view<Scalar, Device>(x);
    };
    of([&](auto& d, auto sum) { add_sparse_matches<Scalar>(d, as(d, p), as(d, labels), sum); },
       {12, 23});
    of([&](auto& d, auto sum) { add_categorical_matches<Scalar>(d, as(d, p), as(d, rows), sum); },
       {12, 23});
    of([&](auto& d,
           auto sum) { add_binary_matches<Scalar>(d, as(d, p), as(d, rows), Scalar(1.5), sum); },
       {13, 26});
    of([&](auto& d,
           auto sum) { add_top_k_matches<Scalar>(d, as(d, p), as(d, rows), true, 1, sum); },
       {12, 23});
}

TEST_CASE("rows of no elements match nothing, and are none") {
    Cpu cpu(1);
    const Tensor<float> none({3, 0});
    Tensor<double> sum({2});
    add_categorical_matches<float>(cpu, none, none, sum);
    add_top_k_matches<float>(cpu, none, none, true, 1, sum);
    CHECK(identical(sum, Tensor<double>({2})));
}

TEST_CASE_TEMPLATE("what updates does nothing from where a number went wrong", Scalar, float,
                   double) {
    Cpu cpu(1);
    Reference reference;
    const auto start = random_normal<Scalar>({6}, 1), before = random_normal<Scalar>({6}, 2);
    const auto try_all = [&]<class Device>(Device& device, double wrong) {
        Tensor<Scalar> p = start, v({6}), w({6}), m({3, 2}), state = start;
        std::ranges::copy(start, m.begin());
        const SGDStep<Scalar> sgd{1, Scalar(0.5)};
        const RMSpropStep<Scalar> rmsprop{1, Scalar(0.5), 0, 1};
        const AdamStep<Scalar> adam{1, 1, 1, 1};
        const auto on = [](auto& x) { return view<Scalar, Device>(x); };
        std::vector<Tensor<Scalar>> after;
        const auto note = [&] { after.push_back(p), after.push_back(v), after.push_back(m); };
        sgd_update<Scalar>(device, {&sgd, &wrong}, on(before), on(p));
        note();
        momentum_update<Scalar>(device, {&sgd, &wrong}, true, on(before), on(v), on(p));
        note();
        rmsprop_update<Scalar>(device, {&rmsprop, &wrong}, on(before), on(v), {}, {}, on(p));
        note();
        adam_update<Scalar>(device, {&adam, &wrong}, on(before), on(v), on(w), on(p));
        note();
        make_non_negative<Scalar>(device, on(m), &wrong);
        note();
        limit_column_norms<Scalar>(device, on(m), 0, &wrong);
        note();
        undo_if_wrong<Scalar>(device, &wrong, on(before), on(state));
        CHECK(identical(state, wrong == 0 ? start : before));
        int changes = 0;
        for (std::size_t i = 3; i < after.size(); ++i) {
            changes += !identical(after[i], after[i - 3]);
        }
        return changes + !identical(after[0], start);
    };
    CHECK(try_all(cpu, 3) == 0);
    CHECK(try_all(reference, 3) == 0);
    // p alone, p and v three times, m twice.
    CHECK(try_all(cpu, 0) == 1 + 3 * 2 + 2);
    CHECK(try_all(reference, 0) == 1 + 3 * 2 + 2);
}
