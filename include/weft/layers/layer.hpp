/// \file
/// Layer: what every layer is to a model; LayerBuilder and Pass: what a model is to a layer.
#pragma once

#include "weft/core/random.hpp"
#include "weft/core/tensor.hpp"
#include "weft/initializers/initializer.hpp"
#include "weft/kernels/activation.hpp"
#include "weft/layers/constraint.hpp"
#include "weft/layers/regularizer.hpp"

#include <cassert>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weft {

/// Where one parameter lies in the arena of its model. Relative, so it holds in every copy of the
/// model and in the gradients' and the optimiser's arenas alike.
struct ParameterSlot {
    Index offset = 0;  ///< elements from the start of the trainable or of the other parameters
    Shape shape;
    bool trainable = true;
};

/// A parameter as its model knows it.
struct ParameterInfo {
    std::string name;  ///< "dense_1/kernel"
    ParameterSlot slot;
    Initializer initializer;
    Regularizer regularizer = {};
    Constraint constraint = {};
};

/// Collects the parameters of a model while its layers are built.
class ParameterList {
public:
    WEFT_COLD ParameterSlot add(std::string name, const Shape& shape,
                                const Initializer& initializer, bool trainable,
                                const Regularizer& regularizer = {},
                                const Constraint& constraint = {}) {
        // Each parameter starts on a cache line, in float and in double.
        constexpr Index alignment = static_cast<Index>(Buffer::alignment / sizeof(float));
        Index& end = trainable ? trainable_size_ : state_size_;
        // So that all of them are a number of bytes that an Index holds.
        constexpr Index most = (std::numeric_limits<Index>::max)() / 32;
        if (shape.size() > most - end) {
            throw ShapeError(concat(name, ": shape ", shape, " makes too many parameters"));
        }
        for (const ParameterInfo& known : parameters_) {
            if (known.name == name) {
                throw ArgumentError(concat(name, ": the layer has two parameters of this name"));
            }
        }
        const ParameterSlot slot{end, shape, trainable};
        end += (shape.size() + alignment - 1) / alignment * alignment;
        parameters_.push_back({std::move(name), slot, initializer, regularizer, constraint});
        return slot;
    }

    const std::vector<ParameterInfo>& parameters() const { return parameters_; }
    Index trainable_size() const { return trainable_size_; }  ///< elements, with padding
    Index state_size() const { return state_size_; }          ///< elements, with padding

private:
    std::vector<ParameterInfo> parameters_;
    Index trainable_size_ = 0;
    Index state_size_ = 0;
};

/// What a layer is built from: its place in the model, and the parameters it asks for.
class LayerBuilder {
public:
    LayerBuilder(std::string name, const Shape& input_shape, ParameterList& parameters)
        : name_(std::move(name)), input_shape_(input_shape), parameters_(parameters) {}

    const std::string& name() const { return name_; }          ///< "dense_1"
    const Shape& input_shape() const { return input_shape_; }  ///< of one sample, without N

    /// Reserves a parameter. One that is not trainable is the layer's to update in training, such
    /// as the moving mean of a batch norm; no optimiser touches it.
    WEFT_COLD ParameterSlot add_parameter(std::string_view parameter, const Shape& shape,
                                          const Initializer& initializer, bool trainable = true) {
        require_initializer(concat(parameter, "_initializer"), initializer);
        return parameters_.add(concat(name_, "/", parameter), shape, initializer, trainable);
    }

    /// Reserves a trainable parameter with a penalty on its size and a constraint.
    WEFT_COLD ParameterSlot add_parameter(std::string_view parameter, const Shape& shape,
                                          const Initializer& initializer,
                                          const Regularizer& regularizer,
                                          const Constraint& constraint) {
        require_initializer(concat(parameter, "_initializer"), initializer);
        require_regularizer(concat(parameter, "_regularizer"), regularizer);
        require(constraint.kind != Constraint::Kind::max_norm ||
                    (constraint.max_value > 0 && std::isfinite(constraint.max_value)),
                concat(parameter, "_constraint"), concat("max_norm(", constraint.max_value, ")"),
                "a positive norm");
        return parameters_.add(concat(name_, "/", parameter), shape, initializer, true, regularizer,
                               constraint);
    }

    /// Throws ArgumentError `dense_1: units is 0, expected at least 1` unless the option holds.
    template <class Value>
    void require(bool holds, std::string_view option, const Value& value,
                 std::string_view expected) const {
        if (!holds) {
            throw ArgumentError(
                concat(name_, ": ", option, " is ", value, ", expected ", expected));
        }
    }

    /// Throws ArgumentError unless the penalty's factors are finite and 0 or more.
    WEFT_COLD void require_regularizer(std::string_view option,
                                       const Regularizer& regularizer) const {
        const auto [l1, l2] = regularizer;
        require(l1 >= 0 && l2 >= 0 && std::isfinite(l1) && std::isfinite(l2), option,
                concat("(l1 ", l1, ", l2 ", l2, ")"), "finite numbers of at least 0");
    }

    /// Throws ShapeError `conv2d: input has shape (None, 784), expected ...` unless it holds.
    WEFT_COLD void require_input(bool holds, std::string_view expected) const {
        if (!holds) {
            throw ShapeError(concat(name_, ": input has shape ", input_shape_.to_batch_string(),
                                    ", expected ", expected));
        }
    }

private:
    /// Throws ArgumentError unless the first values are finite.
    WEFT_COLD void require_initializer(std::string_view option,
                                       const Initializer& initializer) const {
        const bool is_constant = initializer.kind == Initializer::Kind::constant;
        require(std::isfinite(initializer.value) && (is_constant || initializer.value >= 0), option,
                concat(is_constant ? "constant(" : "random(scale ", initializer.value, ")"),
                is_constant ? "a finite number" : "a finite scale of at least 0");
    }

    std::string name_;
    Shape input_shape_;
    ParameterList& parameters_;
};

/// What one layer sees of one pass over a batch: the device, the model's parameters, and memory
/// that lasts from the layer's forward to its backward.
template <class Scalar, class Device>
struct Pass {
    Device& device;
    bool training = false;
    /// Leave out the layer's output activation: a loss that is fused with it takes the logits. Only
    /// set for the last layer, and only when its output_activation() is not linear.
    bool logits = false;
    /// In backward: the input x is the output of a relu, whose derivative dx has to include. Only
    /// set for layers that back through relu.
    bool input_is_relu = false;
    /// In backward: dy includes the derivative of the layer's own relu already.
    bool relu_is_done = false;
    const Scalar* trainable = nullptr;  ///< the arena's trainable parameters
    const Scalar* state = nullptr;      ///< its other parameters
    Scalar* mutable_state = nullptr;    ///< the same in training, else null
    Scalar* gradients = nullptr;        ///< laid out as the trainable parameters; null in inference
    std::byte* saved = nullptr;         ///< the layer's saved_bytes(batch), in training
    RandomStream random{0, RandomPurpose::layer};  ///< the layer's own, other numbers each step

    TensorView<const Scalar, Device> parameter(const ParameterSlot& slot) const {
        return {(slot.trainable ? trainable : state) + slot.offset, slot.shape};
    }
    TensorView<Scalar, Device> gradient(const ParameterSlot& slot) const {
        assert(slot.trainable && gradients != nullptr);
        return {gradients + slot.offset, slot.shape};
    }
    TensorView<Scalar, Device> update(const ParameterSlot& slot) const {
        assert(!slot.trainable && mutable_state != nullptr);
        return {mutable_state + slot.offset, slot.shape};
    }
};

/// A layer of a built model: a pure function of its input and its parameters, y = f(x; p).
///
/// It holds no numbers of its own: parameters lie in the model's arena, and whatever a pass leaves
/// behind lies in the pass's workspace. So it never changes once built, models that are copies of
/// each other share it, and any number of threads may run passes through it at once.
template <class Scalar, class Device>
class Layer {
public:
    Layer(const Shape& input_shape, const Shape& output_shape)
        : input_shape_(input_shape), output_shape_(output_shape) {}
    virtual ~Layer() = default;

    const Shape& input_shape() const { return input_shape_; }    ///< of one sample, without N
    const Shape& output_shape() const { return output_shape_; }  ///< of one sample, without N

    /// y = f(x).   x (N, input_shape...)   y (N, output_shape...)
    virtual void forward(const Pass<Scalar, Device>& pass, TensorView<const Scalar, Device> x,
                         TensorView<Scalar, Device> y) const = 0;

    /// From dy = dL/dy and the x and y of the forward pass: dx = dL/dx, and the gradient of each
    /// trainable parameter, summed over the batch, into pass.gradient(slot), which it overwrites.
    /// dx is an empty view when nobody needs it. dy may be used as scratch; x, y and what forward
    /// saved stay as they are.
    virtual void backward(const Pass<Scalar, Device>& pass, TensorView<const Scalar, Device> x,
                          TensorView<const Scalar, Device> y, TensorView<Scalar, Device> dy,
                          TensorView<Scalar, Device> dx) const = 0;

    /// How many bytes forward keeps for backward, besides x and y.
    virtual std::size_t saved_bytes(Index /*batch*/) const { return 0; }

    /// Whether y is x under another shape: then they share memory, and forward and backward are
    /// never called.
    virtual bool is_view() const { return false; }

    /// Whether backward can take the derivative of a relu that ended the layer before into its own,
    /// which saves that layer a pass over its output: dx = dL/dx where x > 0, else 0.
    virtual bool backs_through_relu() const { return false; }

    /// Whether backward allows dx to be dy.
    virtual bool backs_in_place() const { return false; }

    /// The penalty on the layer's outputs.
    virtual Regularizer activity_regularizer() const { return {}; }

    /// The activation that forward applies last and would leave out for pass.logits. With relu, dy
    /// may already be 0 where y is not above 0, which pass.relu_is_done tells.
    virtual Activation output_activation() const { return Activation::linear; }

private:
    Shape input_shape_;
    Shape output_shape_;
};

/// "max_pool2d" from "MaxPool2D", as Keras derives a layer's name from its type: a capital starts a
/// word when a small letter comes before or behind it.
WEFT_COLD inline std::string snake_case(std::string_view type) {
    const auto is_upper = [](char c) { return c >= 'A' && c <= 'Z'; };
    const auto is_lower = [&](std::size_t i) {
        return i < type.size() && type[i] >= 'a' && type[i] <= 'z';
    };
    std::string name;
    for (std::size_t i = 0; i < type.size(); ++i) {
        if (i > 0 && is_upper(type[i]) && (is_lower(i - 1) || is_lower(i + 1))) name += '_';
        name += is_upper(type[i]) ? static_cast<char>(type[i] - 'A' + 'a') : type[i];
    }
    return name;
}

/// A declaration is a plain aggregate such as Dense: it names its type, and its member template
/// Layer<Scalar, Device> implements it, constructible from the declaration and a LayerBuilder.
template <class D, class Scalar, class Device>
concept DeclaresLayer = requires(const D& declaration, LayerBuilder& builder) {
    { D::type } -> std::convertible_to<std::string_view>;
    requires std::derived_from<typename D::template Layer<Scalar, Device>, Layer<Scalar, Device>>;
    typename D::template Layer<Scalar, Device>;
    requires std::constructible_from < typename D::template Layer<Scalar, Device>,
    const D&, LayerBuilder& > ;
};

/// Any declaration of a layer, ready to be built for Scalar on Device. Copies share it.
template <class Scalar, class Device>
class LayerDeclaration {
public:
    template <DeclaresLayer<Scalar, Device> D>
    WEFT_COLD LayerDeclaration(D declaration)
        : declared_(std::make_shared<const Declared<D>>(std::move(declaration))) {}

    std::string_view type() const { return declared_->type; }    ///< "Dense"
    const std::string& name() const { return declared_->name; }  ///< "dense", or as the user said
    bool named() const { return declared_->named; }              ///< whether the user gave the name

    /// The declaration itself, if it is a D; else null. Lives as long as any copy of this.
    template <class D>
    const D* get_if() const {
        const auto* declared = dynamic_cast<const Declared<D>*>(declared_.get());
        return declared ? &declared->declaration : nullptr;
    }

    /// Throws what the layer's constructor throws, a ShapeError in the name of the layer; also when
    /// its output has more numbers than any memory.
    WEFT_COLD std::shared_ptr<const Layer<Scalar, Device>> build(LayerBuilder& builder) const {
        try {
            auto layer = declared_->build(builder);
            if (layer->output_shape().size() > (std::numeric_limits<Index>::max)() >> 20) {
                throw ShapeError(concat("output shape ", layer->output_shape(),
                                        " has more elements than memory can hold"));
            }
            return layer;
        } catch (const ShapeError& error) {
            if (std::string_view(error.what()).starts_with(builder.name())) throw;
            throw ShapeError(concat(builder.name(), ": ", error.what()));
        }
    }

private:
    struct AnyDeclared {
        WEFT_COLD AnyDeclared(std::string_view layer_type, std::string_view given_name)
            : type(layer_type),
              name(given_name.empty() ? snake_case(layer_type) : std::string(given_name)),
              named(!given_name.empty()) {}
        virtual ~AnyDeclared() = default;
        virtual std::shared_ptr<const Layer<Scalar, Device>> build(LayerBuilder&) const = 0;

        std::string_view type;
        std::string name;
        bool named;
    };

    template <class D>
    struct Declared final : AnyDeclared {
        explicit Declared(D d) : AnyDeclared(D::type, given_name(d)), declaration(std::move(d)) {}

        WEFT_COLD std::shared_ptr<const Layer<Scalar, Device>> build(
            LayerBuilder& builder) const override {
            using Built = typename D::template Layer<Scalar, Device>;
            return std::make_shared<const Built>(declaration, builder);
        }

        D declaration;
    };

    template <class D>
    static std::string_view given_name(const D& declaration) {
        if constexpr (requires { std::string_view(declaration.name); }) return declaration.name;
        return {};
    }

    std::shared_ptr<const AnyDeclared> declared_;
};

}  // namespace weft
