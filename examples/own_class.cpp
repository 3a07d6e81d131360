// Shows: a class of your own that has a model and its trainer as members, and many of them.
// Run:   bash tests/run.sh builds it; then build/tests/examples/own_class
// Its last line: "error of the mean of 3: ...", below 0.02.
#include <weft/weft.hpp>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <memory>
#include <vector>

/// A function of one number, learnt from samples.
class Curve {
public:
    // The trainer is made here: g++ 12 fails on a member's initialiser with named fields.
    explicit Curve(weft::Index units)
        : model_{weft::Input{{1}}, weft::Dense{.units = units, .activation = weft::tanh},
                 weft::Dense{.units = 1}},
          trainer_(model_, {.optimizer = weft::Adam{.learning_rate = 0.02},
                            .loss = weft::MeanSquaredError{}}) {}

    /// Again and again: each call goes on where the one before stopped.
    void learn(const weft::Tensor<float>& x, const weft::Tensor<float>& y) {
        trainer_.fit(x, y, {.epochs = 300, .verbosity = weft::Verbosity::silent});
    }

    weft::Tensor<float> operator()(const weft::Tensor<float>& x) const { return model_.predict(x); }

private:
    weft::Sequential<float> model_;
    weft::Trainer<float, weft::Cpu> trainer_;  // behind the model that it refers to
};

int main() {
    weft::Tensor<float> x({200, 1}), y({200, 1});
    for (weft::Index i = 0; i < 200; ++i) {
        x[i] = static_cast<float>(i) / 100 - 1;
        y[i] = x[i] * x[i];
    }

    // A Curve stays in its place, since its trainer refers to its model: vectors hold pointers.
    std::vector<std::unique_ptr<Curve>> curves;
    for (const weft::Index units : {8, 16, 24}) curves.push_back(std::make_unique<Curve>(units));

    weft::Tensor<float> mean({200, 1});
    for (const auto& curve : curves) {
        curve->learn(x, y);
        curve->learn(x, y);
        const weft::Tensor<float> values = (*curve)(x);
        for (weft::Index i = 0; i < 200; ++i) mean[i] += values[i] / 3;
    }
    float error = 0;
    for (weft::Index i = 0; i < 200; ++i) error = std::max(error, std::abs(mean[i] - y[i]));
    std::cout << "error of the mean of 3: " << error << "\n";
    return error < 0.02f ? 0 : 1;
}
