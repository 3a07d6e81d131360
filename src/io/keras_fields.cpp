// Declarations of layers in Keras's form: a compiled part of weft::io, like io.cpp.
#include "weft/io/detail/keras_fields.hpp"

#include <algorithm>
#include <span>

namespace weft::detail {

template <class Value>
void KerasFields::choose(std::string_view name, Value& value, std::span<const Value> all) {
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

void KerasFields::operator()(std::string_view name, Extent2D& extent) {
    std::vector<Index> both{extent.rows, extent.columns};
    (*this)(name, both);
    require(both.size() == 2, name, "is not two numbers");
    extent = {both[0], both[1]};
}

void KerasFields::operator()(std::string_view name, Extent2D& before, Extent2D& after) {
    std::vector<std::vector<Index>> sides{{before.rows, after.rows},
                                          {before.columns, after.columns}};
    (*this)(name, sides);
    require(sides.size() == 2 && sides[0].size() == 2 && sides[1].size() == 2, name,
            "is not two pairs of whole numbers");
    before = {sides[0][0], sides[1][0]};
    after = {sides[0][1], sides[1][1]};
}

void KerasFields::operator()(std::string_view name, Activation& activation) {
    using Kind = Activation::Kind;
    constexpr Activation all[] = {linear,     relu, sigmoid, tanh, softmax,
                                  leaky_relu, elu,  gelu,    silu};
    const bool is_named = std::ranges::find(all, activation) != std::end(all);
    if (is_restoring() ? !has_object(name) : is_named) {
        return choose<Activation>(name, activation, all);
    }
    std::string type = activation.kind == Kind::elu ? "ELU" : "LeakyReLU";
    const auto visit = [&](KerasFields& field) {
        field.require(type == "LeakyReLU" || type == "ELU", "is of unknown type " + type);
        if (is_restoring()) activation = type == "ELU" ? elu : leaky_relu(0.3);
        field(type == "ELU" ? "alpha" : "negative_slope", activation.parameter);
    };
    visit_object(name, type, visit, "keras.layers");
}

void KerasFields::operator()(std::string_view name, Padding& padding) {
    constexpr Padding all[] = {valid, same};
    choose<Padding>(name, padding, all);
}

void KerasFields::operator()(std::string_view name, DataFormat& format) {
    constexpr DataFormat all[] = {channels_last, channels_first};
    choose<DataFormat>(name, format, all);
}

void KerasFields::operator()(std::string_view name, Initializer& initializer) {
    std::string type =
        initializer.kind == Initializer::Kind::constant ? "Constant" : "VarianceScaling";
    visit_object(name, type, [&](KerasFields& field) {
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

void KerasFields::operator()(std::string_view name, Regularizer& regularizer) {
    std::string type = regularizer ? "L1L2" : "";
    const bool is_there = visit_object(name, type, [&](KerasFields& field) {
        field.require(type == "L1L2", "is of unknown type " + type);
        field("l1", regularizer.l1);
        field("l2", regularizer.l2);
    });
    if (!is_there) regularizer = {};
}

void KerasFields::operator()(std::string_view name, Constraint& constraint, Index rank) {
    using Kind = Constraint::Kind;
    constexpr std::string_view types[] = {"", "MaxNorm", "NonNeg", "UnitNorm"};
    std::string type(types[static_cast<std::size_t>(constraint.kind)]);
    const bool is_there = visit_object(name, type, [&](KerasFields& field) {
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

void KerasFields::name(std::string& name) {
    if (!is_restoring() && !other_name_.empty()) {
        (*this)("name", other_name_);
    } else if (is_restoring() || !name.empty()) {
        (*this)("name", name);
    }
}

}  // namespace weft::detail
