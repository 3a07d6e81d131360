// Shows: a layer of your own, its gradient checked. Swish is y = x sigmoid(beta x) with one beta
// per feature to learn. Run:   bash tests/run.sh builds it; then build/tests/examples/custom_layer
// Its last line: "loss ... -> ...", the loss before and after training, at least ten times smaller.
#include <weft/testing/gradient_check.hpp>
#include <weft/weft.hpp>

#include <algorithm>
#include <cmath>
#include <iostream>

/// The declaration: plain data, and the name that summaries and errors use.
struct Swish {
    weft::Initializer beta_initializer = weft::ones;

    static constexpr std::string_view type = "Swish";

    template <class Scalar, class Device>
    class Layer;
};

/// The layer:  X, Y (N, ..., F)   beta (F).   With s = sigmoid(beta x), from dy = dL/dy:
///   dL/dx = dy (s + beta x s (1 - s)),   dL/dbeta = sum over all axes but F of dy x^2 s (1 - s).
template <class Scalar, class Device>
class Swish::Layer final : public weft::Layer<Scalar, Device> {
    using View = weft::TensorView<const Scalar, Device>;
    using MutableView = weft::TensorView<Scalar, Device>;

public:
    Layer(const Swish& options, weft::LayerBuilder& builder)
        : weft::Layer<Scalar, Device>(builder.input_shape(), builder.input_shape()),
          beta_(builder.add_parameter("beta", {builder.input_shape().last()},
                                      options.beta_initializer)) {}

    void forward(const weft::Pass<Scalar, Device>& pass, View x, MutableView y) const override {
        const View beta = pass.parameter(beta_);
        for (weft::Index i = 0; i < x.size(); ++i) {
            y[i] = x[i] * sigmoid(beta[i % beta.size()] * x[i]);
        }
    }

    void backward(const weft::Pass<Scalar, Device>& pass, View x, View, MutableView dy,
                  MutableView dx) const override {
        const View beta = pass.parameter(beta_);
        const MutableView dbeta = pass.gradient(beta_);
        std::ranges::fill(dbeta, Scalar(0));
        for (weft::Index i = 0; i < x.size(); ++i) {
            const weft::Index f = i % beta.size();
            const Scalar s = sigmoid(beta[f] * x[i]);
            dbeta[f] += dy[i] * x[i] * x[i] * s * (1 - s);
            if (dx) dx[i] = dy[i] * (s + beta[f] * x[i] * s * (1 - s));
        }
    }

private:
    static Scalar sigmoid(Scalar x) { return 1 / (1 + std::exp(-x)); }

    weft::ParameterSlot beta_;
};

int main() {
    using namespace weft;

    // Against differences, in double, on a batch of 4 with 3 features.
    const GradientCheck check = gradient_check(Swish{}, {4, 3});
    std::cout << "gradient check: " << check << "\n";
    if (!check) return 1;

    // 256 points of the plane, and the function x_0^2 - x_1 to learn.
    const RandomStream random(1, RandomPurpose::user);
    Tensor<float> x({256, 2}), y({256, 1});
    for (Index i = 0; i < 256; ++i) {
        for (Index k = 0; k < 2; ++k) {
            x(i, k) =
                static_cast<float>(random.uniform(static_cast<std::uint64_t>(2 * i + k), -1, 1));
        }
        y(i, 0) = x(i, 0) * x(i, 0) - x(i, 1);
    }

    Sequential model{Input{{2}}, Dense{16}, Swish{}, Dense{1}};
    std::cout << model.summary();
    Trainer trainer(model, {.optimizer = Adam{.learning_rate = 0.01}, .loss = MeanSquaredError{}});
    const double before = trainer.evaluate(x, y)["loss"];
    trainer.fit(x, y, {.epochs = 100, .verbosity = Verbosity::silent});
    const double after = trainer.evaluate(x, y)["loss"];
    std::cout << "loss " << before << " -> " << after << "\n";
    return after < before / 10 ? 0 : 1;
}
