// Convolution and its two gradients, by weft and by oneDNN, over NHWC images and HWIO filters: the
// layers of the tutorials' networks at batch 32, and some of ResNet's.
#include "weft/kernels/cpu/convolution.hpp"

#include "bench/support/contenders.hpp"
#include "bench/support/measure.hpp"
#include "bench/support/random_tensor.hpp"

#include <string_view>

namespace {

using namespace weft;
using namespace weft::bench;

/// A square convolution over square images.
struct ConvolutionLayer {
    std::string_view name;
    Index images, side, channels, filters, window;
    Padding padding = same;
    Index stride = 1;
    bool is_first = false;  ///< of its network: nobody needs the gradient of its input

    kernels::Convolution convolution() const {
        const auto axis = kernels::window_axis(side, window, stride, 1, padding);
        return {{axis, axis, channels}, filters, 1};
    }
};

/// Y = X * W;  with Y for the gradient of the output, the gradients of X and W.
struct Problem {
    explicit Problem(const ConvolutionLayer& layer)
        : images(layer.images), c(layer.convolution()) {}

    Work work() const {
        const auto products = static_cast<double>(y.size() * c.depth());
        return {.flop = 2 * products,
                .bytes = 4 * static_cast<double>(x.size() + w.size() + y.size())};
    }

    Index images;
    kernels::Convolution c;
    Tensor<float> x =
        random_tensor({images, c.window.rows.input, c.window.columns.input, c.window.channels}, 0);
    Tensor<float> w = random_tensor(
        {c.window.rows.window, c.window.columns.window, c.window.channels, c.filters}, 1);
    Tensor<float> y =
        random_tensor({images, c.window.rows.output, c.window.columns.output, c.filters}, 2);
};

void convolve_weft(Cpu& cpu, Problem& p, ConvolutionPass pass) {
    switch (pass) {
        case ConvolutionPass::forward:
            return convolution_forward<float>(cpu, p.c, p.x, p.w, {}, Activation::linear, p.y);
        case ConvolutionPass::input_gradient:
            return convolution_input_gradient<float>(cpu, p.c, p.y, p.w, p.x);
        case ConvolutionPass::filter_gradient:
            return convolution_filter_gradient<float>(cpu, p.c, p.x, p.y, p.w, {});
    }
}

/// Calls product(x, w, y) with the places of the factors and sums of every product whose sum is, in
/// that pass, the result at (a, b, c, d).
template <class Multiply>
void for_each_product(const Problem& p, ConvolutionPass pass, Index a, Index b, Index c, Index d,
                      const Multiply& product) {
    const kernels::WindowAxis &rows = p.c.window.rows, &columns = p.c.window.columns;
    const Index channels = p.c.window.channels, filters = p.c.filters;
    const auto call = [&](Index n, Index o, Index q, Index i, Index j, Index channel, Index f) {
        const Index row = o * rows.stride + i - rows.before;
        const Index column = q * columns.stride + j - columns.before;
        if (row < 0 || row >= rows.input || column < 0 || column >= columns.input) return;
        product(p.x[((n * rows.input + row) * columns.input + column) * channels + channel],
                p.w[((i * columns.window + j) * channels + channel) * filters + f],
                p.y[((n * rows.output + o) * columns.output + q) * filters + f]);
    };
    switch (pass) {
        case ConvolutionPass::forward:
            for (Index i = 0; i < rows.window; ++i) {
                for (Index j = 0; j < columns.window; ++j) {
                    for (Index channel = 0; channel < channels; ++channel) {
                        call(a, b, c, i, j, channel, d);
                    }
                }
            }
            return;
        case ConvolutionPass::input_gradient:
            for (Index i = 0; i < rows.window; ++i) {
                for (Index j = 0; j < columns.window; ++j) {
                    const Index o = b + rows.before - i, q = c + columns.before - j;
                    if (o < 0 || o % rows.stride != 0 || o / rows.stride >= rows.output) continue;
                    if (q < 0 || q % columns.stride != 0) continue;
                    if (q / columns.stride >= columns.output) continue;
                    for (Index f = 0; f < filters; ++f) {
                        call(a, o / rows.stride, q / columns.stride, i, j, d, f);
                    }
                }
            }
            return;
        case ConvolutionPass::filter_gradient:
            for (Index n = 0; n < p.images; ++n) {
                for (Index o = 0; o < rows.output; ++o) {
                    for (Index q = 0; q < columns.output; ++q) call(n, o, q, a, b, c, d);
                }
            }
            return;
    }
}

/// Whether elements of the result, the first and the last among them, are the sums that define
/// them. Rounding leaves a few units in the last place a term; a wrong or missing term is of the
/// order of one.
bool is_right(const Problem& p, ConvolutionPass pass) {
    constexpr Index samples = 32;
    const Tensor<float>& result = pass == ConvolutionPass::forward          ? p.y
                                  : pass == ConvolutionPass::input_gradient ? p.x
                                                                            : p.w;
    const Shape& shape = result.shape();
    for (Index s = 0; s < samples; ++s) {
        const Index place = s * (result.size() - 1) / (samples - 1);
        Index rest = place;
        const auto next = [&](Index axis) {
            const Index extent = shape[axis];
            const Index i = rest % extent;
            rest /= extent;
            return i;
        };
        const Index d = next(3), c = next(2), b = next(1), a = next(0);
        double sum = 0;
        Index terms = 16;
        for_each_product(p, pass, a, b, c, d, [&](double x, double w, double y) {
            sum += pass == ConvolutionPass::forward          ? x * w
                   : pass == ConvolutionPass::input_gradient ? y * w
                                                             : x * y;
            ++terms;
        });
        const double gap = sum - static_cast<double>(result[place]);
        if (!(std::abs(gap) < 5e-7 * static_cast<double>(terms))) return false;
    }
    return true;
}

void add_contenders(const std::string& name, const ConvolutionLayer& layer, ConvolutionPass pass) {
    const auto check_and_measure = [=](benchmark::State& state, Problem& problem,
                                       const auto& convolve) {
        convolve();
        if (!is_right(problem, pass)) return state.SkipWithError("the result is wrong");
        measure(state, problem.work(), convolve);
    };
    add(name + "/weft", [=](benchmark::State& state) {
        Problem problem(layer);
        Cpu cpu;
        check_and_measure(state, problem, [&] { convolve_weft(cpu, problem, pass); });
    });
    if constexpr (has_onednn) {
        for (const auto layout : {OneDnnLayout::any, OneDnnLayout::nhwc}) {
            const bool any = layout == OneDnnLayout::any;
            add(name + (any ? "/onednn" : "/onednn-nhwc"), [=](benchmark::State& state) {
                Problem p(layer);
                check_and_measure(state, p,
                                  onednn_convolution(p.c, p.images, pass, layout, p.x.data(),
                                                     p.w.data(), p.y.data()));
            });
        }
    }
}

[[maybe_unused]] const bool registered = [] {
    for (const ConvolutionLayer& layer : {
             ConvolutionLayer{"cnn-1", 32, 28, 1, 32, 3, same, 1, true},
             ConvolutionLayer{"cnn-deep-1", 32, 28, 1, 64, 2, same, 1, true},
             ConvolutionLayer{"cnn-deep-2", 32, 14, 64, 64, 2},
             ConvolutionLayer{"cnn-deep-3", 32, 7, 64, 128, 2},
             ConvolutionLayer{"cnn-deep-4", 32, 3, 128, 128, 2},
             ConvolutionLayer{"cnn-bn-2", 32, 28, 32, 32, 3},
             ConvolutionLayer{"cnn-bn-3", 32, 14, 32, 64, 3, valid},
             ConvolutionLayer{"cnn-bn-4", 32, 12, 64, 64, 3, valid},
             ConvolutionLayer{"cnn-augmented-4", 32, 14, 64, 64, 3},
             ConvolutionLayer{"cnn-augmented-6", 32, 7, 128, 128, 3},
             ConvolutionLayer{"cnn-wide-1", 32, 28, 1, 64, 3, same, 1, true},
             ConvolutionLayer{"cnn-wide-2", 32, 28, 64, 64, 3},
             ConvolutionLayer{"cnn-wide-3", 32, 14, 64, 128, 3},
             ConvolutionLayer{"cnn-wide-4", 32, 14, 128, 256, 3, valid},
             ConvolutionLayer{"resnet-7x7", 2, 224, 3, 64, 7, same, 2, true},
             ConvolutionLayer{"resnet-56", 4, 56, 64, 64, 3},
             ConvolutionLayer{"resnet-28", 4, 28, 128, 128, 3},
             ConvolutionLayer{"resnet-28-stride-2", 4, 28, 128, 256, 3, same, 2},
             ConvolutionLayer{"resnet-14", 4, 14, 256, 256, 3},
             ConvolutionLayer{"resnet-56-1x1", 4, 56, 64, 256, 1},
             ConvolutionLayer{"resnet-14-1x1", 4, 14, 1024, 256, 1},
         }) {
        const std::string shape = concat(layer.name, ":", layer.side, "x", layer.channels, "-",
                                         layer.window, "x", layer.filters);
        add_contenders("convolution/forward/" + shape, layer, ConvolutionPass::forward);
        add_contenders("convolution/filter_gradient/" + shape, layer,
                       ConvolutionPass::filter_gradient);
        if (layer.is_first) continue;
        add_contenders("convolution/input_gradient/" + shape, layer,
                       ConvolutionPass::input_gradient);
    }
    return true;
}();

}  // namespace
