#include "weft/kernels/cuda/optimizer.hpp"

#include "tests/support/cuda.hpp"
#include "tests/support/random_tensor.hpp"
#include "tests/support/reference/optimizer.hpp"
#include "tests/support/special_values.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <utility>

using namespace weft;

namespace {

/// The numbers of a step, and whether training has stopped, where the device reads them.
template <class Numbers, class Device>
class StepOn {
public:
    StepOn(const Device& device, const Numbers& numbers, double wrong)
        : numbers_(device.allocate(sizeof(Numbers))), wrong_({1}, device) {
        Tensor<std::byte> bytes({sizeof(Numbers)});
        std::memcpy(bytes.data(), &numbers, sizeof numbers);
        kernels::copy_to_device<std::byte>(
            device, bytes, TensorView<std::byte, Device>(numbers_.data(), bytes.shape()));
        kernels::copy_to_device<double>(device, Tensor<double>({1}, {wrong}), wrong_);
    }

    kernels::DeviceStep<Numbers> step() {
        return {reinterpret_cast<const Numbers*>(numbers_.data()), wrong_.data()};
    }

private:
    typename Device::Memory numbers_;
    Tensor<double, Device> wrong_;
};

/// update(device, step, views) of a gradient and four arrays.
template <class Scalar, class Numbers, class Update>
OnBoth<Scalar> update_on_both(Index count, const Numbers& numbers, double wrong,
                              const Update& update) {
    const auto positive = random_uniform<Scalar>({count}, 3, 0.5, 1);
    return on_both<Scalar>(
        {random_normal<Scalar>({count}, 1), random_normal<Scalar>({count}, 2), positive,
         random_uniform<Scalar>({count}, 4, -0.5, 0.5), random_normal<Scalar>({count}, 5)},
        [&](auto& device, const auto& t) {
            StepOn<Numbers, std::remove_cvref_t<decltype(device)>> on(device, numbers, wrong);
            update(device, on.step(), t);
        });
}

}  // namespace

TEST_CASE_TEMPLATE("updates on a GPU are their formulas, and nothing once a number went wrong",
                   Scalar, float, double) {
    const kernels::SGDStep<Scalar> sgd{Scalar(0.1), Scalar(0.9)};
    const kernels::AdamStep<Scalar> adam{Scalar(0.01), Scalar(0.1), Scalar(0.001), Scalar(1e-7),
                                         Scalar(0.004)};
    const kernels::RMSpropStep<Scalar> rmsprop{Scalar(0.01), Scalar(0.1), Scalar(0.9),
                                               Scalar(1e-7)};
    // Some ten operations on numbers near 1; a few sums may cancel to a tenth of their terms.
    const double bound = 30 * eps<Scalar>;
    for (const Index count : {1, 255, 1000}) {
        for (const double wrong : {0.0, 3.0}) {
            CAPTURE(count);
            CAPTURE(wrong);
            const auto check = [&](const auto& both) {
                CHECK(both.repeats);
                CHECK(both.gap(0.1) < bound);
                if (wrong != 0) CHECK(both.same());
            };
            check(update_on_both<Scalar>(count, sgd, wrong,
                                         [](auto& device, const auto& step, const auto& t) {
                                             kernels::sgd_update<Scalar>(device, step, t[0], t[1]);
                                         }));
            for (const bool nesterov : {false, true}) {
                check(update_on_both<Scalar>(
                    count, sgd, wrong, [&](auto& device, const auto& step, const auto& t) {
                        kernels::momentum_update<Scalar>(device, step, nesterov, t[0], t[3], t[1]);
                    }));
            }
            for (const int arrays : {0, 1, 2, 3}) {
                check(update_on_both<Scalar>(
                    count, rmsprop, wrong, [&](auto& device, const auto& step, const auto& t) {
                        using View = std::remove_cvref_t<decltype(t[0])>;
                        kernels::rmsprop_update<Scalar>(device, step, t[0], t[2],
                                                        arrays % 2 == 1 ? t[3] : View(),
                                                        arrays >= 2 ? t[4] : View(), t[1]);
                    }));
            }
            check(update_on_both<Scalar>(
                count, adam, wrong, [](auto& device, const auto& step, const auto& t) {
                    kernels::adam_update<Scalar>(device, step, t[0], t[3], t[2], t[1]);
                }));
        }
    }
}

namespace {

/// What update(device, step, views) leaves of a gradient and four arrays on a GPU, with a factor of
/// the gradient; null: none.
template <class Scalar, class Numbers, class Update>
std::vector<Tensor<Scalar>> update_with(const Tensor<Scalar>& gradient, const Numbers& numbers,
                                        const double* factor, const Update& update) {
    Cuda device;
    const Shape shape = gradient.shape();
    std::vector<Tensor<Scalar, Cuda>> t{
        to_cuda(device, gradient), to_cuda(device, random_normal<Scalar>(shape, 2)),
        to_cuda(device, random_uniform<Scalar>(shape, 3, 0.5, 1)),
        to_cuda(device, random_uniform<Scalar>(shape, 4, -0.5, 0.5)),
        to_cuda(device, random_normal<Scalar>(shape, 5))};
    StepOn<Numbers, Cuda> on(device, numbers, 0);
    const auto of_gradient =
        to_cuda(device, Tensor<double>({1}, {factor == nullptr ? 0 : *factor}));
    auto step = on.step();
    if (factor != nullptr) step.factor = of_gradient.data();
    update(device, step, t);
    std::vector<Tensor<Scalar>> left;
    for (const auto& tensor : t) left.push_back(from_cuda(device, tensor));
    return left;
}

}  // namespace

TEST_CASE_TEMPLATE("updates on a GPU multiply gradients by the step's factor", Scalar, float,
                   double) {
    const kernels::SGDStep<Scalar> sgd{Scalar(0.1), Scalar(0.9)};
    const kernels::AdamStep<Scalar> adam{Scalar(0.01), Scalar(0.1), Scalar(0.001), Scalar(1e-7),
                                         Scalar(0.004)};
    const kernels::RMSpropStep<Scalar> rmsprop{Scalar(0.01), Scalar(0.1), Scalar(0.9),
                                               Scalar(1e-7)};
    auto gradient = random_normal<Scalar>({300}, 1);
    gradient[7] = not_a_number<Scalar>;
    for (const double factor : {0.3, 1.0}) {
        CAPTURE(factor);
        auto multiplied = gradient;
        for (Scalar& g : multiplied) g = static_cast<Scalar>(static_cast<double>(g) * factor);
        const auto check = [&](const auto& numbers, const auto& update) {
            auto result = update_with(gradient, numbers, &factor, update);
            const auto expected = update_with(multiplied, numbers, nullptr, update);
            CHECK(identical(result[0], gradient));  // they stay
            for (std::size_t i = 1; i < result.size(); ++i) {
                CAPTURE(i);
                CHECK(identical(result[i], expected[i]));
            }
        };
        check(sgd, [](auto& device, const auto& step, auto& t) {
            kernels::sgd_update<Scalar>(device, step, t[0], t[1]);
        });
        check(sgd, [](auto& device, const auto& step, auto& t) {
            kernels::momentum_update<Scalar>(device, step, true, t[0], t[3], t[1]);
        });
        check(rmsprop, [](auto& device, const auto& step, auto& t) {
            kernels::rmsprop_update<Scalar>(device, step, t[0], t[2], t[3], t[4], t[1]);
        });
        check(adam, [](auto& device, const auto& step, auto& t) {
            kernels::adam_update<Scalar>(device, step, t[0], t[3], t[2], t[1]);
        });
    }
}
