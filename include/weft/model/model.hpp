/// \file
/// Model: layers with their parameters, as a function of a batch.
#pragma once

#include "weft/core/eigen.hpp"
#include "weft/model/detail/on_device.hpp"
#include "weft/model/detail/pass_run.hpp"
#include "weft/model/detail/predict_batches.hpp"
#include "weft/model/detail/summarize.hpp"
#include "weft/model/graph.hpp"

namespace weft {

/// A graph of layers and, once built, its parameters. What trains, saves and reports a model takes
/// this; Sequential makes one.
///
/// build() fixes the input shape, infers every other, and gives the parameters their first values.
/// A copy is deep. What is moved from has no layers.
///
/// predict is const and may be called by any number of threads at once.
template <class Scalar = float, class Device = Cpu>
class Model {
public:
    using Declaration = LayerDeclaration<Scalar, Device>;
    using View = TensorView<Scalar, Device>;
    using ConstView = TensorView<const Scalar, Device>;

    Model() = default;
    WEFT_COLD Model(const Model&) = default;
    WEFT_COLD Model(Model&&) = default;
    /// Where there is not the memory for a copy, the model stays as it was.
    WEFT_COLD Model& operator=(const Model& other) {
        return this == &other ? *this : *this = Model(other);
    }
    WEFT_COLD Model& operator=(Model&&) = default;
    WEFT_COLD ~Model() = default;

    /// Built from the graph of values between an input and an output.
    template <template <class, class> class Value>
    Model(const Value<Scalar, Device>& input, const Value<Scalar, Device>& output)
        : graph_(Value<Scalar, Device>::graph(input, output)) {
        build_if_declared();
    }

    /// Of that graph; built if it declares its input.
    WEFT_COLD explicit Model(Graph<Scalar, Device> graph) : graph_(std::move(graph)) {
        build_if_declared();
    }

    /// Fixes the shape of one sample (without N), infers all others and initialises the parameters
    /// from the seed. Building again starts afresh. Throws ShapeError or ArgumentError that names
    /// the layer; the model then stays as it was.
    WEFT_COLD void build(const Shape& input_shape, std::uint64_t seed = 0) {
        auto built = std::make_shared<const BuiltGraph<Scalar, Device>>(graph_, input_shape);
        parameters_ = Parameters<Scalar, Device>(built->list, seed, device_);
        built_ = std::move(built);
        marks_.begin_build();
        pool_.clear();
    }

    bool is_built() const { return built_ != nullptr; }

    /// Whether the model is still there and has the parameters it had: for ModelReference.
    const ModelMarks& marks() const { return marks_; }

    /// The shape of one sample, without N.
    const Shape& input_shape() const { return built().input_shape(); }
    const Shape& output_shape() const { return built().output_shape(); }

    /// f(x) for a batch x (N, input_shape...), giving (N, output_shape...), or for one sample
    /// x (input_shape...), giving (output_shape...). A sample's result has the same bits alone and
    /// in any batch, for finite parameters. Throws ShapeError when x is neither.
    Tensor<Scalar, Device> predict(ConstView x) const {
        Tensor<Scalar, Device> y(
            is_one_sample(x.shape()) ? output_shape() : output_shape().batch(x.shape()[0]),
            device_);
        predict(x, y);
        return y;
    }

    /// The same for what as_view takes: a row-major Eigen matrix (N, features), or a vector
    /// (features). On another device than the CPU from and to memory of the host's, tensors too.
    template <NoViewAs<ConstView> X>
    Tensor<Scalar> predict(const X& x) const {
        return detail::predict_on_host(*this, as_view_of<Scalar>(x));
    }

    /// The same into memory of the caller's, which must not overlap x. Repeated, it allocates
    /// nothing.
    WEFT_COLD void predict(ConstView x, View y) const {
        const bool one = is_one_sample(x.shape());
        const Index samples = one ? 1 : x.shape()[0];
        const Shape expected = one ? output_shape() : output_shape().batch(samples);
        detail::require_shape("the output has", y.shape(), expected);
        if (samples == 0) return;
        detail::predict_batches<Scalar, Device>(*this, pool_,
                                                x.reshape(input_shape().batch(samples)),
                                                y.reshape(output_shape().batch(samples)));
    }

    /// Runs the layers over the batch x (N, input_shape...), N up to the workspace's capacity. The
    /// result (N, output_shape...) lies in the workspace until the next pass: logits, if its plan
    /// gives them.
    WEFT_NOINLINE View forward(Workspace<Scalar, Device>& workspace, ConstView x,
                               const PassOptions& options = {}) const {
        if (options.training) {
            throw ArgumentError("sequential: a pass in training, of a model that is const");
        }
        return run_forward(workspace, x, options, nullptr);
    }

    /// The same, also in training, where layers may update parameters that are not trainable.
    WEFT_NOINLINE View forward(Workspace<Scalar, Device>& workspace, ConstView x,
                               const PassOptions& options) {
        return run_forward(workspace, x, options, mutable_state(options));
    }

    /// Where dL/d(output) of a batch of n belongs before backward: (n, output_shape...).
    View output_gradient(Workspace<Scalar, Device>& workspace, Index n) const {
        return workspace.gradient(workspace.plan().output(), n);
    }

    /// After a training forward over x with the same options, and with dL/d(output) in
    /// output_gradient(): the gradient of every trainable parameter into `gradients`, laid out as
    /// trainable_parameters(). No gradient of x is computed. The outputs of layers are no longer
    /// there then.
    WEFT_COLD void backward(Workspace<Scalar, Device>& workspace, ConstView x,
                            const PassOptions& options, View gradients) {
        workspace.require_pass(marks_.build(), input_shape(), x.shape(), true);
        const Shape expected{parameters_.trainable_size()};
        if (gradients.size() < expected[0])
            detail::require_shape("gradients have", gradients.shape(), expected);
        run_pass(workspace.device(), 2 * work(x.shape()[0]),
                 [&] { pass(workspace, x, options, mutable_state(options)).backward(gradients); });
    }

    /// About the multiplications of a forward pass over n samples, and the numbers it computes,
    /// which is the work of layers without parameters.
    double work(Index n) const { return static_cast<double>(n) * built_->work; }

    /// The output of node i of the graph, layer i of a chain, in the forward pass over x just run
    /// in the workspace. Of a training workspace any layer; of an inference workspace the last.
    /// That of a layer behind which a relu of its own is fused is the relu's.
    WEFT_COLD ConstView output(Workspace<Scalar, Device>& workspace, ConstView x,
                               std::size_t i) const {
        return pass(workspace, x, {}, nullptr).read(workspace.plan().of_node(i));
    }

    /// A workspace for batches of up to `capacity` samples. With takes_logits, the passes in it
    /// leave out the last_activation().
    WEFT_COLD Workspace<Scalar, Device> make_workspace(Index capacity, PassKind kind,
                                                       bool takes_logits = false) const {
        const bool is_usual = kind == PassKind::inference && !takes_logits;
        return {is_usual ? built().plan : built().make_plan(kind, takes_logits),
                built().layers,
                built().names,
                parameters_.trainable_size(),
                marks_.build(),
                device_,
                capacity};
    }

    /// The activation at the end, in place of whose output a loss may take its input. linear where
    /// there is none, or something else sees the output.
    Activation last_activation() const { return built().plan->last_activation(); }

    /// Which layers there are, and what each is applied to.
    const Graph<Scalar, Device>& graph() const { return graph_; }

    std::size_t layer_count() const { return graph_.layers.size(); }
    const std::vector<Declaration>& declarations() const { return graph_.layers; }
    const Layer<Scalar, Device>& layer(std::size_t i) const { return *built().layers.at(i); }
    const std::string& layer_name(std::size_t i) const { return built().names.at(i); }

    /// Names and shapes of all parameters, in Keras's order of weights.
    const std::vector<ParameterInfo>& parameters() const { return built().list.parameters(); }

    /// Those of layer i alone.
    std::span<const ParameterInfo> layer_parameters(std::size_t i) const {
        return built().layer_parameters(i);
    }

    /// A parameter by name, such as "dense_1/kernel". Throws ArgumentError when there is none.
    View parameter(std::string_view name) { return view(find(name)); }
    ConstView parameter(std::string_view name) const { return view(find(name)); }

    /// A parameter by its place in the arena.
    View view(const ParameterSlot& slot) { return parameters_.view(slot); }
    ConstView view(const ParameterSlot& slot) const { return parameters_.view(slot); }

    /// All trainable parameters as one vector, with the zeros between them.
    View trainable_parameters() {
        built();
        return parameters_.trainable();
    }

    /// All parameters: the trainable ones, then the others.
    View arena() { return parameters_.arena(); }
    ConstView arena() const { return parameters_.arena(); }

    /// How many numbers the model has to learn, and how many in all.
    Index trainable_parameter_count() const { return detail::count_numbers(parameters(), true); }
    Index parameter_count() const {
        return trainable_parameter_count() + detail::count_numbers(parameters(), false);
    }

    /// A table of the layers as Keras prints it: name, type, output shape and parameters of each,
    /// what it reads where the model is no chain, then the totals.
    WEFT_COLD std::string summary() const { return detail::summarize(graph_, built()); }

    /// The steps of a pass, a line each: what reads and writes which value, and what is fused.
    WEFT_COLD std::string plan_text(PassKind kind) const {
        return built().make_plan(kind, false)->to_string(built().nodes);
    }

    const Device& device() const { return device_; }

    /// Runs later passes on that device, for the CPU with that many threads.
    WEFT_COLD void set_device(const Device& device) {
        parameters_.move(device_, device);
        device_ = device;
        pool_.clear();
    }

protected:
    WEFT_COLD explicit Model(std::vector<Declaration> declarations) {
        for (Declaration& declaration : declarations) graph_.append(std::move(declaration));
    }

    WEFT_COLD void append(Declaration declaration) {
        require_unbuilt();
        graph_.append(std::move(declaration));
    }

    WEFT_COLD void declare_input(const Shape& shape) {
        require_unbuilt();
        graph_.declare_input(shape);
    }

    /// For an input that was declared.
    WEFT_COLD void build_if_declared() {
        if (graph_.input) build(*graph_.input);
    }

private:
    WEFT_COLD void require_unbuilt() const {
        if (is_built()) throw ArgumentError("sequential: add after build");
    }

    const BuiltGraph<Scalar, Device>& built() const {
        detail::require_built(is_built());
        return *built_;
    }

    const ParameterSlot& find(std::string_view name) const {
        return detail::find_parameter(parameters(), name).slot;
    }

    bool is_one_sample(const Shape& x) const {
        return detail::is_one_sample(x, input_shape(), built().names.front());
    }

    Scalar* mutable_state(const PassOptions& options) {
        return options.training ? parameters_.state() : nullptr;
    }

    detail::PassRun<Scalar, Device> pass(Workspace<Scalar, Device>& workspace, ConstView x,
                                         const PassOptions& options, Scalar* mutable_state) const {
        return {*built_, parameters_, mutable_state, workspace, x, options};
    }

    WEFT_COLD View run_forward(Workspace<Scalar, Device>& workspace, ConstView x,
                               const PassOptions& options, Scalar* mutable_state) const {
        workspace.require_pass(marks_.build(), input_shape(), x.shape(), options.training);
        auto run = pass(workspace, x, options, mutable_state);
        const std::size_t output = workspace.plan().output();
        const View y = workspace.value(output, x.shape()[0]);
        run_pass(workspace.device(), work(x.shape()[0]), [&] {
            run.forward();
            // All layers may be views of x.
            const ConstView result = run.read(output);
            if (y.data() != result.data()) copy_elements<Scalar>(workspace.device(), result, y);
        });
        return y;
    }

    Graph<Scalar, Device> graph_;
    std::shared_ptr<const BuiltGraph<Scalar, Device>> built_;
    Parameters<Scalar, Device> parameters_;
    Device device_;
    ModelMarks marks_;
    mutable WorkspacePool<Scalar, Device> pool_;
};

}  // namespace weft
