// Losses with their gradients, by weft and, of two, as expressions in plain Eigen (on one thread):
// a batch of the tutorials, of many classes, and of one output.
#include "weft/kernels/cpu/loss.hpp"

#include "bench/support/measure.hpp"
#include "bench/support/nearly_equal.hpp"
#include "bench/support/random_tensor.hpp"
#include "weft/kernels/cpu/activation.hpp"

namespace {

using namespace weft;
using namespace weft::bench;

/// Predictions, or probabilities in (0, 1) whose rows sum to 1; targets one-hot, or 1 and 0.
struct Rows {
    explicit Rows(const Shape& shape)
        : x(random_tensor(shape, 0)),
          p(shape),
          t(shape),
          labels({shape[0]}),
          losses({shape[0]}),
          probabilities(shape),
          gradient(shape) {
        Cpu cpu;
        softmax_forward<float>(cpu, x, p);
        if (shape.last() == 1) activation_forward<float>(cpu, Activation::sigmoid, x, p);
        for (Index r = 0; r < shape[0]; ++r) {
            const Index label = r * 7 % (shape.last() == 1 ? 2 : shape.last());
            labels[r] = static_cast<float>(label);
            for (Index c = 0; c < shape.last(); ++c) {
                t(r, c) = (shape.last() == 1 ? label == 1 : label == c) ? 1.0f : 0.0f;
            }
        }
    }

    float scale() const { return 1 / static_cast<float>(losses.size()); }
    Work work() const { return {.bytes = 12.0 * static_cast<double>(x.size())}; }

    Tensor<float> x, p, t, labels, losses, probabilities, gradient;
};

using Run = void (*)(Cpu&, Rows&);

void squared_error(Cpu& cpu, Rows& r) {
    mean_squared_error<float>(cpu, r.x, r.t, r.scale(), r.losses, r.gradient);
}

void softmax_of_labels(Cpu& cpu, Rows& r) {
    sparse_softmax_crossentropy<float>(cpu, r.x, r.labels, r.scale(), r.losses, r.probabilities,
                                       r.gradient);
}

std::string shape_name(const Shape& shape) { return concat(shape[0], "x", shape[1]); }

void add_weft(const std::string& name, const Shape& shape, Run run) {
    add("loss/" + name + "/" + shape_name(shape) + "/weft", [=](benchmark::State& state) {
        Cpu cpu;
        Rows rows(shape);
        measure(state, rows.work(), [&] { run(cpu, rows); });
    });
}

template <class Eigens>
void add_eigen(const std::string& name, const Shape& shape, Run run, const Eigens& eigen) {
    add("loss/" + name + "/" + shape_name(shape) + "/eigen", [=](benchmark::State& state) {
        Cpu cpu;
        Rows rows(shape), expected(shape);
        run(cpu, expected);
        eigen(rows);
        if (!nearly_equal(rows.losses, expected.losses, 1e-5f) ||
            !nearly_equal(rows.gradient, expected.gradient, 1e-5f)) {
            return state.SkipWithError("differs from weft");
        }
        measure(state, rows.work(), [&] { eigen(rows); });
    });
}

void add_losses(const Shape& shape) {
    add_weft("mean_squared_error", shape, squared_error);
    add_eigen("mean_squared_error", shape, squared_error, [](Rows& r) {
        const auto share = 1 / static_cast<float>(r.x.shape().last());
        const auto gap = as_matrix(r.x) - as_matrix(r.t);
        Eigen::Map<Eigen::VectorXf>(r.losses.data(), r.losses.size()) =
            share * gap.rowwise().squaredNorm();
        as_matrix(r.gradient) = 2 * r.scale() * share * gap;
    });
    add_weft("sigmoid_crossentropy", shape, [](Cpu& cpu, Rows& r) {
        sigmoid_crossentropy<float>(cpu, r.x, TensorView<const float>(r.t), r.scale(), r.losses,
                                    r.probabilities, r.gradient);
    });
    add_weft("binary_crossentropy", shape, [](Cpu& cpu, Rows& r) {
        binary_crossentropy<float>(cpu, r.p, TensorView<const float>(r.t), r.scale(), r.losses,
                                   r.gradient);
    });
    if (shape.last() == 1) return;
    add_weft("sparse_softmax_crossentropy", shape, softmax_of_labels);
    add_eigen("sparse_softmax_crossentropy", shape, softmax_of_labels, [](Rows& r) {
        const auto z = as_matrix(r.x);
        auto p = as_matrix(r.probabilities), g = as_matrix(r.gradient);
        const Eigen::VectorXf largest = z.rowwise().maxCoeff();
        p = (z.colwise() - largest).array().exp().matrix();
        const Eigen::VectorXf total = p.rowwise().sum();
        p.array().colwise() /= total.array();
        g = p * r.scale();
        for (Index i = 0; i < r.losses.size(); ++i) {
            const auto label = static_cast<Index>(r.labels[i]);
            r.losses[i] = std::log(total(i)) + largest(i) - z(i, label);
            g(i, label) -= r.scale();
        }
    });
    add_weft("softmax_crossentropy", shape, [](Cpu& cpu, Rows& r) {
        softmax_crossentropy<float>(cpu, r.x, TensorView<const float>(r.t), r.scale(), r.losses,
                                    r.probabilities, r.gradient);
    });
    add_weft("smoothed_softmax_crossentropy", shape, [](Cpu& cpu, Rows& r) {
        const kernels::SmoothedTargets<float> targets(TensorView<const float>(r.t), 0.1,
                                                      r.t.shape().last());
        softmax_crossentropy<float>(cpu, r.x, targets, r.scale(), r.losses, r.probabilities,
                                    r.gradient);
    });
    add_weft("sparse_categorical_crossentropy", shape, [](Cpu& cpu, Rows& r) {
        sparse_categorical_crossentropy<float>(cpu, r.p, r.labels, r.scale(), r.losses, r.gradient);
    });
    add_weft("categorical_crossentropy", shape, [](Cpu& cpu, Rows& r) {
        categorical_crossentropy<float>(cpu, r.p, TensorView<const float>(r.t), r.scale(), r.losses,
                                        r.gradient);
    });
}

[[maybe_unused]] const bool registered = [] {
    add_losses({32, 10});
    add_losses({500, 1000});
    add_losses({1000, 1});
    return true;
}();

}  // namespace
