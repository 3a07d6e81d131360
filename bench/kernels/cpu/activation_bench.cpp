// Activations, forward and backward, by weft and as expressions in plain Eigen (on one thread),
// over the outputs of cnn's convolution at batch 32.
#include "weft/kernels/cpu/activation.hpp"

#include "bench/support/measure.hpp"
#include "bench/support/nearly_equal.hpp"
#include "bench/support/random_tensor.hpp"

namespace {

using namespace weft;
using namespace weft::bench;

struct Arrays {
    explicit Arrays(const Shape& shape)
        : x(random_tensor(shape, 0)), dy(random_tensor(shape, 1)), y(shape), dx(shape) {}

    /// Reads or writes so many arrays.
    Work work(int arrays) const { return {.bytes = 4.0 * arrays * static_cast<double>(x.size())}; }

    Tensor<float> x, dy, y, dx;
};

/// forward(x, y) and backward(x, y, dy, dx) over matrices.
template <class Forward, class Backward>
void add_activation(const std::string& name, Activation activation, const Shape& shape,
                    const Forward& forward, const Backward& backward) {
    const auto weft_forward = [=](Cpu& cpu, Arrays& a) {
        activation_forward<float>(cpu, activation, a.x, a.y);
    };
    const auto weft_backward = [=](Cpu& cpu, Arrays& a) {
        if (needs_input(activation)) {
            activation_backward_from_input<float>(cpu, activation, a.x, a.dy, a.dx);
        } else {
            activation_backward<float>(cpu, activation, a.y, a.dy, a.dx);
        }
    };
    add("activation/forward/" + name + "/weft", [=](benchmark::State& state) {
        Cpu cpu;
        Arrays a(shape);
        measure(state, a.work(2), [&] { weft_forward(cpu, a); });
    });
    add("activation/forward/" + name + "/eigen", [=](benchmark::State& state) {
        Cpu cpu;
        Arrays a(shape), expected(shape);
        weft_forward(cpu, expected);
        forward(as_matrix(std::as_const(a.x)), as_matrix(a.y));
        if (!nearly_equal(a.y, expected.y, 1e-5f)) return state.SkipWithError("differs from weft");
        measure(state, a.work(2), [&] { forward(as_matrix(std::as_const(a.x)), as_matrix(a.y)); });
    });
    add("activation/backward/" + name + "/weft", [=](benchmark::State& state) {
        Cpu cpu;
        Arrays a(shape);
        weft_forward(cpu, a);
        measure(state, a.work(3), [&] { weft_backward(cpu, a); });
    });
    add("activation/backward/" + name + "/eigen", [=](benchmark::State& state) {
        Cpu cpu;
        Arrays a(shape), expected(shape);
        weft_forward(cpu, expected);
        weft_backward(cpu, expected);
        weft_forward(cpu, a);
        const auto run = [&] {
            backward(as_matrix(std::as_const(a.x)), as_matrix(std::as_const(a.y)),
                     as_matrix(std::as_const(a.dy)), as_matrix(a.dx));
        };
        run();
        if (!nearly_equal(a.dx, expected.dx, 1e-5f))
            return state.SkipWithError("differs from weft");
        measure(state, a.work(3), run);
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
