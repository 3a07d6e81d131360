/// \file
/// LayerDeclaration: any declaration of a layer, such as Dense.
#pragma once

#include "weft/layers/layer.hpp"

namespace weft {

/// "max_pool2d" from "MaxPool2D", as Keras derives a layer's name from its type: a capital beside a
/// small letter starts a word.
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
    requires std::constructible_from<typename D::template Layer<Scalar, Device>, const D&,
                                     LayerBuilder&>;
};

namespace detail {

/// Throws ShapeError if an extent of the shape, or its size, is more than memory can hold.
WEFT_COLD inline void require_size(std::string_view side, const Shape& shape) {
    constexpr Index most = (std::numeric_limits<Index>::max)() >> 20;
    Index largest = shape.size();
    for (const Index extent : shape) largest = (std::max)(largest, extent);
    if (largest > most) {
        throw ShapeError(join({side, " shape ", shape, " is larger than memory can hold"}));
    }
}

}  // namespace detail

/// Any declaration of a layer, ready to be built for Scalar on Device. Copies share it.
template <class Scalar, class Device>
class LayerDeclaration {
public:
    template <DeclaresLayer<Scalar, Device> D>
    WEFT_COLD LayerDeclaration(D declaration)
        : declared_(static_cast<AnyDeclared*>(new Declared<D>(std::move(declaration)))) {}

    std::string_view type() const { return declared_->type; }    ///< "Dense"
    const std::string& name() const { return declared_->name; }  ///< "dense", or the user's name
    bool named() const { return declared_->named; }              ///< whether the user gave the name

    /// Sets a name, as if by the user.
    WEFT_COLD void set_name(const std::string& name) {
        const auto own = is_renamed() ? declared_->renamed : declared_;
        declared_.reset(new Renamed(own, name));
    }
    bool is_renamed() const { return declared_->renamed != nullptr; }

    /// The declaration itself, if it is a D; else null. It lives as long as any copy of this
    /// object.
    template <class D>
    const D* get_if() const {
        const AnyDeclared* const own = is_renamed() ? declared_->renamed.get() : declared_.get();
        const auto* declared = dynamic_cast<const Declared<D>*>(own);
        return declared ? &declared->declaration : nullptr;
    }

    /// Passes on exceptions of the layer's constructor. Throws ShapeError, which names the layer,
    /// for inputs or outputs larger than memory can hold: so layers compute extents without
    /// overflow.
    WEFT_COLD std::shared_ptr<const Layer<Scalar, Device>> build(LayerBuilder& builder) const {
        try {
            for (const Shape& shape : builder.input_shapes()) detail::require_size("input", shape);
            auto layer = declared_->build(builder);
            detail::require_size("output", layer->output_shape());
            return layer;
        } catch (const ShapeError& error) {
            const std::string_view what = error.what();
            for (const char mark : {':', '/'}) {
                if (what.starts_with(builder.name() + mark)) throw;
            }
            throw ShapeError(detail::join({builder.name(), ": ", error.what()}));
        }
    }

private:
    struct AnyDeclared {
        WEFT_COLD AnyDeclared(std::string_view layer_type, std::string_view given_name)
            : type(layer_type),
              name(given_name.empty() ? snake_case(layer_type) : std::string(given_name)),
              named(!given_name.empty()) {}
        WEFT_COLD virtual ~AnyDeclared() {}
        virtual std::shared_ptr<const Layer<Scalar, Device>> build(LayerBuilder&) const = 0;

        std::string_view type;
        std::string name;
        bool named;
        std::shared_ptr<const AnyDeclared> renamed = {};  ///< of what has another's name
    };

    struct Renamed final : AnyDeclared {
        Renamed(const std::shared_ptr<const AnyDeclared>& own, const std::string& other_name)
            : AnyDeclared(own->type, other_name) {
            this->renamed = own;
        }

        WEFT_COLD std::shared_ptr<const Layer<Scalar, Device>> build(
            LayerBuilder& builder) const override {
            return this->renamed->build(builder);
        }
    };

    template <class D>
    struct Declared final : AnyDeclared {
        explicit Declared(D d) : AnyDeclared(D::type, given_name(d)), declaration(std::move(d)) {}

        WEFT_COLD std::shared_ptr<const Layer<Scalar, Device>> build(
            LayerBuilder& builder) const override {
            // Owned as a Layer: one type of owner is compiled for all layers.
            using Any = const Layer<Scalar, Device>;
            using Built = typename D::template Layer<Scalar, Device>;
            return std::shared_ptr<Any>(static_cast<Any*>(new Built(declaration, builder)));
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
