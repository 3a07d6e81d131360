/// \file
/// LayerFormat: how declarations of one type are kept in a file.
#pragma once

#include "weft/layers/declaration.hpp"
#include "weft/layers/layer_fields.hpp"
#include "weft/layers/weft_layers.hpp"

namespace weft {

/// How declarations of one type are kept in a file. Made from any declaration of that type; those
/// of its fields that a file lacks are what a loaded declaration has.
///
///   save_model(model, path, {Swish{}});
///   Sequential<float> loaded = load_model<float>(path, {Swish{}});
template <class Scalar, class Device = Cpu>
class LayerFormat {
public:
    using Declaration = LayerDeclaration<Scalar, Device>;

    template <DeclaresLayer<Scalar, Device> D>
    requires requires(D& declaration, LayerFields& field) { visit_fields(declaration, field); }
    LayerFormat(D example) : example_(std::move(example)), write_(write<D>), read_(read<D>) {
        if constexpr (requires { D::keras_name; }) keras_name_ = D::keras_name;
        if constexpr (requires { D::keras_activation; }) keras_activation_ = D::keras_activation;
    }

    std::string_view type() const { return example_.type(); }

    /// The type's name in Keras, where it is another, else empty.
    std::string_view keras_name() const { return keras_name_; }
    /// Which Activation of Keras's it is; empty where it is a type of its own.
    std::string_view keras_activation() const { return keras_activation_; }

    /// The fields of a declaration; false when it is of another type.
    bool write(const Declaration& declaration, LayerFields& field) const {
        return write_(declaration, field);
    }

    /// The declaration that has these fields.
    Declaration read(LayerFields& field) const { return read_(example_, field); }

private:
    /// The name that a declaration without one was given by set_name.
    template <class D>
    WEFT_COLD static std::string visit(D& declaration, LayerFields& field) {
        std::string name;
        if constexpr (requires { field.name(declaration.name); }) {
            field.name(declaration.name);
        } else {
            field.name(name);
        }
        visit_fields(declaration, field);
        return name;
    }

    template <class D>
    WEFT_COLD static bool write(const Declaration& declaration, LayerFields& field) {
        const D* found = declaration.template get_if<D>();
        if (found == nullptr) return false;
        D copy = *found;
        visit(copy, field);
        return true;
    }

    template <class D>
    WEFT_COLD static Declaration read(const Declaration& example, LayerFields& field) {
        D declaration = *example.template get_if<D>();
        const std::string name = visit(declaration, field);
        Declaration read(std::move(declaration));
        if (!name.empty()) read.set_name(name);
        return read;
    }

    Declaration example_;
    std::string_view keras_name_, keras_activation_;
    bool (*write_)(const Declaration&, LayerFields&);
    Declaration (*read_)(const Declaration&, LayerFields&);
};

/// Those of all of weft's layers.
template <class Scalar, class Device = Cpu>
WEFT_COLD std::vector<LayerFormat<Scalar, Device>> weft_layer_formats() {
    return detail::visit_weft_layers([](const auto&... examples) {
        return std::vector<LayerFormat<Scalar, Device>>{examples...};
    });
}

}  // namespace weft
