/// \file
/// LayerFields: the fields of a layer's declaration, on their way into a file or out of it.
#pragma once

#include "weft/core/fields.hpp"
#include "weft/initializers/initializer.hpp"
#include "weft/kernels/activation.hpp"
#include "weft/kernels/window.hpp"
#include "weft/layers/constraint.hpp"
#include "weft/layers/data_format.hpp"
#include "weft/layers/extent2d.hpp"
#include "weft/layers/regularizer.hpp"

#include <algorithm>
#include <functional>
#include <span>
#include <vector>

namespace weft {

/// Writes the fields of a declaration to a file or reads them, one call a field. What names the
/// fields of a layer is one function, beside its declaration:
///
///   struct Scale { double factor = 1; ... };
///   inline void visit_fields(Scale& scale, LayerFields& field) { field("factor", scale.factor); }
///
/// A field that a file lacks keeps the value it has; one that nobody asked for is refused. A field
/// `std::string name` is visited without being listed. Names and forms of weft's own are Keras's.
/// Throws IoError for a value of another kind than the field's.
class LayerFields : public Fields {
public:
    using Fields::operator();

    virtual void operator()(std::string_view name, std::vector<Index>& numbers) = 0;
    virtual void operator()(std::string_view name, std::vector<std::vector<Index>>& lists) = 0;
    WEFT_COLD void operator()(std::string_view name, float& number) {
        double wide = static_cast<double>(number);
        (*this)(name, wide);
        number = static_cast<float>(wide);
    }
    /// [rows, columns]
    WEFT_COLD void operator()(std::string_view name, Extent2D& extent) {
        std::vector<Index> both{extent.rows, extent.columns};
        (*this)(name, both);
        require(both.size() == 2, name, "is not two numbers");
        extent = {both[0], both[1]};
    }
    /// [[top, bottom], [left, right]]
    WEFT_COLD void operator()(std::string_view name, Extent2D& before, Extent2D& after) {
        std::vector<std::vector<Index>> sides{{before.rows, after.rows},
                                              {before.columns, after.columns}};
        (*this)(name, sides);
        require(sides.size() == 2 && sides[0].size() == 2 && sides[1].size() == 2, name,
                "is not two pairs of whole numbers");
        before = {sides[0][0], sides[1][0]};
        after = {sides[0][1], sides[1][1]};
    }
    WEFT_COLD void operator()(std::string_view name, Activation& activation) {
        constexpr Activation all[] = {linear,     relu, sigmoid, tanh, softmax,
                                      leaky_relu, elu,  gelu,    silu};
        choose<Activation>(name, activation, all);
    }
    WEFT_COLD void operator()(std::string_view name, Padding& padding) {
        constexpr Padding all[] = {valid, same};
        choose<Padding>(name, padding, all);
    }
    WEFT_COLD void operator()(std::string_view name, DataFormat& format) {
        constexpr DataFormat all[] = {channels_last, channels_first};
        choose<DataFormat>(name, format, all);
    }
    /// Constant or VarianceScaling, which the other initialisers are cases of.
    WEFT_COLD void operator()(std::string_view name, Initializer& initializer) {
        std::string type =
            initializer.kind == Initializer::Kind::constant ? "Constant" : "VarianceScaling";
        visit_object(name, type, [&](LayerFields& field) {
            if (type == "Constant") {
                initializer.kind = Initializer::Kind::constant;
                initializer.fan = {};
                return field("value", initializer.value);
            }
            field.require(type == "VarianceScaling", "is of unknown type " + type);
            std::string mode = initializer.fan == Initializer::Fan::in ? "fan_in" : "fan_avg";
            std::string distribution = initializer.kind == Initializer::Kind::truncated_normal
                                           ? "truncated_normal"
                                           : "uniform";
            field("scale", initializer.value);
            field("mode", mode);
            field("distribution", distribution);
            field.require(mode == "fan_in" || mode == "fan_avg", "has an unknown mode " + mode);
            field.require(distribution == "uniform" || distribution == "truncated_normal",
                          "has an unknown distribution " + distribution);
            initializer.fan = mode == "fan_in" ? Initializer::Fan::in : Initializer::Fan::average;
            initializer.kind = distribution == "uniform" ? Initializer::Kind::uniform
                                                         : Initializer::Kind::truncated_normal;
        });
    }
    /// null or L1L2
    WEFT_COLD void operator()(std::string_view name, Regularizer& regularizer) {
        std::string type = regularizer ? "L1L2" : "";
        const bool is_there = visit_object(name, type, [&](LayerFields& field) {
            field.require(type == "L1L2", "is of unknown type " + type);
            field("l1", regularizer.l1);
            field("l2", regularizer.l2);
        });
        if (!is_there) regularizer = {};
    }
    /// null, MaxNorm, NonNeg or UnitNorm, of a parameter of that rank: norms are over all its axes
    /// but the last, those of a vector over its one.
    WEFT_COLD void operator()(std::string_view name, Constraint& constraint, Index rank) {
        using Kind = Constraint::Kind;
        constexpr std::string_view types[] = {"", "MaxNorm", "NonNeg", "UnitNorm"};
        std::string type(types[static_cast<std::size_t>(constraint.kind)]);
        const bool is_there = visit_object(name, type, [&](LayerFields& field) {
            const auto found = std::ranges::find(types, std::string_view(type));
            field.require(found != std::end(types), "is of unknown type " + type);
            constraint.kind = static_cast<Kind>(found - std::begin(types));
            if (constraint.kind == Kind::max_norm) field("max_value", constraint.max_value);
            if (constraint.kind == Kind::non_negative) return;
            std::vector<Index> expected{0};
            for (Index axis = 1; axis < rank - 1; ++axis) expected.push_back(axis);
            std::vector<Index> axes = expected;
            field("axis", axes);
            field.require(axes == expected, "has a norm over other axes than weft's");
        });
        if (!is_there) constraint = {};
    }

    using Fields::require;
    /// Of the declaration as a whole.
    void require(bool holds, std::string_view complaint) const { require(holds, "", complaint); }

    /// The layer's name; nothing is written where the user gave none.
    WEFT_COLD void name(std::string& name) {
        if (!is_restoring() && !other_name_.empty()) {
            (*this)("name", other_name_);
        } else if (is_restoring() || !name.empty()) {
            (*this)("name", name);
        }
    }

    /// Writes another name than that of the fields, as LayerDeclaration::set_name gives.
    WEFT_COLD void rename(std::string name) { other_name_ = std::move(name); }

protected:
    /// An object with a type and fields of its own, or none where the type is empty. Whether there is
    /// one; a field that the file lacks is what it was.
    virtual bool visit_object(std::string_view name, std::string& type,
                              const std::function<void(LayerFields&)>& visit) = 0;

private:
    /// One of several values, by name.
    template <class Value>
    WEFT_COLD void choose(std::string_view name, Value& value, std::span<const Value> all) {
        std::string text(to_string(value));
        (*this)(name, text);
        std::string names;
        for (const Value candidate : all) {
            if (to_string(candidate) == text) {
                value = candidate;
                return;
            }
            names += concat(names.empty()             ? ""
                            : candidate == all.back() ? " or "
                                                      : ", ",
                            to_string(candidate));
        }
        require(false, name, concat("is ", text, ", expected ", names));
    }

    std::string other_name_;
};

}  // namespace weft
