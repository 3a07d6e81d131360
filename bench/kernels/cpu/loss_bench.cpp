// Losses with their gradients, by weft and, of two, as expressions in plain Eigen (on one thread):
// a batch of the tutorials, of many classes, and of one output.
#include "weft/kernels/cpu/loss.hpp"

#include "bench/support/checked.hpp"
#include "bench/support/random_tensor.hpp"
#include "tests/support/reference/loss.hpp"
#include "weft/core/eigen.hpp"
#include "weft/kernels/cpu/activation.hpp"

namespace {

using namespace weft;
using namespace weft::bench;

/// Predictions, or probabilities in (0, 1) whose rows sum to 1; targets one-hot, or 1 and 0.
template <class Device>
struct Rows {
    Rows(Device& device, const Shape& shape)
        : x(random_tensor<Device>(shape, 0)),
          p(shape),
          t(shape),
          labels({shape[0]}),
          losses({shape[0]}),
          probabilities(shape),
          gradient(shape) {
        activation_forward<float>(device, shape.last() == 1 ? sigmoid : softmax, x, p);
        for (Index r = 0; r < shape[0]; ++r) {
            const Index label = r * 7 % (shape.last() == 1 ? 2 : shape.last());
            labels[r] = static_cast<float>(label);
            for (Index c = 0; c < shape.last(); ++c) {
                t(r, c) = (shape.last() == 1 ? label == 1 : label == c) ? 1.0f : 0.0f;
            }
        }
    }

    float scale() const { return 1 / static_cast<float>(losses.size()); }
    TensorView<const float, Device> targets() const { return t; }

    Tensor<float, Device> x, p, t, labels, losses, probabilities, gradient;
};

/// loss(device, rows) as a task.
template <class Loss>
auto task_of(const Shape& shape, const Loss& loss) {
    return Task{Work{.bytes = 12.0 * static_cast<double>(shape.size())},
                [=]<class Device>(Device& device) { return Rows<Device>(device, shape); }, loss,
                [](const auto& r) { return std::tie(r.losses, r.gradient, r.probabilities); }};
}

void add_losses(const Shape& shape) {
    const auto add_loss = [&](const std::string& name, const auto& loss) {
        const auto task = task_of(shape, loss);
        add_weft(concat("loss/", name, "/", shape[0], "x", shape[1]), task);
        return task;
    };
    const auto add_eigen = [&](const std::string& name, const auto& task, const auto& eigen) {
        add_contender(concat("loss/", name, "/", shape[0], "x", shape[1], "/eigen"), task,
                      [eigen](Cpu&, auto& r) { return [&r, eigen] { eigen(r); }; });
    };
    const auto squared_error = add_loss("mean_squared_error", [](auto& device, auto& r) {
        mean_squared_error<float>(device, r.x, r.t, r.scale(), r.losses, r.gradient);
    });
    add_eigen("mean_squared_error", squared_error, [](auto& r) {
        const auto share = 1 / static_cast<float>(r.x.shape().last());
        const auto gap = as_matrix(r.x) - as_matrix(r.t);
        Eigen::Map<Eigen::VectorXf>(r.losses.data(), r.losses.size()) =
            share * gap.rowwise().squaredNorm();
        as_matrix(r.gradient) = 2 * r.scale() * share * gap;
    });
    add_loss("sigmoid_crossentropy", [](auto& device, auto& r) {
        sigmoid_crossentropy<float>(device, r.x, r.targets(), r.scale(), r.losses, r.probabilities,
                                    r.gradient);
    });
    add_loss("binary_crossentropy", [](auto& device, auto& r) {
        binary_crossentropy<float>(device, r.p, r.targets(), r.scale(), r.losses, r.gradient);
    });
    if (shape.last() == 1) return;
    const auto of_labels = add_loss("sparse_softmax_crossentropy", [](auto& device, auto& r) {
        sparse_softmax_crossentropy<float>(device, r.x, r.labels, r.scale(), r.losses,
                                           r.probabilities, r.gradient);
    });
    add_eigen("sparse_softmax_crossentropy", of_labels, [](auto& r) {
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
    add_loss("softmax_crossentropy", [](auto& device, auto& r) {
        softmax_crossentropy<float>(device, r.x, r.targets(), r.scale(), r.losses, r.probabilities,
                                    r.gradient);
    });
    add_loss("smoothed_softmax_crossentropy", [](auto& device, auto& r) {
        const kernels::SmoothedTargets<float> targets(r.targets(), 0.1, r.t.shape().last());
        softmax_crossentropy<float>(device, r.x, targets, r.scale(), r.losses, r.probabilities,
                                    r.gradient);
    });
    add_loss("sparse_categorical_crossentropy", [](auto& device, auto& r) {
        sparse_categorical_crossentropy<float>(device, r.p, r.labels, r.scale(), r.losses,
                                               r.gradient);
    });
    add_loss("categorical_crossentropy", [](auto& device, auto& r) {
        categorical_crossentropy<float>(device, r.p, r.targets(), r.scale(), r.losses, r.gradient);
    });
}

[[maybe_unused]] const bool registered = [] {
    add_losses({32, 10});
    add_losses({500, 1000});
    add_losses({1000, 1});
    return true;
}();

}  // namespace
