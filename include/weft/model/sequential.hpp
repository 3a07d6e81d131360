/// \file
/// Sequential: a stack of layers as one model.
#pragma once

#include "weft/layers/input.hpp"
#include "weft/model/model.hpp"

namespace weft {

namespace detail {

/// Whether some of the types are neither layers nor models.
template <class Scalar, class Device, class... Others>
inline constexpr bool some_are_no_layer =
    !((DeclaresLayer<Others, Scalar, Device> || std::same_as<Others, Input>) && ...) &&
    !((std::derived_from<Others, Model<Scalar, Device>> ||
       std::same_as<Others, std::vector<LayerDeclaration<Scalar, Device>>>) ||
      ...);

/// Whether models are among several arguments.
template <class Scalar, class Device, class... Others>
inline constexpr bool some_are_models = sizeof...(Others) > 1 &&
                                        (std::derived_from<Others, Model<Scalar, Device>> || ...);

}  // namespace detail

/// A stack of layers, each fed with the output of the one before.
///
///   Sequential model{Flatten{}, Dense{.units = 128, .activation = relu}, Dense{10, softmax}};
///   model.build({28, 28});
///   Tensor<float> probabilities = model.predict(images);   // (N, 28, 28) -> (N, 10)
///
/// All its other functions are those of Model.
template <class Scalar = float, class Device = Cpu>
class Sequential : public Model<Scalar, Device> {
public:
    using Declaration = LayerDeclaration<Scalar, Device>;

    Sequential() = default;

    /// From declarations, the first of which may be Input.
    template <class... Declarations>
    requires(sizeof...(Declarations) > 0 &&
             ((DeclaresLayer<Declarations, Scalar, Device> || std::same_as<Declarations, Input>) &&
              ...))
    WEFT_COLD Sequential(Declarations... declarations) {
        (add(std::move(declarations)), ...);
        this->build_if_declared();
    }

    /// Other arguments do not compile; the compiler names the type that is not a layer, and why.
    template <class... Others>
    requires(detail::some_are_no_layer<Scalar, Device, Others...>)
    Sequential(const Others&...) {  // one of them is not a layer
        (require_layer<Others>(), ...);
    }

    template <class... Others>
    requires(detail::some_are_models<Scalar, Device, Others...>)
    Sequential(const Others&...) = delete;  // a model is called: Model m(x, inner(x | Dense{8}));

    /// From declarations collected at run time.
    explicit Sequential(std::vector<Declaration> declarations)  // ({...})? Sequential model{...};
        : Model<Scalar, Device>(std::move(declarations)) {}

    /// From a model whose layers are a chain, such as one of load_model. Throws ArgumentError for
    /// others.
    WEFT_COLD Sequential(Model<Scalar, Device> model) : Model<Scalar, Device>(std::move(model)) {
        if (this->graph().is_chain()) return;
        throw ArgumentError("sequential: the layers of the model are not a chain; call it a Model");
    }

    /// Appends a layer to a model that is not built yet. Throws ArgumentError if it is.
    WEFT_COLD void add(Declaration declaration) { this->append(std::move(declaration)); }

    /// Declares the shape of one sample. Throws ArgumentError behind a layer.
    WEFT_COLD void add(const Input& input) { this->declare_input(input.shape); }

private:
    template <class Other>
    static void require_layer() {
        static_assert(DeclaresLayer<Other, Scalar, Device> || std::same_as<Other, Input>,
                      "a Sequential is made of declarations of layers, such as Dense{.units = 10}");
    }
};

/// Without it clang 14 would have to choose between constructors whose constraints it leaves out.
template <class... Declarations>
requires(sizeof...(Declarations) > 0 &&
         ((DeclaresLayer<Declarations, float, Cpu> || std::same_as<Declarations, Input>) && ...))
Sequential(Declarations...) -> Sequential<float, Cpu>;

/// For the message of the deleted constructor.
template <class... Others>
requires(detail::some_are_models<float, Cpu, Others...>)
Sequential(const Others&...) -> Sequential<float, Cpu>;

}  // namespace weft
