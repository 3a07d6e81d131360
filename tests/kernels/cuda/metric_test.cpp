#include "weft/kernels/cuda/metric.hpp"

#include "tests/support/cuda.hpp"
#include "tests/support/random_tensor.hpp"
#include "tests/support/reference/tally.hpp"
#include "tests/support/special_values.hpp"

#include <doctest/doctest.h>

#include <functional>

using namespace weft;

namespace {

template <class Scalar, class Device>
using Add = std::function<void(Device&, TensorView<const Scalar, Device>,
                               TensorView<const Scalar, Device>, TensorView<double, Device>)>;

/// What a metric adds to (3, 4) on a device of that type.
template <class Scalar, class Device>
Tensor<double> sum_on(const Tensor<Scalar>& predictions, const Tensor<Scalar>& targets,
                      const Add<Scalar, Device>& add) {
    Device device;
    const auto there = [&]<class Number>(const Tensor<Number>& x) {
        Tensor<Number, Device> result(x.shape(), device);
        kernels::copy_to_device<Number>(device, x, result);
        return result;
    };
    auto sum = there(Tensor<double>({2}, {3, 4}));
    const auto p = there(predictions), t = there(targets);
    add(device, p, t, sum);
    Tensor<double> result({2});
    kernels::copy_to_host<double>(device, sum, result);
    return result;
}

/// Checks what add(device, predictions, targets, sum) adds on a GPU against its definition.
template <class Scalar>
void check_sum(const Tensor<Scalar>& predictions, const Tensor<Scalar>& targets, const auto& add) {
    const auto expected = sum_on<Scalar, Reference>(predictions, targets, add);
    in_each_order(
        [&] { CHECK(identical(sum_on<Scalar, Cuda>(predictions, targets, add), expected)); });
}

template <class Scalar>
void check_all(const Tensor<Scalar>& predictions, const Tensor<Scalar>& labels,
               const Tensor<Scalar>& targets) {
    check_sum(predictions, labels, [](auto& device, auto p, auto t, auto sum) {
        kernels::add_sparse_matches<Scalar>(device, p, t, sum);
    });
    check_sum(predictions, targets, [](auto& device, auto p, auto t, auto sum) {
        kernels::add_categorical_matches<Scalar>(device, p, t, sum);
    });
    check_sum(predictions, targets, [](auto& device, auto p, auto t, auto sum) {
        kernels::add_binary_matches<Scalar>(device, p, t, Scalar(2), sum);
    });
    for (const Index k : {1, 2, 5}) {
        CAPTURE(k);
        check_sum(predictions, labels, [k](auto& device, auto p, auto t, auto sum) {
            kernels::add_top_k_matches<Scalar>(device, p, t, false, k, sum);
        });
        check_sum(predictions, targets, [k](auto& device, auto p, auto t, auto sum) {
            kernels::add_top_k_matches<Scalar>(device, p, t, true, k, sum);
        });
    }
}

}  // namespace

TEST_CASE_TEMPLATE("counts on a GPU are those of the definitions, with ties and NaN", Scalar, float,
                   double) {
    // Of rows of 1 to 33 a warp has several; 300 take several blocks.
    for (const Shape& shape :
         {Shape{300, 1}, {300, 3}, {33, 10}, {31, 31}, {7, 33}, {5, 1000}, {0, 3}, {1, 2}}) {
        CAPTURE(shape);
        auto predictions = random_integers<Scalar>(shape, 1, 0, 5);
        for (Scalar& value : predictions) value = value == 5 ? not_a_number<Scalar> : value;
        const auto targets = random_integers<Scalar>(shape, 2, 0, 3);
        const auto labels =
            random_integers<Scalar>({shape[0]}, 3, -1,
                                    static_cast<int>(shape[1]));  // some of no class
        check_all(predictions, labels, targets);
    }
}

TEST_CASE_TEMPLATE("argmax on a GPU passes over NaN and takes the first of equals", Scalar, float,
                   double) {
    const Scalar nan = not_a_number<Scalar>, inf = infinity<Scalar>;
    const Tensor<Scalar> x({8, 3},
                           {nan,        1, 2, nan, nan, nan, nan, nan, -inf, -inf, -inf, -inf,
                            -Scalar(0), 0, 0, inf, inf, nan, 2,   3,   3,    3,    nan,  3});
    // Each place in turn, so that each row's argmax is seen.
    for (const Index place : {0, 1, 2}) {
        Tensor<Scalar> labels({8}), targets({8, 3});
        std::ranges::fill(labels, static_cast<Scalar>(place));
        for (Index r = 0; r < 8; ++r) targets(r, place) = 1;
        check_all(x, labels, targets);
    }
    Tensor<Scalar> wide({1, 100});  // equals in several lanes
    wide[40] = wide[70] = wide[41] = 1;
    check_all(wide, Tensor<Scalar>({1}, {40}), wide);
    check_all(wide, Tensor<Scalar>({1}, {not_a_number<Scalar>}), wide);
    std::ranges::fill(wide, nan);  // on each lane, all of which then agree on the first
    Tensor<Scalar> first({1, 100});
    first[0] = 1;
    check_all(wide, Tensor<Scalar>({1}, {0}), first);
}
