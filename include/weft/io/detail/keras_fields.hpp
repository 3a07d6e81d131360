/// \file
/// KerasFields: the fields of a layer's declaration in Keras's form. Compiled in
/// src/io/keras_fields.cpp.
#pragma once

#include "weft/layers/layer_fields.hpp"

#include <functional>
#include <span>

namespace weft::detail {

/// Values of weft's types in Keras's form: numbers, texts, lists and objects, which a file format
/// writes.
class KerasFields : public LayerFields {
public:
    using LayerFields::operator();

    /// [rows, columns]
    void operator()(std::string_view name, Extent2D& extent) final;
    /// [[top, bottom], [left, right]]
    void operator()(std::string_view name, Extent2D& before, Extent2D& after) final;
    /// The activation's name; with a parameter other than the default a LeakyReLU or ELU object,
    /// Keras's layers.
    void operator()(std::string_view name, Activation& activation) final;
    void operator()(std::string_view name, Padding& padding) final;
    void operator()(std::string_view name, DataFormat& format) final;
    /// Constant or VarianceScaling; the other initialisers are cases of these.
    void operator()(std::string_view name, Initializer& initializer) final;
    /// null or L1L2
    void operator()(std::string_view name, Regularizer& regularizer) final;
    /// null, MaxNorm, NonNeg or UnitNorm
    void operator()(std::string_view name, Constraint& constraint, Index rank) final;

    void name(std::string& name) final;
    /// Writes this name instead of the fields' own, as LayerDeclaration::set_name needs.
    void rename(std::string name) { other_name_ = std::move(name); }

    using LayerFields::require;

protected:
    /// An object with a type and fields, or null if the type is empty. Returns whether there is an
    /// object. Fields missing in the file keep their values. Some types need Keras's module.
    virtual bool visit_object(std::string_view name, std::string& type,
                              const std::function<void(KerasFields&)>& visit,
                              std::string_view module = {}) = 0;

    /// Whether the file has an object with the given name.
    virtual bool has_object(std::string_view name) const = 0;

private:
    /// One of several values, by name.
    template <class Value>
    void choose(std::string_view name, Value& value, std::span<const Value> all);

    std::string other_name_;
};

}  // namespace weft::detail
