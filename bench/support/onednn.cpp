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

    void clear() { steps_.clear(); }

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

std::function<void()> onednn_pooling(const kernels::Window2D& window, Index images, bool is_max,
                                     bool forward, float* x, float* y) {
    const auto program = std::make_shared<Program>();
    const dnnl::engine& engine = program->engine();
    const auto [rows, columns, channels] = window;
    const auto floats = [](const memory::dims& dims) {
        return memory::desc(dims, memory::data_type::f32, Tag::nhwc);
    };
    const auto of_x = floats({images, channels, rows.input, columns.input}),
               of_y = floats({images, channels, rows.output, columns.output});
    const memory::dims strides{rows.stride, columns.stride}, size{rows.window, columns.window},
        before{rows.before, columns.before}, after = zeros_after(window);
    const auto algorithm =
        is_max ? dnnl::algorithm::pooling_max : dnnl::algorithm::pooling_avg_exclude_padding;
    using Forward = dnnl::pooling_forward;
    const Forward::primitive_desc forward_pool(
        {dnnl::prop_kind::forward_training, algorithm, of_x, of_y, strides, size, before, after},
        engine);
    Arguments arguments;
    if (is_max)
        arguments.emplace(DNNL_ARG_WORKSPACE, memory(forward_pool.workspace_desc(), engine));
    Arguments forward_arguments = arguments;
    forward_arguments.emplace(DNNL_ARG_SRC, memory(of_x, engine, x));
    forward_arguments.emplace(DNNL_ARG_DST,
                              forward ? memory(of_y, engine, y) : memory(of_y, engine));
    program->add(Forward(forward_pool), std::move(forward_arguments));
    if (forward) return [program] { program->run(); };

    program->run();  // leaves in the workspace where the maxima are
    program->clear();
    using Backward = dnnl::pooling_backward;
    const Backward::primitive_desc backward_pool(
        {algorithm, of_x, of_y, strides, size, before, after}, engine, forward_pool);
    arguments.emplace(DNNL_ARG_DIFF_DST, memory(of_y, engine, y));
    arguments.emplace(DNNL_ARG_DIFF_SRC, memory(of_x, engine, x));
    program->add(Backward(backward_pool), std::move(arguments));
    return [program] { program->run(); };
}

std::function<void()> onednn_batch_norm(Index rows, Index columns, float epsilon, bool forward,
                                        const BatchNormArrays& arrays) {
    const auto program = std::make_shared<Program>();
    const dnnl::engine& engine = program->engine();
    const memory::desc matrix({32, columns, rows / 32, 1}, memory::data_type::f32, Tag::nhwc);
    const memory::desc vector(memory::dims{columns}, memory::data_type::f32, Tag::x);
    const auto flags = dnnl::normalization_flags::use_scale | dnnl::normalization_flags::use_shift;
    using Forward = dnnl::batch_normalization_forward;
    const Forward::primitive_desc forward_norm(
        {dnnl::prop_kind::forward_training, matrix, epsilon, flags}, engine);
    const Arguments both{{DNNL_ARG_SRC, memory(matrix, engine, arrays.x)},
                         {DNNL_ARG_MEAN, memory(vector, engine)},
                         {DNNL_ARG_VARIANCE, memory(vector, engine)},
                         {DNNL_ARG_SCALE, memory(vector, engine, arrays.gamma)},
                         {DNNL_ARG_SHIFT, memory(vector, engine, arrays.beta)}};
    Arguments forward_arguments = both;
    forward_arguments.emplace(DNNL_ARG_DST, memory(matrix, engine, arrays.y));
    program->add(Forward(forward_norm), std::move(forward_arguments));
    if (forward) return [program] { program->run(); };

    program->run();  // leaves mean and variance
    program->clear();
    using Backward = dnnl::batch_normalization_backward;
    const Backward::primitive_desc backward_norm(
        {dnnl::prop_kind::backward, matrix, matrix, epsilon, flags}, engine, forward_norm);
    Arguments backward_arguments = both;
    backward_arguments.emplace(DNNL_ARG_DIFF_DST, memory(matrix, engine, arrays.dy));
    backward_arguments.emplace(DNNL_ARG_DIFF_SRC, memory(matrix, engine, arrays.dx));
    backward_arguments.emplace(DNNL_ARG_DIFF_SCALE, memory(vector, engine, arrays.dgamma));
    backward_arguments.emplace(DNNL_ARG_DIFF_SHIFT, memory(vector, engine, arrays.dbeta));
    program->add(Backward(backward_norm), std::move(backward_arguments));
    return [program] { program->run(); };
}

}  // namespace weft::bench
