#include "weft/kernels/cuda/loss.hpp"

#include "tests/support/cuda.hpp"
#include "tests/support/random_tensor.hpp"
#include "tests/support/reference/loss.hpp"
#include "tests/support/special_values.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <string>

using namespace weft;

namespace {

/// The losses, each under one signature: predictions, targets, losses, probabilities, gradient.
/// Those that do not compute probabilities leave them alone.
enum class Kind {
    sparse_softmax_crossentropy,
    softmax_crossentropy,
    categorical_crossentropy,
    sparse_categorical_crossentropy,
    sigmoid_crossentropy,
    binary_crossentropy,
    mean_squared_error
};
using enum Kind;
constexpr Kind all_kinds[] = {sparse_softmax_crossentropy, softmax_crossentropy,
                              categorical_crossentropy,    sparse_categorical_crossentropy,
                              sigmoid_crossentropy,        binary_crossentropy,
                              mean_squared_error};

constexpr bool takes_labels(Kind kind) {
    return kind == sparse_softmax_crossentropy || kind == sparse_categorical_crossentropy;
}

constexpr bool takes_probabilities(Kind kind) {
    return kind == categorical_crossentropy || kind == sparse_categorical_crossentropy ||
           kind == binary_crossentropy;
}

template <class Scalar, class Device>
void compute(Kind kind, Device& device, Scalar scale, double smoothing,
             const std::vector<TensorView<Scalar, Device>>& v) {
    const TensorView<const Scalar, Device> x = v[0], t = v[1];
    const kernels::SmoothedTargets<Scalar> targets(t, smoothing, x.shape().last());
    switch (kind) {
        case sparse_softmax_crossentropy:
            return kernels::sparse_softmax_crossentropy<Scalar>(device, x, t, scale, v[2], v[3],
                                                                v[4]);
        case softmax_crossentropy:
            return kernels::softmax_crossentropy<Scalar>(device, x, targets, scale, v[2], v[3],
                                                         v[4]);
        case categorical_crossentropy:
            return kernels::categorical_crossentropy<Scalar>(device, x, targets, scale, v[2], v[4]);
        case sparse_categorical_crossentropy:
            return kernels::sparse_categorical_crossentropy<Scalar>(device, x, t, scale, v[2],
                                                                    v[4]);
        case sigmoid_crossentropy:
            return kernels::sigmoid_crossentropy<Scalar>(device, x, targets, scale, v[2], v[3],
                                                         v[4]);
        case binary_crossentropy:
            return kernels::binary_crossentropy<Scalar>(device, x, targets, scale, v[2], v[4]);
        case mean_squared_error:
            return kernels::mean_squared_error<Scalar>(device, x, t, scale, v[2], v[4]);
    }
}

template <class Scalar>
Tensor<Scalar> predictions_for(Kind kind, const Shape& shape) {
    // Probabilities need not sum to 1: the kernels divide by the sum.
    return takes_probabilities(kind) ? random_uniform<Scalar>(shape, 1, 0.05, 0.95)
                                     : random_normal<Scalar>(shape, 1, 2);
}

/// Soft targets, whose sums are not 1 either.
template <class Scalar>
Tensor<Scalar> targets_for(Kind kind, const Shape& shape) {
    const Index rows = shape[0], columns = shape[1];
    if (!takes_labels(kind)) return random_uniform<Scalar>(shape, 2, 0, 1);
    Tensor<Scalar> labels({rows});
    for (Index r = 0; r < rows; ++r) labels[r] = static_cast<Scalar>(r * 7 % columns);
    return labels;
}

/// Losses, probabilities and gradient, in arguments 2 to 4.
template <class Scalar>
OnBoth<Scalar> both(Kind kind, const Tensor<Scalar>& x, const Tensor<Scalar>& t, Scalar scale = 1,
                    double smoothing = 0) {
    const Tensor<Scalar> losses({x.shape()[0]}), zeros(x.shape());
    return on_both<Scalar>({x, t, losses, zeros, zeros}, [&](auto& device, const auto& v) {
        compute<Scalar>(kind, device, scale, smoothing, v);
    });
}

template <class Scalar>
struct Result {
    Tensor<Scalar> losses, probabilities, gradient;
};

/// Where the probabilities of a softmax or sigmoid are put.
enum class SharedWith { nothing, logits, gradient };

template <class Scalar>
Result<Scalar> run(Kind kind, const Tensor<Scalar>& x, const Tensor<Scalar>& t, Scalar scale = 1,
                   SharedWith shared = SharedWith::nothing) {
    Cuda device;
    auto x_there = to_cuda(device, x), t_there = to_cuda(device, t);
    Tensor<Scalar, Cuda> losses({x.shape()[0]}, device), p(x.shape(), device), g(x.shape(), device);
    auto& probabilities = shared == SharedWith::logits     ? x_there
                          : shared == SharedWith::gradient ? g
                                                           : p;
    compute<Scalar>(
        kind, device, scale, 0,
        {x_there.view(), t_there.view(), losses.view(), probabilities.view(), g.view()});
    return {from_cuda(device, losses), from_cuda(device, probabilities), from_cuda(device, g)};
}

template <class Scalar>
Tensor<Scalar> rows_of(const Tensor<Scalar>& x, Index first, Index count) {
    return Tensor<Scalar>(x.slice(first, count));
}

/// Rows of a warp and of a block, several blocks of rows, no size a multiple of another.
const Shape all_shapes[] = {{5, 1}, {19, 3}, {3, 31}, {9, 33}, {2, 1000}, {2, 1025}, {1, 3001}};

}  // namespace

TEST_CASE_TEMPLATE("losses on a GPU are those of the definitions", Scalar, float, double) {
    for (const Kind kind : all_kinds) {
        for (const Shape& shape : all_shapes) {
            for (const double smoothing : {0.0, 0.1}) {
                const int number = static_cast<int>(kind);
                CAPTURE(number);
                CAPTURE(shape);
                CAPTURE(smoothing);
                const auto x = predictions_for<Scalar>(kind, shape);
                const auto t = targets_for<Scalar>(kind, shape);
                const auto result = both<Scalar>(kind, x, t, Scalar(0.25), smoothing);
                CHECK(result.repeats);
                // With u = eps / 2: z - max z, up to 16, is off by 16 u, and exp by 2 u more (one
                // unit in the last place: CUDA C++ Programming Guide, mathematical functions); 4 u
                // through the sum, its inverse and the product.
                CHECK(largest_gap(result.result[3], result.expected[3], 1e-30) < 12 * eps<Scalar>);
                // A log of that sum, below 10, and z - max z again. Sums add nothing: they are in
                // double. Single terms cancel: floor 1.
                CHECK(largest_gap(result.result[2], result.expected[2], 1) < 30 * eps<Scalar>);
                CHECK(largest_gap(result.result[4], result.expected[4], 1) < 30 * eps<Scalar>);
            }
        }
    }
}

TEST_CASE_TEMPLATE("on a GPU scale multiplies gradients, not losses or probabilities", Scalar,
                   float, double) {
    for (const Kind kind : all_kinds) {
        const auto x = predictions_for<Scalar>(kind, {3, 5}), t = targets_for<Scalar>(kind, {3, 5});
        const auto one = run<Scalar>(kind, x, t), eighth = run<Scalar>(kind, x, t, Scalar(0.125));
        CHECK(identical(eighth.losses, one.losses));
        CHECK(identical(eighth.probabilities, one.probabilities));
        auto gradient = one.gradient;
        for (Scalar& value : gradient) value /= 8;  // exact
        CHECK(identical(eighth.gradient, gradient));
    }
}

TEST_CASE_TEMPLATE("on a GPU probabilities may share the memory of logits or gradient", Scalar,
                   float, double) {
    const auto scale = static_cast<Scalar>(0.3);
    for (const Kind kind :
         {sparse_softmax_crossentropy, softmax_crossentropy, sigmoid_crossentropy}) {
        for (const Index columns : {1, 10, 37, 1100}) {
            CAPTURE(columns);
            const Shape shape{4, columns};
            const auto x = predictions_for<Scalar>(kind, shape);
            const auto t = targets_for<Scalar>(kind, shape);
            const auto apart = run<Scalar>(kind, x, t, scale);
            const auto at_logits = run<Scalar>(kind, x, t, scale, SharedWith::logits);
            CHECK(identical(at_logits.losses, apart.losses));
            CHECK(identical(at_logits.probabilities, apart.probabilities));
            CHECK(identical(at_logits.gradient, apart.gradient));
            const auto at_gradient = run<Scalar>(kind, x, t, scale, SharedWith::gradient);
            CHECK(identical(at_gradient.losses, apart.losses));
            CHECK(identical(at_gradient.gradient, apart.gradient));
        }
    }
}

TEST_CASE_TEMPLATE("a row's loss on a GPU has the same bits alone and in a batch", Scalar, float,
                   double) {
    for (const Shape& shape : {Shape{99, 10}, Shape{3, 1500}}) {
        for (const Kind kind : all_kinds) {
            CAPTURE(shape);
            const auto x = predictions_for<Scalar>(kind, shape);
            const auto t = targets_for<Scalar>(kind, shape);
            const auto all = run<Scalar>(kind, x, t, Scalar(0.3));
            for (const Index row : {Index{0}, shape[0] - 1}) {
                const auto alone =
                    run<Scalar>(kind, rows_of(x, row, 1), rows_of(t, row, 1), Scalar(0.3));
                CHECK(identical(alone.losses, rows_of(all.losses, row, 1)));
                CHECK(identical(alone.gradient, rows_of(all.gradient, row, 1)));
            }
        }
    }
}

TEST_CASE_TEMPLATE("on a GPU NaN in a row makes its loss NaN and leaves other rows alone", Scalar,
                   float, double) {
    for (const Kind kind : all_kinds) {
        for (const Index columns : {1, 3, 1100}) {
            const auto x = predictions_for<Scalar>(kind, {3, columns});
            const auto t = targets_for<Scalar>(kind, {3, columns});
            const auto clean = run<Scalar>(kind, x, t);
            for (const Index bad : {Index{0}, columns / 2, columns - 1}) {
                CAPTURE(columns);
                CAPTURE(bad);
                auto with_nan = x;
                with_nan(1, bad) = not_a_number<Scalar>;
                const auto result = run<Scalar>(kind, with_nan, t);
                CHECK(std::isnan(result.losses[1]));
                CHECK(std::isnan(result.gradient(1, bad)));
                for (const Index row : {0, 2}) {
                    CHECK(identical(rows_of(result.losses, row, 1), rows_of(clean.losses, row, 1)));
                    CHECK(identical(rows_of(result.gradient, row, 1),
                                    rows_of(clean.gradient, row, 1)));
                }
            }
        }
    }
}

TEST_CASE_TEMPLATE("cross-entropy of extreme logits on a GPU is exact and finite", Scalar, float,
                   double) {
    // Each row has a winner so far ahead that p is 1 and 0s.
    const Tensor<Scalar> x(
        {3, 3}, {1e4, 0, -1e4, Scalar(-1e30), Scalar(1e30), 0, 0, -infinity<Scalar>, -1e9});
    const Tensor<Scalar> labels({3}, {2, 1, 0});
    const Tensor<Scalar> one_hot({3, 3}, {0, 0, 1, 0, 1, 0, 1, 0, 0});
    for (const bool sparse : {true, false}) {
        CAPTURE(sparse);
        const auto result = run<Scalar>(sparse ? sparse_softmax_crossentropy : softmax_crossentropy,
                                        x, sparse ? labels : one_hot);
        CHECK(identical(result.losses, Tensor<Scalar>({3}, {2e4, 0, 0})));
        const Tensor<Scalar> gradient({3, 3}, {1, 0, -1, 0, 0, 0, 0, 0, 0});
        CHECK(largest_gap(result.gradient, gradient, 1) < 1e-30);
    }
    const Tensor<Scalar> z({6, 1}, {1e4, 1e4, -1e4, -1e4, Scalar(1e30), Scalar(-1e30)});
    const Tensor<Scalar> bits({6, 1}, {1, 0, 0, 1, 1, 0});
    const auto result = run<Scalar>(sigmoid_crossentropy, z, bits);
    CHECK(largest_gap(result.losses, Tensor<Scalar>({6}, {0, 1e4, 0, 1e4, 0, 0}), 1) < 1e-30);
    CHECK(largest_gap(result.gradient, Tensor<Scalar>({6, 1}, {0, 1, 0, -1, 0, 0}), 1) < 1e-30);
}

TEST_CASE_TEMPLATE("on a GPU a number added to all logits changes no bit of the cross-entropy",
                   Scalar, float, double) {
    // Multiples of 1/64, so that the sum with 4096 is exact in float too.
    auto x = random_normal<Scalar>({5, 10}, 3, 2);
    for (Scalar& z : x) z = std::round(z * 64) / 64;
    auto moved = x;
    for (Scalar& z : moved) z += 4096;
    for (const Kind kind : {sparse_softmax_crossentropy, softmax_crossentropy}) {
        const auto t = targets_for<Scalar>(kind, {5, 10});
        const auto result = run<Scalar>(kind, x, t), expected = run<Scalar>(kind, moved, t);
        CHECK(identical(result.losses, expected.losses));
        CHECK(identical(result.gradient, expected.gradient));
    }
}

TEST_CASE_TEMPLATE("tiny losses keep their digits on a GPU", Scalar, float, double) {
    // log(1 + exp(-20)), 2e-9: far below eps of float, so 1 + exp(-20) would be 1.
    const double expected = 2.061153620314381e-9;
    const auto close = [&](const Result<Scalar>& result) {
        CHECK(relative_gap(static_cast<double>(result.losses[0]), expected, 1e-30) <
              4 * eps<Scalar>);
    };
    const Tensor<Scalar> one({1, 1}, {1}), second({1}, {1}), one_hot({1, 2}, {0, 1});
    close(run<Scalar>(sigmoid_crossentropy, Tensor<Scalar>({1, 1}, {20}), one));
    // Of float, the sum in double keeps them; of double, 1 + exp(-20) has 25 bits of exp(-20).
    if (sizeof(Scalar) == 8) return;
    const Tensor<Scalar> two({1, 2}, {-10, 10});
    close(run<Scalar>(sparse_softmax_crossentropy, two, second));
    close(run<Scalar>(softmax_crossentropy, two, one_hot));
}

TEST_CASE_TEMPLATE("on a GPU probabilities 0 and 1 are kept 1e-7 away and have no gradient", Scalar,
                   float, double) {
    const auto agrees = [](Kind kind, const Tensor<Scalar>& p, const Tensor<Scalar>& t) {
        const auto result = both<Scalar>(kind, p, t);
        CHECK(result.repeats);
        // Some operations, and log to one unit in the last place, of a loss up to 16.
        CHECK(result.gap(1) < 8 * eps<Scalar>);
        return result.result[4];
    };
    const auto quarter = static_cast<Scalar>(0.25), low = static_cast<Scalar>(1e-7);
    const auto binary =
        agrees(binary_crossentropy, Tensor<Scalar>({7, 1}, {0, 0, 1, 1, quarter, low, 1 - low}),
               Tensor<Scalar>({7, 1}, {1, 0, 0, 1, 0, 0, 1}));
    CHECK(binary[0] == 0);
    CHECK(binary[3] == 0);
    CHECK(binary[4] != 0);
    CHECK(binary[5] != 0);  // the limits themselves are not clipped
    CHECK(binary[6] != 0);
    const auto sparse = agrees(sparse_categorical_crossentropy,
                               Tensor<Scalar>({3, 3}, {0, 0.5, 0.5, 1, 0, 0, quarter, 0, quarter}),
                               Tensor<Scalar>({3}, {0, 1, 2}));
    CHECK(sparse[0] == 0);
    CHECK(sparse[1] != 0);
    const auto categorical =
        agrees(categorical_crossentropy, Tensor<Scalar>({2, 3}, {0, 0.5, 0.5, 0, 0, 5}),
               Tensor<Scalar>({2, 3}, {0.5, 0.5, 0, 0, 1, 0}));
    CHECK(categorical[0] != 0);  // clipped, but it moves the sum that the second is divided by
    CHECK(categorical[4] == 0);
}

TEST_CASE("losses of no rows on a GPU do nothing") {
    for (const Kind kind : all_kinds) {
        const Tensor<float> x({0, 3}), t(takes_labels(kind) ? Shape{0} : Shape{0, 3});
        CHECK(run<float>(kind, x, t).losses.size() == 0);
    }
}

TEST_CASE_TEMPLATE("losses over long rows on a GPU are within the bound of their roundings", Scalar,
                   float, double) {
    for (const Kind kind : all_kinds) {
        const Index n = 30'001;
        // A few values again and again, so that running sums are rounded the same way.
        Tensor<Scalar> x({1, n}), t(takes_labels(kind) ? Shape{1} : Shape{1, n});
        for (Index i = 0; i < n; ++i) {
            x[i] = static_cast<Scalar>(0.1 * static_cast<double>(i % 3 + 1)) +
                   (takes_probabilities(kind) ? Scalar(0) : Scalar(1));
        }
        std::ranges::fill(t, takes_labels(kind) ? Scalar(7) : Scalar(0.3));
        const int number = static_cast<int>(kind);
        CAPTURE(number);
        const auto result = both<Scalar>(kind, x, t);
        // All terms are above 0 and round some 20 times, through exp and log; the sum of float is in
        // double. Of double it adds one rounding for each of the 256 threads' terms.
        const double of_sum = sizeof(Scalar) == 4 ? 1 : static_cast<double>(n) / 256 + 12;
        CHECK(largest_gap(result.result[2], result.expected[2]) < (of_sum + 20) * eps<Scalar> / 2);
    }
}
