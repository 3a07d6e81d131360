/// \file
/// LayerFormat: how declarations of one type are kept in a file; the fields of all of weft's
/// layers.
#pragma once

#include "weft/io/layer_fields.hpp"
#include "weft/layers/add.hpp"
#include "weft/layers/average_pool2d.hpp"
#include "weft/layers/batch_norm.hpp"
#include "weft/layers/concatenate.hpp"
#include "weft/layers/conv2d.hpp"
#include "weft/layers/declaration.hpp"
#include "weft/layers/dense.hpp"
#include "weft/layers/dropout.hpp"
#include "weft/layers/elu.hpp"
#include "weft/layers/flatten.hpp"
#include "weft/layers/gelu.hpp"
#include "weft/layers/global_average_pool2d.hpp"
#include "weft/layers/global_max_pool2d.hpp"
#include "weft/layers/leaky_relu.hpp"
#include "weft/layers/max_pool2d.hpp"
#include "weft/layers/multiply.hpp"
#include "weft/layers/relu.hpp"
#include "weft/layers/rescaling.hpp"
#include "weft/layers/reshape.hpp"
#include "weft/layers/sigmoid.hpp"
#include "weft/layers/silu.hpp"
#include "weft/layers/softmax.hpp"
#include "weft/layers/tanh.hpp"
#include "weft/layers/zero_padding2d.hpp"

namespace weft {

namespace detail {

/// Fields that Dense and Conv2D have in common; `rank` is that of the kernel.
template <class D>
WEFT_COLD void visit_linear_fields(D& layer, LayerFields& field, Index rank) {
    field("activation", layer.activation);
    field("use_bias", layer.use_bias);
    field("kernel_initializer", layer.kernel_initializer);
    field("bias_initializer", layer.bias_initializer);
    field("kernel_regularizer", layer.kernel_regularizer);
    field("bias_regularizer", layer.bias_regularizer);
    field("activity_regularizer", layer.activity_regularizer);
    field("kernel_constraint", layer.kernel_constraint, rank);
    field("bias_constraint", layer.bias_constraint, 1);
}

}  // namespace detail

WEFT_COLD inline void visit_fields(Dense& layer, LayerFields& field) {
    field("units", layer.units);
    detail::visit_linear_fields(layer, field, 2);
}

WEFT_COLD inline void visit_fields(Conv2D& layer, LayerFields& field) {
    field("filters", layer.filters);
    field("kernel_size", layer.kernel_size);
    field("strides", layer.strides);
    field("padding", layer.padding);
    field("dilation_rate", layer.dilation_rate);
    field("groups", layer.groups);
    detail::visit_linear_fields(layer, field, 4);
}

template <class D>
requires std::same_as<D, MaxPool2D> || std::same_as<D, AveragePool2D> WEFT_COLD void visit_fields(
    D& layer, LayerFields& field) {
    field("pool_size", layer.pool_size);
    field("strides", layer.strides);
    field("padding", layer.padding);
}

WEFT_COLD inline void visit_fields(BatchNorm& layer, LayerFields& field) {
    field("momentum", layer.momentum);
    field("epsilon", layer.epsilon);
    field("center", layer.center);
    field("scale", layer.scale);
}

WEFT_COLD inline void visit_fields(Dropout& layer, LayerFields& field) {
    field("rate", layer.rate);
}

WEFT_COLD inline void visit_fields(Flatten& layer, LayerFields& field) {
    field("data_format", layer.data_format);
}

WEFT_COLD inline void visit_fields(Reshape& layer, LayerFields& field) {
    field("target_shape", layer.target_shape);
}

WEFT_COLD inline void visit_fields(Rescaling& layer, LayerFields& field) {
    field("scale", layer.scale);
    field("offset", layer.offset);
}

WEFT_COLD inline void visit_fields(ZeroPadding2D& layer, LayerFields& field) {
    field("padding", layer.before, layer.after);
}

WEFT_COLD inline void visit_fields(LeakyReLU& layer, LayerFields& field) {
    field("negative_slope", layer.negative_slope);
}

WEFT_COLD inline void visit_fields(ELU& layer, LayerFields& field) { field("alpha", layer.alpha); }

WEFT_COLD inline void visit_fields(Concatenate& layer, LayerFields& field) {
    field("axis", layer.axis);
}

/// Layers without fields.
inline void visit_fields(Add&, LayerFields&) {}
inline void visit_fields(Multiply&, LayerFields&) {}
inline void visit_fields(ReLU&, LayerFields&) {}
inline void visit_fields(Softmax&, LayerFields&) {}
inline void visit_fields(GELU&, LayerFields&) {}
inline void visit_fields(SiLU&, LayerFields&) {}
inline void visit_fields(Sigmoid&, LayerFields&) {}
inline void visit_fields(Tanh&, LayerFields&) {}
inline void visit_fields(GlobalMaxPool2D&, LayerFields&) {}
inline void visit_fields(GlobalAveragePool2D&, LayerFields&) {}

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
    LayerFormat(D example) : example_(std::move(example)), write_(write<D>), read_(read<D>) {}

    std::string_view type() const { return example_.type(); }

    /// The fields of a declaration; false when it is of another type.
    bool write(const Declaration& declaration, LayerFields& field) const {
        return write_(declaration, field);
    }

    /// The declaration that has these fields.
    Declaration read(LayerFields& field) const { return read_(example_, field); }

private:
    template <class D>
    WEFT_COLD static void visit(D& declaration, LayerFields& field) {
        if constexpr (requires { field.name(declaration.name); }) {
            field.name(declaration.name);
        }
        visit_fields(declaration, field);
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
        visit(declaration, field);
        return declaration;
    }

    Declaration example_;
    bool (*write_)(const Declaration&, LayerFields&);
    Declaration (*read_)(const Declaration&, LayerFields&);
};

/// Those of all of weft's layers.
template <class Scalar, class Device = Cpu>
WEFT_COLD std::vector<LayerFormat<Scalar, Device>> weft_layer_formats() {
    return {Dense{.units = 0},
            Conv2D{.filters = 0, .kernel_size = 0},
            MaxPool2D{},
            AveragePool2D{},
            GlobalMaxPool2D{},
            GlobalAveragePool2D{},
            BatchNorm{},
            Dropout{0},
            Flatten{},
            Reshape{},
            Rescaling{1},
            ZeroPadding2D{},
            ReLU{},
            LeakyReLU{},
            ELU{},
            GELU{},
            SiLU{},
            Sigmoid{},
            Tanh{},
            Softmax{},
            Add{},
            Multiply{},
            Concatenate{}};
}

}  // namespace weft
