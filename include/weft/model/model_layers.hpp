/// \file
/// ModelLayers: the graph, shapes, names and parameters of a model.
#pragma once

#include "weft/layers/input.hpp"
#include "weft/model/built_graph.hpp"
#include "weft/model/detail/plan_text.hpp"
#include "weft/model/detail/summarize.hpp"
#include "weft/model/workspace.hpp"

namespace weft {

/// The part of a Model that does not run it: its graph and, once built, shapes, names and
/// parameters.
template <class Scalar, class Device>
class ModelLayers {
public:
    using Declaration = LayerDeclaration<Scalar, Device>;
    using View = TensorView<Scalar, Device>;
    using ConstView = TensorView<const Scalar, Device>;

    /// Fixes the shape of one sample (without N), infers all others and initialises the parameters
    /// from the seed. A model used as a layer starts with the parameters it had when it was applied,
    /// whatever the seed, if it was built by then. Building again starts anew in the same way.
    /// Throws ShapeError or ArgumentError, which names the layer; the model is then unchanged.
    WEFT_COLD void build(const InputShape& input_shape, std::uint64_t seed = 0) {
        const Shape& shape = input_shape;
        build({&shape, 1}, seed);
    }

    /// The same for the shapes of all inputs.
    WEFT_COLD void build(Span<const Shape> input_shapes, std::uint64_t seed = 0) {
        if (input_shapes.size() != graph_.inputs.size() && !graph_.layers.empty()) {
            throw ArgumentError(
                detail::join({"model: build for ", static_cast<Index>(input_shapes.size()),
                              " inputs, expected ", static_cast<Index>(graph_.inputs.size())}));
        }
        std::shared_ptr<const BuiltGraph<Scalar, Device>> built(
            new BuiltGraph<Scalar, Device>(graph_, input_shapes));
        Parameters<Scalar, Device> parameters(built->list, seed, device_);
        if (graph_.form) graph_.form->start_models(*built, parameters, device_, 0);
        parameters_ = std::move(parameters);
        built_ = std::move(built);
        marks_.begin_build();
        pool_.clear();
    }

    bool is_built() const { return built_ != nullptr; }

    /// For ModelReference: whether the model still exists and has the same parameters.
    const ModelMarks& marks() const { return marks_; }

    /// The name as a layer of another model, and in summaries and files. Throws ArgumentError for a
    /// name with a /.
    std::string name() const { return detail::model_name(graph_).first; }
    WEFT_COLD void set_name(std::string name) {
        detail::require_no_slash(name);
        graph_.name = std::move(name);
    }

    /// The shape of one sample, without N. Throws ArgumentError when there are several inputs.
    const Shape& input_shape() const { return detail::only(built().input_shapes, "inputs"); }
    const Shape& output_shape() const { return detail::only(built().output_shapes, "outputs"); }

    /// The shapes of all inputs and outputs.
    const std::vector<Shape>& input_shapes() const { return built().input_shapes; }
    const std::vector<Shape>& output_shapes() const { return built().output_shapes; }

    /// The shape of one sample of a value of the graph.
    const Shape& shape_of(std::size_t value) const { return built().shape_of(value); }

    /// The names of inputs and outputs: an input's as declared, else input_layer; an output's is
    /// that of the layer that computes it. A model without layers has no output.
    WEFT_COLD std::vector<std::string> input_names() const {
        if (graph_.form) return graph_.form->input_names(graph_);
        return {"input_layer"};
    }
    WEFT_COLD std::vector<std::string> output_names() const {
        if (graph_.form) return graph_.form->output_names(graph_);
        if (graph_.layers.empty()) return {};
        return {detail::layer_names(graph_).back()};
    }

    /// An estimate of the work of a forward pass over n samples: multiplications by parameters,
    /// plus numbers computed.
    double work(Index n) const { return static_cast<double>(n) * built_->work; }

    /// The layers, and the values that each is applied to.
    const Graph<Scalar, Device>& graph() const { return graph_; }

    std::size_t layer_count() const { return graph_.layers.size(); }
    const std::vector<Declaration>& declarations() const { return graph_.layers; }
    const Layer<Scalar, Device>& layer(std::size_t i) const { return *built().layers.at(i); }
    const std::string& layer_name(std::size_t i) const { return built().names.at(i); }

    /// Names and shapes of all parameters, in Keras's order of weights.
    const std::vector<ParameterInfo>& parameters() const { return built().list.parameters(); }

    /// The parameters of layer i.
    Span<const ParameterInfo> layer_parameters(std::size_t i) const {
        return built().layer_parameters(i);
    }

    /// A parameter by name, such as "dense_1/kernel". Throws ArgumentError if there is none.
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

    /// The number of trainable parameters, and of all.
    Index trainable_parameter_count() const { return detail::count_numbers(parameters(), true); }
    Index parameter_count() const {
        return trainable_parameter_count() + detail::count_numbers(parameters(), false);
    }

    /// Copies of all parameters, in their order.
    WEFT_COLD std::vector<Tensor<Scalar>> parameter_values() const {
        std::vector<Tensor<Scalar>> values;
        for (const ParameterInfo& parameter : parameters()) {
            values.emplace_back(on_host<Scalar>(device_, view(parameter.slot)));
        }
        return values;
    }

    /// A table of the layers as Keras prints it: name, type, output shape and parameters of each,
    /// its inputs if the model is not a chain, then the totals.
    WEFT_COLD std::string summary() const { return detail::summarize(graph_, built()); }

    /// The steps of a pass, one line each: the values it reads and writes, and fusions.
    WEFT_COLD std::string plan_text(PassKind kind) const {
        return detail::plan_text(*built().make_plan(kind), built().nodes);
    }

    const Device& device() const { return device_; }

    /// Runs later passes on the given device, with its number of threads on the CPU.
    WEFT_COLD void set_device(const Device& device) {
        parameters_.move(device_, device);
        device_ = device;
        pool_.clear();
    }

protected:
    WEFT_COLD ModelLayers() {}
    WEFT_COLD ModelLayers(Graph<Scalar, Device> graph, const Device& device)
        : graph_(std::move(graph)), device_(device) {}
    WEFT_COLD ModelLayers(const ModelLayers&) = default;
    WEFT_COLD ModelLayers(ModelLayers&&) = default;
    WEFT_COLD ModelLayers& operator=(const ModelLayers&) = default;
    WEFT_COLD ModelLayers& operator=(ModelLayers&&) = default;
    WEFT_COLD ~ModelLayers() = default;

    WEFT_COLD void append(Declaration declaration) {
        require_unbuilt();
        graph_.append(std::move(declaration));
    }

    WEFT_COLD void declare_input(const Shape& shape) {
        require_unbuilt();
        graph_.declare_input(shape);
    }

    /// Builds for declared inputs.
    WEFT_COLD void build_if_declared() {
        const std::vector<Shape> shapes = detail::declared_shapes(graph_);
        if (!shapes.empty()) build(shapes);
    }

    const BuiltGraph<Scalar, Device>& built() const {
        detail::require_built(is_built());
        return *built_;
    }

    Graph<Scalar, Device> graph_;
    std::shared_ptr<const BuiltGraph<Scalar, Device>> built_;
    Parameters<Scalar, Device> parameters_;
    Device device_;
    ModelMarks marks_;
    mutable WorkspacePool<Scalar, Device> pool_;

private:
    WEFT_COLD void require_unbuilt() const {
        if (is_built()) throw ArgumentError("model: add after build");
    }

    const ParameterSlot& find(std::string_view name) const {
        return detail::find_parameter(parameters(), name).slot;
    }
};

}  // namespace weft
