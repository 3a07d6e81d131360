/// \file
/// LayerFields: the fields of a layer's declaration, on their way into a file or out of it.
#pragma once

#include "weft/initializers/initializer.hpp"
#include "weft/io/detail/json.hpp"
#include "weft/kernels/activation.hpp"
#include "weft/kernels/window.hpp"
#include "weft/layers/constraint.hpp"
#include "weft/layers/extent2d.hpp"
#include "weft/layers/flatten.hpp"
#include "weft/layers/regularizer.hpp"

#include <algorithm>
#include <span>
#include <utility>

namespace weft {

/// Writes the fields of a declaration to a file or reads them, one call a field. What names the
/// fields of a layer is one function, found beside its declaration:
///
///   struct Scale { double factor = 1; ... };
///   inline void visit_fields(Scale& scale, LayerFields& field) { field("factor", scale.factor); }
///
/// A field that a file lacks keeps the value it has; one that nobody asked for is refused. A field
/// `std::string name` is visited without being listed. Names and forms of weft's own are Keras's.
/// Throws IoError for a value of another kind than the field's.
class LayerFields {
public:
    /// Writes; result() is what was written.
    LayerFields() = default;
    /// Reads from an object. `where` begins errors.
    LayerFields(const detail::Json& config, std::string where)
        : config_(&config), where_(std::move(where)) {
        require(config.object() != nullptr, "its config is no object");
    }

    /// Whole numbers.
    template <std::integral T>
    void operator()(std::string_view name, T& number) {
        std::int64_t wide = static_cast<std::int64_t>(number);
        visit_integer(name, wide);
        require(std::in_range<T>(wide), concat(name, " is ", wide, ", which is out of range"));
        number = static_cast<T>(wide);
    }
    template <std::floating_point T>
    void operator()(std::string_view name, T& number) {
        double wide = static_cast<double>(number);
        visit_real(name, wide);
        number = static_cast<T>(wide);
    }
    WEFT_COLD void operator()(std::string_view name, bool& truth) {
        if (config_ == nullptr) return write(name, truth);
        if (const detail::Json* json = find(name)) {
            require(json->boolean() != nullptr, concat(name, " is neither true nor false"));
            truth = *json->boolean();
        }
    }
    WEFT_COLD void operator()(std::string_view name, std::string& text) {
        if (config_ == nullptr) return write(name, std::string_view(text));
        if (const detail::Json* json = find(name)) text = text_of(name, *json);
    }
    WEFT_COLD void operator()(std::string_view name, std::vector<Index>& numbers) {
        if (config_ == nullptr) return write(name, list(numbers));
        if (const detail::Json* json = find(name)) {
            require(json->array() != nullptr, concat(name, " is no list"));
            numbers.clear();
            for (const detail::Json& item : *json->array()) {
                require(item.integer() != nullptr, concat(name, " is no list of whole numbers"));
                numbers.push_back(static_cast<Index>(*item.integer()));
            }
        }
    }
    /// [rows, columns]
    WEFT_COLD void operator()(std::string_view name, Extent2D& extent) {
        std::vector<Index> both{extent.rows, extent.columns};
        (*this)(name, both);
        require(both.size() == 2, concat(name, " is not two numbers"));
        extent = {both[0], both[1]};
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
        std::string text = format == channels_last ? "channels_last" : "channels_first";
        (*this)(name, text);
        require(text == "channels_last" || text == "channels_first",
                concat(name, " is ", text, ", expected channels_last or channels_first"));
        format = text == "channels_last" ? channels_last : channels_first;
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
    /// [[top, bottom], [left, right]]
    WEFT_COLD void operator()(std::string_view name, Extent2D& before, Extent2D& after) {
        if (config_ == nullptr) {
            detail::Json::Array sides;
            sides.push_back(list({before.rows, after.rows}));
            sides.push_back(list({before.columns, after.columns}));
            return write(name, std::move(sides));
        }
        const detail::Json* json = find(name);
        if (json == nullptr) return;
        require(json->array() && json->array()->size() == 2, concat(name, " is not two pairs"));
        const auto read = [&](std::size_t side, Index& first, Index& second) {
            const auto* pair = (*json->array())[side].array();
            require(pair && pair->size() == 2 && (*pair)[0].integer() && (*pair)[1].integer(),
                    concat(name, " is not two pairs of whole numbers"));
            first = static_cast<Index>(*(*pair)[0].integer());
            second = static_cast<Index>(*(*pair)[1].integer());
        };
        read(0, before.rows, after.rows);
        read(1, before.columns, after.columns);
    }

    /// The layer's name; nothing is written where the user gave none.
    WEFT_COLD void name(std::string& name) {
        if (config_ == nullptr && !other_name_.empty()) {
            (*this)("name", other_name_);
        } else if (config_ != nullptr || !name.empty()) {
            (*this)("name", name);
        }
    }

    /// Writes another name than that of the fields, as LayerDeclaration::set_name gives.
    WEFT_COLD void rename(std::string name) { other_name_ = std::move(name); }

    /// What was written.
    WEFT_COLD detail::Json result() { return std::move(written_); }

    /// Throws IoError when the file has a field that nobody asked for.
    WEFT_COLD void require_all_known() const {
        for (const detail::Json::Member& member : *config_->object()) {
            require(std::ranges::find(known_, member.name) != known_.end(),
                    concat("has a field ", member.name, ", which its type does not have"));
        }
    }

    /// Throws IoError `<where>: <complaint>` unless it holds.
    WEFT_COLD void require(bool holds, std::string_view complaint) const {
        if (!holds) throw IoError(concat(where_, ": ", complaint));
    }

private:
    WEFT_COLD void write(std::string_view name, detail::Json json) {
        written_.push_back({std::string(name), std::move(json)});
    }

    WEFT_COLD const detail::Json* find(std::string_view name) {
        known_.emplace_back(name);
        return config_->find(name);
    }

    WEFT_COLD static detail::Json list(const std::vector<Index>& numbers) {
        detail::Json::Array array;
        for (const Index number : numbers) array.emplace_back(number);
        return array;
    }

    WEFT_COLD const std::string& text_of(std::string_view name, const detail::Json& json) const {
        require(json.text() != nullptr, concat(name, " is no text"));
        return *json.text();
    }

    WEFT_COLD void visit_integer(std::string_view name, std::int64_t& number) {
        if (config_ == nullptr) return write(name, number);
        if (const detail::Json* json = find(name)) {
            require(json->integer() != nullptr, concat(name, " is no whole number"));
            number = *json->integer();
        }
    }

    WEFT_COLD void visit_real(std::string_view name, double& number) {
        if (config_ == nullptr) return write(name, number);
        if (const detail::Json* json = find(name)) {
            require(json->real() || json->integer(), concat(name, " is no number"));
            number = json->real() ? *json->real() : static_cast<double>(*json->integer());
        }
    }

    /// One of several values, by name.
    template <class Value>
    WEFT_COLD void choose(std::string_view name, Value& value, std::span<const Value> all) {
        std::string text(to_string(value));
        (*this)(name, text);
        const auto named = [&](Value candidate) { return to_string(candidate) == text; };
        const auto found = std::ranges::find_if(all, named);
        require(found != all.end(), concat(name, " is ", text, ", which is unknown"));
        value = *found;
    }

    /// {"class_name": type, "config": {what `visit` visits}}, or null for an empty type. Whether
    /// there is an object, or nothing about it in the file.
    template <class Visit>
    bool visit_object(std::string_view name, std::string& type, const Visit& visit) {
        if (config_ == nullptr) {
            if (type.empty()) {
                write(name, {});
                return false;
            }
            LayerFields inner;
            visit(inner);
            detail::Json::Object object;
            object.push_back({"class_name", std::string_view(type)});
            object.push_back({"config", inner.result()});
            write(name, std::move(object));
            return true;
        }
        const detail::Json* json = find(name);
        if (json == nullptr) return !type.empty();
        if (json->is_null()) return false;
        const detail::Json* class_name = json->find("class_name");
        const detail::Json* config = json->find("config");
        require(class_name && class_name->text() && config && json->object()->size() == 2,
                concat(name, " has other fields than class_name and config"));
        type = *class_name->text();
        LayerFields inner(*config, concat(where_, ": ", name));
        visit(inner);
        inner.require_all_known();
        return true;
    }

    const detail::Json* config_ = nullptr;
    std::string where_;
    std::vector<std::string> known_;
    detail::Json::Object written_;
    std::string other_name_;
};

}  // namespace weft
