/// \file
/// Sequential: a stack of layers as one model.
#pragma once

#include "weft/core/eigen.hpp"
#include "weft/layers/declaration.hpp"
#include "weft/layers/input.hpp"
#include "weft/model/detail/names.hpp"
#include "weft/model/detail/on_device.hpp"
#include "weft/model/model_reference.hpp"
#include "weft/model/summary.hpp"
#include "weft/model/workspace.hpp"

#include <optional>

namespace weft {

/// A stack of layers, each fed with the output of the one before.
///
///   Sequential model{Flatten{}, Dense{.units = 128, .activation = relu}, Dense{10, softmax}};
///   model.build({28, 28});
///   Tensor<float> probabilities = model.predict(images);   // (N, 28, 28) -> (N, 10)
///
/// Layers are declared; build() fixes the input shape, infers every other, and gives the parameters
/// their first values. All parameters lie in one arena: the trainable ones first, each on a cache
/// line of its own, with zeros between. A copy is deep. What is moved from has no layers.
///
/// predict is const and may be called by any number of threads at once.
template <class Scalar = float, class Device = Cpu>
class Sequential {
public:
    using Declaration = LayerDeclaration<Scalar, Device>;
    using View = TensorView<Scalar, Device>;
    using ConstView = TensorView<const Scalar, Device>;

    Sequential() = default;
    WEFT_COLD Sequential(const Sequential&) = default;
    WEFT_COLD Sequential(Sequential&&) = default;
    /// Where there is not the memory for a copy, the model stays as it was.
    WEFT_COLD Sequential& operator=(const Sequential& other) {
        return this == &other ? *this : *this = Sequential(other);
    }
    WEFT_COLD Sequential& operator=(Sequential&&) = default;
    WEFT_COLD ~Sequential() = default;

    /// From declarations, the first of which may be Input.
    template <class... Declarations>
    requires(sizeof...(Declarations) > 0 && ((DeclaresLayer<Declarations, Scalar, Device> ||
                                              std::same_as<Declarations, Input>)&&...)) WEFT_COLD
        Sequential(Declarations... declarations) {
        (add(std::move(declarations)), ...);
        if (input_) build(*input_);
    }

    /// From declarations collected at run time.
    explicit Sequential(std::vector<Declaration> declarations)
        : declarations_(std::move(declarations)) {}

    /// Appends a layer to a model that is not built yet; ArgumentError afterwards.
    WEFT_COLD void add(Declaration declaration) {
        require_unbuilt("add");
        declarations_.push_back(std::move(declaration));
    }

    /// Declares the shape of one sample; only in front of the layers.
    WEFT_COLD void add(const Input& input) {
        require_unbuilt("add");
        if (!declarations_.empty() || input_) {
            throw ArgumentError("sequential: Input is not the first of the layers");
        }
        input_ = input.shape;
    }

    /// Fixes the shape of one sample (without N), infers all others and initialises the parameters
    /// from the seed. Building again starts afresh. Throws ShapeError or ArgumentError that names
    /// the layer; the model then stays as it was.
    WEFT_COLD void build(const Shape& input_shape, std::uint64_t seed = 0) {
        if (declarations_.empty()) {
            throw ArgumentError("sequential: the model has no layers, expected at least 1");
        }
        ParameterList list;
        std::vector<std::shared_ptr<const Layer<Scalar, Device>>> layers;
        std::vector<std::string> names;
        std::vector<std::size_t> first_parameter{0};
        std::size_t first_trainable_layer = 0;
        double multiplications = 0;
        Shape shape = input_shape;
        for (const Declaration& declaration : declarations_) {
            LayerBuilder builder(detail::unique_name(declaration, names), shape, list);
            layers.push_back(declaration.build(builder));
            names.push_back(builder.name());
            shape = layers.back()->output_shape();
            first_parameter.push_back(list.parameters().size());
            if (list.trainable_size() == 0) first_trainable_layer = layers.size();
            multiplications += detail::multiplications(
                std::span(list.parameters()).subspan(first_parameter.end()[-2]), shape);
        }
        Tensor<Scalar, Device> arena(Shape{list.trainable_size() + list.state_size()}, device_);
        layers_ = std::move(layers);
        names_ = std::move(names);
        parameters_ = list.parameters();
        trainable_size_ = list.trainable_size();
        marks_.begin_build();
        first_parameter_ = std::move(first_parameter);
        first_trainable_layer_ = first_trainable_layer;
        multiplications_ = multiplications;
        arena_ = std::move(arena);
        pool_.clear();
        detail::initialize(*this, seed);
    }

    bool is_built() const { return !layers_.empty(); }

    /// Whether the model is still there and has the parameters it had: for ModelReference.
    const ModelMarks& marks() const { return marks_; }

    /// The shape of one sample, without N.
    const Shape& input_shape() const { return built().layers_.front()->input_shape(); }
    const Shape& output_shape() const { return built().layers_.back()->output_shape(); }

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
        x = x.reshape(input_shape().batch(samples));
        y = y.reshape(output_shape().batch(samples));
        const Index batch = (std::min)(samples, predict_batch);
        auto workspace = pool_.take(batch);
        if (!workspace) {
            workspace = std::make_unique<Workspace<Scalar, Device>>(
                layers_, names_, marks_.build(), device_, batch, PassKind::inference);
        }
        for (Index first = 0; first < samples; first += batch) {
            const Index count = (std::min)(batch, samples - first);
            run_pass(workspace->device(), work(*workspace, count), [&] {
                const View result = forward(*workspace, x.slice(first, count));
                copy_elements<Scalar>(workspace->device(), result, y.slice(first, count));
            });
        }
        pool_.give_back(std::move(workspace));
    }

    /// Runs the layers over the batch x (N, input_shape...), N up to the workspace's capacity. The
    /// result (N, output_shape...) lies in the workspace until the next pass.
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
        return run_forward(workspace, x, options, options.training ? arena_.data() : nullptr);
    }

    /// Where dL/d(output) of a batch of n belongs before backward: (n, output_shape...).
    View output_gradient(Workspace<Scalar, Device>& workspace, Index n) const {
        return {workspace.output_gradient(layers_.size() - 1), output_shape().batch(n)};
    }

    /// After a training forward over x with the same options, and with dL/d(output) in
    /// output_gradient(): the gradient of every trainable parameter into `gradients`, laid out as
    /// trainable_parameters(). No gradient of x is computed.
    WEFT_COLD void backward(Workspace<Scalar, Device>& workspace, ConstView x,
                            const PassOptions& options, View gradients) {
        workspace.require_pass(marks_.build(), input_shape(), x.shape(), true);
        const Shape expected{trainable_size_};
        if (gradients.size() < expected[0])
            detail::require_shape("gradients have", gradients.shape(), expected);
        run_pass(workspace.device(), 2 * work(workspace, x.shape()[0]),
                 [&] { run_backward(workspace, x, options, gradients); });
    }

    /// About the multiplications of a forward pass over n samples, and the numbers it computes,
    /// which is the work of layers without parameters.
    double work(const Workspace<Scalar, Device>& workspace, Index n) const {
        const double numbers = static_cast<double>(workspace.size_bytes()) / sizeof(Scalar);
        return static_cast<double>(n) *
               (multiplications_ + numbers / static_cast<double>(workspace.capacity()));
    }

    /// The output of layer i in the pass over x just run in the workspace. Of a training workspace
    /// any layer; of an inference workspace the last.
    WEFT_COLD ConstView output(Workspace<Scalar, Device>& workspace, ConstView x,
                               std::size_t i) const {
        const Shape shape = layers_[i]->output_shape().batch(x.shape()[0]);
        const std::size_t source = behind_views(i);
        if (layers_[source]->is_view()) return {x.data(), shape};
        return {workspace.output(source), shape};
    }

    /// A workspace for batches of up to `capacity` samples.
    WEFT_COLD Workspace<Scalar, Device> make_workspace(Index capacity, PassKind kind) const {
        return {built().layers_, names_, marks_.build(), device_, capacity, kind};
    }

    std::size_t layer_count() const { return declarations_.size(); }
    const std::vector<Declaration>& declarations() const { return declarations_; }
    const Layer<Scalar, Device>& layer(std::size_t i) const { return *built().layers_.at(i); }
    const std::string& layer_name(std::size_t i) const { return built().names_.at(i); }

    /// Names and shapes of all parameters, in Keras's order of weights.
    const std::vector<ParameterInfo>& parameters() const { return built().parameters_; }

    /// Those of layer i alone.
    std::span<const ParameterInfo> layer_parameters(std::size_t i) const {
        return std::span(parameters())
            .subspan(first_parameter_.at(i), first_parameter_.at(i + 1) - first_parameter_[i]);
    }

    /// A parameter by name, such as "dense_1/kernel". Throws ArgumentError when there is none.
    View parameter(std::string_view name) {
        return view(detail::find_parameter(parameters(), name).slot);
    }
    ConstView parameter(std::string_view name) const {
        return view(detail::find_parameter(parameters(), name).slot);
    }

    /// A parameter by its place in the arena.
    View view(const ParameterSlot& slot) { return {arena_.data() + offset(slot), slot.shape}; }
    ConstView view(const ParameterSlot& slot) const {
        return {arena_.data() + offset(slot), slot.shape};
    }

    /// All trainable parameters as one vector, with the zeros between them.
    View trainable_parameters() { return {arena_.data(), Shape{built().trainable_size_}}; }

    View arena() { return arena_; }  ///< all parameters: the trainable ones, then the others
    ConstView arena() const { return arena_; }

    /// How many numbers the model has to learn, and how many in all.
    Index trainable_parameter_count() const { return detail::count_numbers(parameters(), true); }
    Index parameter_count() const {
        return trainable_parameter_count() + detail::count_numbers(parameters(), false);
    }

    /// A table of the layers as Keras prints it: name, type, output shape and parameters of each,
    /// then the totals.
    WEFT_COLD std::string summary() const {
        std::vector<SummaryRow> rows;
        for (std::size_t i = 0; i < built().layers_.size(); ++i) {
            const auto own = layer_parameters(i);
            rows.push_back({names_[i], declarations_[i].type(), layers_[i]->output_shape(),
                            detail::count_numbers(own, true) + detail::count_numbers(own, false)});
        }
        const Index trainable = trainable_parameter_count();
        return format_summary("sequential", rows, trainable, parameter_count() - trainable);
    }

    const Device& device() const { return device_; }

    /// Runs later passes on that device, for the CPU with that many threads.
    WEFT_COLD void set_device(const Device& device) {
        detail::move_to(device, device_, arena_);
        device_ = device;
        pool_.clear();
    }

private:
    /// Samples that predict runs through the layers at once.
    static constexpr Index predict_batch = 128;

    WEFT_COLD void require_unbuilt(std::string_view what) const {
        if (is_built()) throw ArgumentError(concat("sequential: ", what, " after build"));
    }

    const Sequential& built() const {
        detail::require_built(is_built());
        return *this;
    }

    bool is_one_sample(const Shape& x) const {
        return detail::is_one_sample(x, input_shape(), built().names_.front());
    }

    /// Layer i, or the one whose output the views up to layer i pass on; the first view if none.
    std::size_t behind_views(std::size_t i) const {
        while (layers_[i]->is_view() && i > 0) --i;
        return i;
    }

    /// Whether layer i's backward takes the derivative of a relu before it that has no penalty.
    bool takes_relu(std::size_t i) const {
        const Layer<Scalar, Device>& before = *layers_[behind_views(i - 1)];
        return layers_[i]->backs_through_relu() && !before.activity_regularizer() &&
               before.output_activation() == Activation::relu;
    }

    Pass<Scalar, Device> make_pass(Workspace<Scalar, Device>& workspace, std::size_t i,
                                   const PassOptions& options, Scalar* mutable_arena) const {
        return {.device = workspace.device(),
                .training = options.training,
                .logits = options.logits && i + 1 == layers_.size(),
                .trainable = arena_.data(),
                .state = arena_.data() + trainable_size_,
                .mutable_state = mutable_arena ? mutable_arena + trainable_size_ : nullptr,
                .saved = workspace.kind() == PassKind::training ? workspace.saved(i) : nullptr,
                .random = RandomStream(options.seed, RandomPurpose::layer,
                                       static_cast<std::uint32_t>(i), options.step)};
    }

    WEFT_COLD View run_forward(Workspace<Scalar, Device>& workspace, ConstView x,
                               const PassOptions& options, Scalar* mutable_arena) const {
        workspace.require_pass(marks_.build(), input_shape(), x.shape(), options.training);
        ConstView input = x;
        run_pass(workspace.device(), work(workspace, x.shape()[0]), [&] {
            double activity_penalty = 0;
            for (std::size_t i = 0; i < layers_.size(); ++i) {
                const Shape shape = layers_[i]->output_shape().batch(x.shape()[0]);
                if (layers_[i]->is_view()) {
                    input = input.reshape(shape);
                    continue;
                }
                const View y{workspace.output(i), shape};
                layers_[i]->forward(make_pass(workspace, i, options, mutable_arena), input, y);
                if (const Regularizer r = layers_[i]->activity_regularizer()) {
                    activity_penalty += penalty<Scalar>(workspace.device(), y, r.l1, r.l2);
                }
                input = y;
            }
            workspace.set_activity_penalty(activity_penalty);
        });
        // The last layer's output, unless all layers are views.
        const View y{workspace.output(layers_.size() - 1), input.shape()};
        if (y.data() != input.data()) copy_elements<Scalar>(workspace.device(), input, y);
        return y;
    }

    WEFT_COLD void run_backward(Workspace<Scalar, Device>& workspace, ConstView x,
                                const PassOptions& options, View gradients) {
        const std::size_t first = first_trainable_layer_;
        bool relu_is_done = false;
        for (std::size_t i = layers_.size(); i-- > first;) {
            if (layers_[i]->is_view()) continue;
            Pass<Scalar, Device> pass =
                make_pass(workspace, i, options, options.training ? arena_.data() : nullptr);
            pass.gradients = gradients.data();
            pass.relu_is_done = relu_is_done;
            const ConstView input = i == 0 ? x : ConstView(output(workspace, x, i - 1));
            const ConstView y = output(workspace, x, i);
            const View dy{workspace.output_gradient(i), y.shape()};
            if (const Regularizer r = layers_[i]->activity_regularizer()) {
                const auto share = 1 / static_cast<double>(x.shape()[0]);
                add_penalty_gradient<Scalar>(workspace.device(), y, share * r.l1, share * r.l2, dy);
            }
            View dx;
            if (i > first) dx = {workspace.output_gradient(i - 1), input.shape()};
            relu_is_done = pass.input_is_relu = i > first && takes_relu(i);
            layers_[i]->backward(pass, input, y, dy, dx);
        }
    }

    Index offset(const ParameterSlot& slot) const {
        return (slot.trainable ? 0 : trainable_size_) + slot.offset;
    }

    std::vector<Declaration> declarations_;
    std::optional<Shape> input_;
    Device device_;
    std::vector<std::shared_ptr<const Layer<Scalar, Device>>> layers_;
    std::vector<std::string> names_;
    std::vector<ParameterInfo> parameters_;
    Index trainable_size_ = 0;
    ModelMarks marks_;
    std::vector<std::size_t> first_parameter_;  ///< of each layer, and one past the last
    double multiplications_ = 0;                ///< by parameters, for one sample
    std::size_t first_trainable_layer_ = 0;     ///< backward ends there; layer_count() if none
    Tensor<Scalar, Device> arena_;
    mutable WorkspacePool<Scalar, Device> pool_;
};

}  // namespace weft
