#include "bench/support/contenders.hpp"

#include <dnnl.hpp>

#include <stdexcept>
#include <unordered_map>
#include <utility>
#include <vector>

namespace weft::bench {

void gemm_onednn(const Gemm& gemm) {
    const auto status =
        dnnl_sgemm(gemm.a.transposed ? 'T' : 'N', gemm.b.transposed ? 'T' : 'N', gemm.rows,
                   gemm.columns, gemm.depth, 1.0f, gemm.a.data, gemm.a.row_stride, gemm.b.data,
                   gemm.b.row_stride, 0.0f, gemm.c, gemm.columns);
    if (status != dnnl_success) throw std::runtime_error("dnnl_sgemm failed");
}

std::string onednn_version() {
    const dnnl_version_t& version = *dnnl_version();
    return concat(version.major, ".", version.minor, ".", version.patch);
}

namespace {

using dnnl::memory;
using Tag = memory::format_tag;
using Arguments = std::unordered_map<int, memory>;

/// Primitives run in order, each over its own memory.
class Program {
public:
    const dnnl::engine& engine() const { return engine_; }

    void run() {
        for (const auto& [primitive, arguments] : steps_) primitive.execute(stream_, arguments);
        stream_.wait();
    }

    void add(dnnl::primitive primitive, Arguments arguments) {
        steps_.emplace_back(std::move(primitive), std::move(arguments));
    }

    /// `from` in that layout: itself if it has it, else a copy that a step of the program makes.
    memory converted(const memory& from, const memory::desc& layout) {
        if (from.get_desc() == layout) return from;
        const memory to(layout, engine_);
        convert(from, to);
        return to;
    }

    void convert(const memory& from, const memory& to) {
        add(dnnl::reorder(from, to), {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}});
    }

    /// Adds a primitive that writes `result`, in whatever layout it likes.
    void add(dnnl::primitive primitive, Arguments arguments, int result_argument,
             const memory::desc& layout, const memory& result) {
        const bool direct = result.get_desc() == layout;
        const memory written = direct ? result : memory(layout, engine_);
        arguments.emplace(result_argument, written);
        add(std::move(primitive), std::move(arguments));
        if (!direct) convert(written, result);
    }

private:
    dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
    dnnl::stream stream_{engine_};
    std::vector<std::pair<dnnl::primitive, Arguments>> steps_;
};

memory::dims zeros_after(const kernels::Window2D& window) {
    const auto after = [](const kernels::WindowAxis& axis) {
        return std::max<Index>(
            0, (axis.output - 1) * axis.stride + axis.extent() - axis.input - axis.before);
    };
    return {after(window.rows), after(window.columns)};
}

}  // namespace

std::function<void()> onednn_convolution(const kernels::Convolution& c, Index images,
                                         ConvolutionPass pass, OneDnnLayout layout, float* x,
                                         float* w, float* y) {
    const auto program = std::make_shared<Program>();
    const dnnl::engine& engine = program->engine();
    const auto [rows, columns, channels] = c.window;
    const memory::dims x_dims{images, channels, rows.input, columns.input},
        w_dims{c.filters, channels, rows.window, columns.window},
        y_dims{images, c.filters, rows.output, columns.output},
        strides{rows.stride, columns.stride}, dilates{rows.dilation - 1, columns.dilation - 1},
        before{rows.before, columns.before}, after = zeros_after(c.window);
    const auto floats = [](const memory::dims& dims, Tag tag) {
        return memory::desc(dims, memory::data_type::f32, tag);
    };
    const memory user_x(floats(x_dims, Tag::nhwc), engine, x),
        user_w(floats(w_dims, Tag::hwio), engine, w), user_y(floats(y_dims, Tag::nhwc), engine, y);
    const Tag image_tag = layout == OneDnnLayout::any ? Tag::any : Tag::nhwc;
    const auto any_x = floats(x_dims, image_tag), any_w = floats(w_dims, Tag::any),
               any_y = floats(y_dims, image_tag);
    constexpr auto direct = dnnl::algorithm::convolution_direct;

    using Forward = dnnl::convolution_forward;
    const Forward::primitive_desc forward({dnnl::prop_kind::forward_training, direct, any_x, any_w,
                                           any_y, strides, dilates, before, after},
                                          engine);
    switch (pass) {
        case ConvolutionPass::forward: {
            const auto src = program->converted(user_x, forward.src_desc());
            const auto weights = program->converted(user_w, forward.weights_desc());
            program->add(Forward(forward), {{DNNL_ARG_SRC, src}, {DNNL_ARG_WEIGHTS, weights}},
                         DNNL_ARG_DST, forward.dst_desc(), user_y);
            break;
        }
        case ConvolutionPass::input_gradient: {
            using Backward = dnnl::convolution_backward_data;
            const Backward::primitive_desc backward(
                {direct, any_x, any_w, any_y, strides, dilates, before, after}, engine, forward);
            const auto dy = program->converted(user_y, backward.diff_dst_desc());
            const auto weights = program->converted(user_w, backward.weights_desc());
            program->add(Backward(backward), {{DNNL_ARG_DIFF_DST, dy}, {DNNL_ARG_WEIGHTS, weights}},
                         DNNL_ARG_DIFF_SRC, backward.diff_src_desc(), user_x);
            break;
        }
        case ConvolutionPass::filter_gradient: {
            using Backward = dnnl::convolution_backward_weights;
            const Backward::primitive_desc backward(
                {direct, any_x, any_w, any_y, strides, dilates, before, after}, engine, forward);
            const auto src = program->converted(user_x, backward.src_desc());
            const auto dy = program->converted(user_y, backward.diff_dst_desc());
            program->add(Backward(backward), {{DNNL_ARG_SRC, src}, {DNNL_ARG_DIFF_DST, dy}},
                         DNNL_ARG_DIFF_WEIGHTS, backward.diff_weights_desc(), user_w);
            break;
        }
    }
    return [program] { program->run(); };
}

}  // namespace weft::bench
