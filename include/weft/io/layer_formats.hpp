/// \file
/// LayerFormat: how declarations of one type are written to files and read.
#pragma once

#include "weft/layers/declaration.hpp"
#include "weft/layers/layer_fields.hpp"
#include "weft/layers/weft_layers.hpp"

namespace weft {

/// How declarations of one type are written to files and read. Made from any declaration of the
/// type; its fields are the defaults for those missing in a file.
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

    /// The type's name in Keras if it is another, else empty.
    std::string_view keras_name() const { return keras_name_; }
    /// The argument of Keras's Activation that it is; empty if it is a layer of its own in Keras.
    std::string_view keras_activation() const { return keras_activation_; }

    /// Writes the fields of a declaration; false if it has another type.
    bool write(const Declaration& declaration, LayerFields& field) const {
        return write_(declaration, field);
    }

    /// The declaration with these fields.
    Declaration read(LayerFields& field) const { return read_(example_, field); }

private:
    /// Visits name and fields. Returns the name of declarations without a field for it.
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

/// The formats of all of weft's layers.
template <class Scalar, class Device = Cpu>
WEFT_COLD std::vector<LayerFormat<Scalar, Device>> weft_layer_formats() {
    return detail::visit_weft_layers([](const auto&... examples) {
        return std::vector<LayerFormat<Scalar, Device>>{examples...};
    });
}

}  // namespace weft
