// Convolution and its two gradients, by weft and by oneDNN, over NHWC images and HWIO filters: the
// layers of the tutorials' networks at batch 32, and some of ResNet's.
#include "weft/kernels/cpu/convolution.hpp"

#include "bench/support/checked.hpp"
#include "bench/support/contenders.hpp"
#include "bench/support/random_tensor.hpp"
#include "tests/support/reference/convolution.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

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

/// The first and the last entry along an axis.
Tensor<float, Reference> ends(const Tensor<float, Reference>& x, Index axis) {
    const Shape& shape = x.shape();
    Index row = 1;
    for (Index i = axis + 1; i < shape.rank(); ++i) row *= shape[i];
    std::vector<Index> extents(shape.begin(), shape.end());
    extents[static_cast<std::size_t>(axis)] = 2;
    Tensor<float, Reference> y((Shape(extents)));
    for (Index i = 0; i < y.size() / row; ++i) {
        const Index block = i / 2 * shape[axis] + i % 2 * (shape[axis] - 1);
        std::copy_n(x.data() + block * row, row, y.data() + i * row);
    }
    return y;
}

/// Compares a slice of the result with the definition: of axes that are not summed over but those of
/// the image, the first and the last entry.
Verdict check(const Problem& p, ConvolutionPass pass) {
    auto x = as_reference<float>(p.x), w = as_reference<float>(p.w), y = as_reference<float>(p.y);
    kernels::Convolution c = p.c;
    const bool is_forward = pass == ConvolutionPass::forward;
    const bool is_of_filters = pass == ConvolutionPass::filter_gradient;
    if (!is_of_filters) {
        x = ends(x, 0);
        y = ends(y, 0);
    }
    if (!is_forward) {
        c.window.channels = 2;
        x = ends(x, 3);
        w = ends(w, 2);
    }
    if (pass != ConvolutionPass::input_gradient) {
        c.filters = 2;
        w = ends(w, 3);
        y = ends(y, 3);
    }
    const Tensor<float, Reference>& result = is_forward ? y : is_of_filters ? w : x;
    Tensor<float, Reference> expected(result.shape());
    Reference reference;
    if (is_forward) {
        convolution_forward<float>(reference, c, x, w, {}, linear, expected);
    } else if (is_of_filters) {
        convolution_filter_gradient<float>(reference, c, x, y, expected, {});
    } else {
        convolution_input_gradient<float>(reference, c, y, w, expected);
    }
    return same_results(std::tie(result), std::tie(expected));
}

void add_contenders(const std::string& name, const ConvolutionLayer& layer, ConvolutionPass pass) {
    // start(cpu, problem) returns what is to be run.
    const auto add_contender = [&](const char* contender, const auto& start) {
        add(name + contender, [=, is_checked = false](benchmark::State& state) mutable {
            Problem problem(layer);
            Cpu cpu;
            check_and_measure(state, is_checked, problem.work(), start(cpu, problem),
                              [&] { return check(problem, pass); });
        });
    };
    add_contender("/weft", [=](Cpu& cpu, Problem& problem) {
        return [&cpu, &problem, pass] { convolve_weft(cpu, problem, pass); };
    });
    if constexpr (has_onednn) {
        for (const auto layout : {OneDnnLayout::any, OneDnnLayout::nhwc}) {
            add_contender(layout == OneDnnLayout::any ? "/onednn" : "/onednn-nhwc",
                          [=](Cpu&, Problem& p) {
                              return onednn_convolution(p.c, p.images, pass, layout, p.x.data(),
                                                        p.w.data(), p.y.data());
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
