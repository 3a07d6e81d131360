#include "weft/kernels/cuda/activation.hpp"

#include "tests/support/activations.hpp"
#include "tests/support/cuda.hpp"
#include "tests/support/random_tensor.hpp"
#include "tests/support/reference/activation.hpp"
#include "tests/support/special_values.hpp"

#include <doctest/doctest.h>

using namespace weft;

namespace {

/// Rows of 5, several blocks of threads and a part of one; and one element.
const Shape shapes[] = {{1, 1}, {7, 5}, {131, 5}};

/// exp, erfc, tanh and expm1 are good to 2, 4, 2 and 1 units in the last place on a GPU; a few
/// operations follow. The rounding of x / sqrt(2) changes erfc by x^2 roundings, 81 at 9. Softmax
/// rounds x - max x, up to 18, by up to 8 eps, and the exponential is off by as much.
template <class Scalar>
double tolerance(Activation activation) {
    return (activation == gelu ? 100 : activation == softmax ? 16 : 8) * eps<Scalar>;
}

}  // namespace

TEST_CASE_TEMPLATE("activations on a GPU are their formulas", Scalar, float, double) {
    for (const Activation activation : all_activations) {
        CAPTURE(to_string(activation));
        for (const Shape& shape : shapes) {
            const auto x = random_uniform<Scalar>(shape, 1, -9, 9);
            const auto both = on_both<Scalar>({x, x}, [&](auto& device, const auto& t) {
                kernels::activation_forward<Scalar>(device, activation, t[0], t[1]);
            });
            CHECK(both.repeats);
            CHECK(both.gap(1e-30) < tolerance<Scalar>(activation));
        }
    }
}

TEST_CASE_TEMPLATE("gradients of activations on a GPU are their formulas, in place too", Scalar,
                   float, double) {
    for (const Activation activation : all_activations) {
        CAPTURE(to_string(activation));
        for (const Shape& shape : shapes) {
            // Outputs are below 1 but for those of relu and its kin.
            const double most = activation == relu || needs_input(activation) ? 9 : 1;
            const auto x = random_uniform<Scalar>(shape, 1, -most, most);
            const auto dy = random_uniform<Scalar>(shape, 2, -1, 1);
            const auto both = on_both<Scalar>({x, dy, dy, dy}, [&](auto& device, const auto& t) {
                for (const auto& dx : {t[2], t[1]}) {
                    if (needs_input(activation)) {
                        kernels::activation_backward_from_input<Scalar>(device, activation, t[0],
                                                                        t[3], dx);
                    } else {
                        kernels::activation_backward<Scalar>(device, activation, t[0], t[3], dx);
                    }
                }
                if (!needs_input(activation)) {
                    kernels::activation_backward<Scalar>(device, activation, t[0], t[3], t[3]);
                }
            });
            CHECK(both.repeats);
            // Derivatives are sums of terms below 10 that may cancel.
            CHECK(both.gap(1) < 10 * tolerance<Scalar>(activation));
        }
    }
}

TEST_CASE_TEMPLATE("activations that carry a number on a GPU", Scalar, float, double) {
    auto x = random_uniform<Scalar>({3, 101}, 1, -3, 3);
    x[0] = 0;  // which is not above 0
    const auto dy = random_uniform<Scalar>({3, 101}, 2, -1, 1);
    const auto both = on_both<Scalar>({x, dy, x, x, x, x, x}, [&](auto& device, const auto& t) {
        kernels::activation_forward<Scalar>(device, leaky_relu(0.3), t[0], t[2]);
        kernels::activation_backward<Scalar>(device, leaky_relu(0.3), t[0], t[1], t[3]);
        kernels::activation_forward<Scalar>(device, elu(0.5), t[0], t[4]);
        kernels::activation_backward<Scalar>(device, elu(0.5), t[0], t[1], t[5]);
        kernels::scale_and_offset<Scalar>(device, t[0], Scalar(0.5), Scalar(-0.1), t[6]);
    });
    CHECK(both.repeats);
    CHECK(both.gap(0.1) < 8 * eps<Scalar>);
}

TEST_CASE_TEMPLATE("activations on a GPU keep NaN, infinities and the sign of 0", Scalar, float,
                   double) {
    const Tensor<Scalar> x({1, 6}, {not_a_number<Scalar>, infinity<Scalar>, -infinity<Scalar>,
                                    Scalar(-0.0), Scalar(0), Scalar(1)});
    for (const Activation activation : {linear, relu, leaky_relu, elu}) {
        CAPTURE(to_string(activation));
        auto both = on_both<Scalar>({x, x}, [&](auto& device, const auto& t) {
            kernels::activation_forward<Scalar>(device, activation, t[0], t[1]);
        });
        // A GPU's arithmetic has one NaN in float, whatever the bits of the one it is given.
        for (auto* results : {&both.result[1], &both.expected[1]}) {
            if (std::isnan((*results)[0])) (*results)[0] = not_a_number<Scalar>;
        }
        CHECK(both.same());
    }
    for (const Activation activation : {sigmoid, weft::tanh, gelu, silu}) {
        CAPTURE(to_string(activation));
        const auto both = on_both<Scalar>({x, x}, [&](auto& device, const auto& t) {
            kernels::activation_forward<Scalar>(device, activation, t[0], t[1]);
        });
        for (Index i = 0; i < x.size(); ++i) {
            const Scalar result = both.result[1][i], expected = both.expected[1][i];
            CHECK(std::isnan(result) == std::isnan(expected));
            if (!std::isfinite(expected)) CHECK((std::isnan(expected) || result == expected));
        }
    }
    // A gradient that is not finite ends at a relu that is off.
    const Tensor<Scalar> dy({1, 6}, {infinity<Scalar>, infinity<Scalar>, infinity<Scalar>,
                                     not_a_number<Scalar>, infinity<Scalar>, infinity<Scalar>});
    CHECK(on_both<Scalar>({x, dy, x}, [&](auto& device, const auto& t) {
              kernels::activation_backward<Scalar>(device, relu, t[0], t[1], t[2]);
          }).same());
}
