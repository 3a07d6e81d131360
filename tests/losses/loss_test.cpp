#include "weft/losses/loss.hpp"

#include "weft/testing/gradient_check.hpp"
#include "weft/weft.hpp"

#include <doctest/doctest.h>

using namespace weft;

namespace {

/// A loss of a user's own, l = sum_c p_c^3, whose gradient is off by a factor.
struct Cubes {
    double factor = 1;

    static constexpr std::string_view type = "Cubes";

    template <class Scalar, class Device>
    class Function;
};

template <class Scalar, class Device>
class Cubes::Function final : public Loss<Scalar, Device> {
public:
    using typename Loss<Scalar, Device>::View;
    using typename Loss<Scalar, Device>::ConstView;

    explicit Function(const Cubes& options) : factor_(static_cast<Scalar>(options.factor)) {}

    void evaluate(Device&, bool, View predictions, ConstView, Scalar scale, View losses,
                  View gradient) const override {
        const Index columns = predictions.shape().last();
        std::ranges::fill(losses, Scalar(0));
        for (Index i = 0; i < predictions.size(); ++i) {
            const Scalar p = predictions[i];
            losses[i / columns] += p * p * p;
            gradient[i] = factor_ * 3 * p * p * scale;
        }
    }

private:
    Scalar factor_;
};

}  // namespace

TEST_CASE("a loss of the user's own has a type, takes any target and fuses with nothing") {
    const LossDeclaration<float, Cpu> loss = Cubes{};
    CHECK(loss.type() == "Cubes");
    for (const Activation activation : {linear, relu, sigmoid, weft::tanh, softmax}) {
        CHECK_FALSE(loss->fuses(activation));
        CHECK_FALSE((*loss).fuses(activation));
    }
    CHECK(loss->target_shape({3, 4}) == Shape{3, 4});
    const float nan = std::numeric_limits<float>::quiet_NaN();
    CHECK(loss->complaint(Tensor<float>({2}, {nan, 7}), {2}).empty());
}

TEST_CASE("a model is trained and evaluated by a loss of the user's own") {
    const Tensor<float> x({2, 1}, {1, 3}), no_target({2, 1});
    Sequential<float> model{Input{{1}}, Dense{.units = 1, .use_bias = false}};
    model.parameter("dense/kernel")[0] = 2;
    Trainer trainer(model, {.optimizer = SGD{.learning_rate = 0.125}, .loss = Cubes{}});
    // Predictions 2 and 6: the loss is the mean of 8 and 216, its gradient that of 12 and 324.
    CHECK(trainer.evaluate(x, no_target)["loss"] == 112);
    const History history = trainer.fit(x, no_target, {.verbosity = Verbosity::silent});
    CHECK(history.epochs[0].scores["loss"] == 112);
    CHECK(model.parameter("dense/kernel")[0] == 2 - 0.125f * 168);
}

TEST_CASE("the gradient check of a loss finds a gradient that is off") {
    const auto p = random_normal({4, 3}, 2), no_target = random_normal({4, 3}, 3);
    CHECK(gradient_check(Cubes{}, p, no_target));
    CHECK_FALSE(gradient_check(Cubes{.factor = -1}, p, no_target));
    CHECK_FALSE(gradient_check(Cubes{.factor = 4}, p, no_target));  // as if it did not divide by N
    CHECK_FALSE(gradient_check(Cubes{.factor = 1 + 1e-5}, p, no_target));
    CHECK_FALSE(
        gradient_check(Cubes{.factor = std::numeric_limits<double>::quiet_NaN()}, p, no_target));
}

TEST_CASE("a sample has a row of losses for each of its last axis") {
    CHECK(loss_rows({4}) == 1);
    CHECK(loss_rows({3, 4}) == 3);
    CHECK(loss_rows({2, 3, 4}) == 6);
    CHECK(loss_rows(Shape{}) == 1);
    CHECK(loss_rows({3, 0}) == 0);
}
