/// \file
/// KerasFields: the fields of a layer's declaration in Keras's form. Compiled in src/io/keras_fields.cpp.
#pragma once

#include "weft/layers/layer_fields.hpp"

#include <functional>
#include <span>

namespace weft::detail {

/// Values of weft's own types in Keras's form: made of numbers, texts, lists and objects, which a file
/// format adds.
class KerasFields : public LayerFields {
public:
    using LayerFields::operator();

    /// [rows, columns]
    void operator()(std::string_view name, Extent2D& extent) final;
    /// [[top, bottom], [left, right]]
    void operator()(std::string_view name, Extent2D& before, Extent2D& after) final;
    /// Its name; LeakyReLU or ELU, as Keras has a layer as an activation, if its number is another.
    void operator()(std::string_view name, Activation& activation) final;
    void operator()(std::string_view name, Padding& padding) final;
    void operator()(std::string_view name, DataFormat& format) final;
    /// Constant or VarianceScaling, which the other initialisers are cases of.
    void operator()(std::string_view name, Initializer& initializer) final;
    /// null or L1L2
    void operator()(std::string_view name, Regularizer& regularizer) final;
    /// null, MaxNorm, NonNeg or UnitNorm
    void operator()(std::string_view name, Constraint& constraint, Index rank) final;

    void name(std::string& name) final;
    /// Writes another name than that of the fields, as LayerDeclaration::set_name gives.
    void rename(std::string name) { other_name_ = std::move(name); }

    using LayerFields::require;

protected:
    /// An object with a type and fields of its own, or none where the type is empty. Whether there is
    /// one; a field that the file lacks is what it was. Keras needs the module of some types.
    virtual bool visit_object(std::string_view name, std::string& type,
                              const std::function<void(KerasFields&)>& visit,
                              std::string_view module = {}) = 0;

    /// Whether a file that is read has an object of that name.
    virtual bool has_object(std::string_view name) const = 0;

private:
    /// One of several values, by name.
    template <class Value>
    void choose(std::string_view name, Value& value, std::span<const Value> all);

    std::string other_name_;
};

}  // namespace weft::detail
