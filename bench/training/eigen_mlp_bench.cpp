// Training the tutorial's mlp, batch 32, unshuffled: by weft, and by the same arithmetic as a loop
// in plain Eigen.
#include "weft/training/trainer.hpp"

#include "bench/support/measure.hpp"
#include "bench/support/model_work.hpp"
#include "weft/layers/dense.hpp"
#include "weft/losses/sparse_categorical_crossentropy.hpp"

namespace {

using namespace weft;
using namespace weft::bench;
using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Vector = Eigen::RowVectorXf;

constexpr Index samples = 6400, features = 784, hidden = 128, classes = 10, batch = 32;

/// A parameter with what Adam keeps of it.
template <class T>
struct Learned {
    T value, gradient, m, v;

    explicit Learned(const T& start)
        : value(start), gradient(start), m(T::Zero(start.rows(), start.cols())), v(m) {}

    void adam_step(float alpha) {
        m.array() += 0.1f * (gradient - m).array();
        v.array() += 0.001f * (gradient.array().square() - v.array());
        value.array() -= alpha * m.array() / (v.array().sqrt() + 1e-7f);
    }
};

/// 784 -> 128 relu -> 10 softmax, cross-entropy and Adam, written out with Eigen's products.
struct EigenMlp {
    Learned<Matrix> w1, w2;
    Learned<Vector> b1{Vector::Zero(hidden)}, b2{Vector::Zero(classes)};
    Matrix x{batch, features}, h{batch, hidden}, p{batch, classes}, dh{batch, hidden};
    int steps = 0;

    EigenMlp(const Matrix& w1_start, const Matrix& w2_start) : w1(w1_start), w2(w2_start) {}

    float epoch(const Samples& data) {
        double loss = 0;
        for (Index first = 0; first < samples; first += batch) {
            x = as_matrix(data.x).middleRows(first, batch);
            loss += static_cast<double>(step(data.labels.data() + first));
        }
        return static_cast<float>(loss / samples);
    }

    float step(const std::uint8_t* labels) {
        h.noalias() = x * w1.value;
        h = (h.rowwise() + b1.value).cwiseMax(0.0f);
        p.noalias() = h * w2.value;
        p.rowwise() += b2.value;
        float loss = 0;
        for (Index i = 0; i < batch; ++i) {
            p.row(i).array() = (p.row(i).array() - p.row(i).maxCoeff()).exp();
            p.row(i) /= p.row(i).sum();
            loss -= std::log(p(i, labels[i]));
            p(i, labels[i]) -= 1;
        }
        p /= static_cast<float>(batch);
        w2.gradient.noalias() = h.transpose() * p;
        b2.gradient = p.colwise().sum();
        dh.noalias() = p * w2.value.transpose();
        dh.array() *= (h.array() > 0).cast<float>();
        w1.gradient.noalias() = x.transpose() * dh;
        b1.gradient = dh.colwise().sum();
        ++steps;
        const double t = steps;
        const auto alpha =
            static_cast<float>(0.001 * std::sqrt(1 - std::pow(0.999, t)) / (1 - std::pow(0.9, t)));
        w1.adam_step(alpha);
        b1.adam_step(alpha);
        w2.adam_step(alpha);
        b2.adam_step(alpha);
        return loss;
    }
};

Sequential<float> make_model() {
    return {Input{{features}}, Dense{hidden, relu}, Dense{classes, softmax}};
}

FitOptions<float> one_epoch() {
    return {.batch_size = batch, .shuffle = false, .verbosity = Verbosity::silent};
}

[[maybe_unused]] const bool registered = [] {
    add("training/epoch/mlp-6400/weft", [](benchmark::State& state) {
        const Samples data({features}, samples);
        Sequential<float> model = make_model();
        EigenMlp eigen(as_matrix(model.parameter("dense/kernel")),
                       as_matrix(model.parameter("dense_1/kernel")));
        Trainer trainer(model, {.loss = SparseCategoricalCrossentropy{}});
        const auto fit = [&] { return trainer.fit(data.x, data.labels, one_epoch()); };
        const double loss = fit()["loss"][0];
        if (!(std::abs(loss - static_cast<double>(eigen.epoch(data))) < 1e-4)) {
            return state.SkipWithError("differs from the loop in Eigen");
        }
        measure(state, {.flop = flop_per_sample(model, true) * samples, .images = samples}, fit);
    });
    add("training/epoch/mlp-6400/eigen", [](benchmark::State& state) {
        const Samples data({features}, samples);
        Sequential<float> model = make_model();
        EigenMlp eigen(as_matrix(model.parameter("dense/kernel")),
                       as_matrix(model.parameter("dense_1/kernel")));
        measure(state, {.flop = flop_per_sample(model, true) * samples, .images = samples},
                [&] { benchmark::DoNotOptimize(eigen.epoch(data)); });
    });
    return true;
}();

}  // namespace
