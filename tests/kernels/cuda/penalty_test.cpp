#include "weft/kernels/cuda/penalty.hpp"

#include "tests/support/cuda.hpp"
#include "tests/support/random_tensor.hpp"
#include "tests/support/reference/penalty.hpp"
#include "tests/support/special_values.hpp"

#include <doctest/doctest.h>

#include <array>
#include <concepts>
#include <cstdint>
#include <utility>

using namespace weft;

TEST_CASE_TEMPLATE("penalties and limits on a GPU are their formulas", Scalar, float, double) {
    for (const Index count : {1, 33, 255, 5000}) {
        CAPTURE(count);
        auto x = random_normal<Scalar>({count}, 1);
        x[0] = 0;
        const auto gradient = random_normal<Scalar>({count}, 2);
        const auto both = on_both<Scalar>({x, gradient, x, x}, [&](auto& device, const auto& t) {
            kernels::add_penalty_gradient<Scalar>(device, t[0], 0.5, 0.25, t[1]);
            kernels::clip_values<Scalar>(device, t[2], 0.7);
            kernels::make_non_negative<Scalar>(device, t[3]);
        });
        CHECK(both.repeats);
        CHECK(both.gap(1) < 4 * eps<Scalar>);
    }
    const Scalar nan = not_a_number<Scalar>, inf = infinity<Scalar>;
    const Tensor<Scalar> special({5}, {nan, inf, -inf, Scalar(-0.0), Scalar(0)});
    CHECK(on_both<Scalar>({special, special}, [&](auto& device, const auto& t) {
              kernels::clip_values<Scalar>(device, t[0], 2);
              kernels::make_non_negative<Scalar>(device, t[1]);
          }).same());
}

TEST_CASE_TEMPLATE("norms on a GPU are limited, of one block's sum and of many", Scalar, float,
                   double) {
    for (const Index count : {1, 1000, 100000}) {
        const auto x = random_normal<Scalar>({count}, 1);
        for (const double limit : {0.5, 1e6}) {
            CAPTURE(count);
            CAPTURE(limit);
            const auto both = on_both<Scalar>({x}, [&](auto& device, const auto& t) {
                kernels::clip_norm<Scalar>(device, t[0], limit);
            });
            CHECK(both.repeats);
            CHECK(both.gap(1e-30) < 4 * eps<Scalar>);
            if (limit > 1e3) CHECK(both.same());
        }
    }
    auto x = random_normal<Scalar>({100}, 1);
    x[50] = not_a_number<Scalar>;  // no norm, so nothing is scaled
    CHECK(on_both<Scalar>({x}, [&](auto& device, const auto& t) {
              kernels::clip_norm<Scalar>(device, t[0], 0.5);
          }).same());
}

TEST_CASE_TEMPLATE("norms of columns on a GPU are limited", Scalar, float, double) {
    for (const Shape& shape : {Shape{1, 1}, {3, 33}, {1000, 7}, {2, 3, 4, 70}}) {
        for (const double limit : {0.0, 0.5, 100.0}) {
            CAPTURE(shape);
            CAPTURE(limit);
            const auto both = on_both<Scalar>(
                {random_normal<Scalar>(shape, 1)}, [&](auto& device, const auto& t) {
                    kernels::limit_column_norms<Scalar>(device, t[0], limit);
                });
            CHECK(both.repeats);
            CHECK(both.gap(1e-30) < 6 * eps<Scalar>);
        }
    }
}

namespace {

/// The constraint of parameter k: in turn one of each kind.
template <class View>
auto constraint_on(const View& w, std::size_t k) {
    using Scalar = std::remove_pointer_t<decltype(w.data())>;
    const Index columns = w.shape().last();
    return kernels::ConstrainedParameter<Scalar>{w.data(), w.size() / columns, columns, k % 3 != 2,
                                                 k % 3 == 0 ? 0.5 : 0};
}

}  // namespace

TEST_CASE_TEMPLATE("all constraints on a GPU are one kernel, and as many", Scalar, float, double) {
    std::vector<std::vector<Shape>> all{
        {{1, 1}}, {{3, 7}, {5, 8}, {1000, 9}}, {{9000, 8}, {33, 16}, {2, 3, 4, 70}, {2000, 1}}};
    for (Index i = 1; i < 41; ++i) {  // more than one kernel takes
        if (i == 1) all.emplace_back();
        all.back().push_back({i * 37, 1 + i % 11});
    }
    for (const auto& shapes : all) {
        std::vector<Tensor<Scalar>> parameters;
        std::uint32_t seed = 1;
        for (const Shape& shape : shapes) {
            parameters.push_back(random_normal<Scalar>(shape, seed++));
        }
        // Each parameter is constrained in each way.
        for (std::size_t first = 0; first < 3; ++first) {
            CAPTURE(shapes.size());
            CAPTURE(first);
            const auto both = on_both<Scalar>(parameters, [&](auto& device, const auto& t) {
                std::vector<kernels::ConstrainedParameter<Scalar>> constraints;
                for (std::size_t k = 0; k < t.size(); ++k) {
                    constraints.push_back(constraint_on(t[k], k + first));
                }
                if constexpr (std::same_as<std::remove_cvref_t<decltype(device)>, Cuda>) {
                    kernels::constrain<Scalar>(device, std::span(std::as_const(constraints)));
                    return;
                }
                for (std::size_t k = 0; k < t.size(); ++k) {
                    if (constraints[k].limits_norms) {
                        kernels::limit_column_norms<Scalar>(device, t[k], constraints[k].limit);
                    } else {
                        kernels::make_non_negative<Scalar>(device, t[k]);
                    }
                }
            });
            CHECK(both.repeats);
            CHECK(both.gap(1e-30) < 6 * eps<Scalar>);
        }
    }
    const Scalar nan = not_a_number<Scalar>, inf = infinity<Scalar>;
    Cuda device;
    auto special =
        to_cuda(device, Tensor<Scalar>({6, 1}, {nan, inf, -inf, Scalar(-0.0), Scalar(0), -1}));
    kernels::constrain<Scalar>(device, std::array{constraint_on(special.view(), 2)});
    CHECK(identical(from_cuda(device, special),
                    Tensor<Scalar>({6, 1}, {nan, inf, 0, Scalar(-0.0), Scalar(0), 0})));
}

TEST_CASE_TEMPLATE("constraints on a GPU do nothing once a number went wrong", Scalar, float,
                   double) {
    const auto w = random_normal<Scalar>({30, 4}, 1);
    Cuda device;
    const auto wrong = to_cuda(device, Tensor<double>({1}, {2}));
    auto limited = to_cuda(device, w), positive = limited;
    kernels::limit_column_norms<Scalar>(device, limited, 0.5, wrong.data());
    kernels::make_non_negative<Scalar>(device, positive, wrong.data());
    for (std::size_t kind = 0; kind < 3; ++kind) {
        auto constrained = to_cuda(device, w);
        kernels::constrain<Scalar>(device, std::array{constraint_on(constrained.view(), kind)},
                                   wrong.data());
        CHECK(identical(from_cuda(device, constrained), w));
    }
    CHECK(identical(from_cuda(device, limited), w));
    CHECK(identical(from_cuda(device, positive), w));
}

TEST_CASE_TEMPLATE("rows have the weights of their samples on a GPU", Scalar, float, double) {
    const auto weights = random_uniform<Scalar>({7}, 1, 0, 3);
    const auto losses = random_normal<Scalar>({7 * 6}, 2);
    const auto gradient = random_normal<Scalar>({7 * 6, 5}, 3);
    CHECK(on_both<Scalar>({weights, losses, gradient}, [&](auto& device, const auto& t) {
              kernels::weight_rows<Scalar>(device, t[0], t[1], t[2]);
          }).same());
}
