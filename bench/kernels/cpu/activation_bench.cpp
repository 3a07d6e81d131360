// Activations, forward and backward, by weft and as expressions in plain Eigen (on one thread),
// over the outputs of cnn's convolution at batch 32.
#include "weft/kernels/cpu/activation.hpp"

#include "bench/support/checked.hpp"
#include "bench/support/random_tensor.hpp"
#include "tests/support/reference/activation.hpp"
#include "weft/core/eigen.hpp"

namespace {

using namespace weft;
using namespace weft::bench;

template <class Device>
struct Arrays {
    explicit Arrays(const Shape& shape)
        : x(random_tensor<Device>(shape, 0)),
          dy(random_tensor<Device>(shape, 1)),
          y(shape),
          dx(shape) {}

    Tensor<float, Device> x, dy, y, dx;
};

/// forward(x, y) and backward(x, y, dy, dx) over matrices.
template <class Forward, class Backward>
void add_activation(const std::string& name, Activation activation, const Shape& shape,
                    const Forward& forward, const Backward& backward) {
    /// That reads or writes so many arrays.
    const auto work = [&](int arrays) -> Work {
        return {.bytes = 4.0 * arrays * static_cast<double>(shape.size())};
    };
    const auto weft_forward = [=](auto& device, auto& a) {
        activation_forward<float>(device, activation, a.x, a.y);
    };
    const auto weft_backward = [=](auto& device, auto& a) {
        if (needs_input(activation)) {
            activation_backward_from_input<float>(device, activation, a.x, a.dy, a.dx);
        } else {
            activation_backward<float>(device, activation, a.y, a.dy, a.dx);
        }
    };
    const Task forward_task{work(2), [=]<class Device>(Device&) { return Arrays<Device>(shape); },
                            weft_forward, [](const auto& a) { return std::tie(a.y); }};
    add_weft("activation/forward/" + name, forward_task);
    add_contender("activation/forward/" + name + "/eigen", forward_task, [=](Cpu&, auto& a) {
        return [&a, forward] { forward(as_matrix(std::as_const(a.x)), as_matrix(a.y)); };
    });
    const Task backward_task{work(3),
                             [=]<class Device>(Device& device) {
                                 Arrays<Device> a(shape);
                                 weft_forward(device, a);
                                 return a;
                             },
                             weft_backward, [](const auto& a) { return std::tie(a.dx); }};
    add_weft("activation/backward/" + name, backward_task);
    add_contender("activation/backward/" + name + "/eigen", backward_task, [=](Cpu&, auto& a) {
        return [&a, backward] {
            backward(as_matrix(std::as_const(a.x)), as_matrix(std::as_const(a.y)),
                     as_matrix(std::as_const(a.dy)), as_matrix(a.dx));
        };
    });
}

[[maybe_unused]] const bool registered = [] {
    const Shape images{32 * 28 * 28, 32};
    add_activation(
        "relu", Activation::relu, images, [](const auto& x, auto y) { y = x.cwiseMax(0.0f); },
        [](const auto&, const auto& y, const auto& dy, auto dx) {
            dx = (y.array() > 0).select(dy, 0.0f);
        });
    add_activation(
        "sigmoid", Activation::sigmoid, images,
        [](const auto& x, auto y) { y = 1 / (1 + (-x.array()).exp()); },
        [](const auto&, const auto& y, const auto& dy, auto dx) {
            dx = dy.array() * y.array() * (1 - y.array());
        });
    add_activation(
        "tanh", Activation::tanh, images, [](const auto& x, auto y) { y = x.array().tanh(); },
        [](const auto&, const auto& y, const auto& dy, auto dx) {
            dx = dy.array() * (1 - y.array().square());
        });
    add_activation(
        "silu", Activation::silu, images,
        [](const auto& x, auto y) { y = x.array() / (1 + (-x.array()).exp()); },
        [](const auto& x, const auto&, const auto& dy, auto dx) {
            const auto s = 1 / (1 + (-x.array()).exp());
            dx = dy.array() * s * (1 + x.array() * (1 - s));
        });
    const auto add_softmax = [](const std::string& name, const Shape& shape) {
        add_activation(
            name, Activation::softmax, shape,
            [](const auto& x, auto y) {
                y = (x.colwise() - x.rowwise().maxCoeff()).array().exp().matrix();
                y.array().colwise() /= y.rowwise().sum().eval().array();
            },
            [](const auto&, const auto& y, const auto& dy, auto dx) {
                const Eigen::VectorXf projection = y.cwiseProduct(dy).rowwise().sum();
                dx = y.array() * (dy.array().colwise() - projection.array());
            });
    };
    add_softmax("softmax-32x10", {32, 10});
    add_softmax("softmax-4096x1000", {4096, 1000});
    return true;
}();

}  // namespace
