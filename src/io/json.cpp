// JSON, through nlohmann/json: a compiled part of weft::io, like io.cpp.
#include "weft/io/detail/json.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>

namespace weft::detail {

Json::Json(Array array) : value_(std::make_unique<Array>(std::move(array))) {}
Json::Json(Object object) : value_(std::make_unique<Object>(std::move(object))) {}
Json::Json(Json&&) noexcept = default;
Json& Json::operator=(Json&&) noexcept = default;
Json::~Json() = default;

const Json* Json::find(std::string_view name) const {
    if (object() == nullptr) return nullptr;
    const auto member = std::ranges::find(*object(), name, &Member::name);
    return member == object()->end() ? nullptr : &member->value;
}

namespace {

/// Builds the value from the events of nlohmann's parser, which does not recurse.
class Reader : public nlohmann::json_sax<nlohmann::json> {
public:
    Reader(int max_depth, std::string_view where) : max_depth_(max_depth), where_(where) {}

    Json take() { return std::move(root_); }

    bool null() override { return add({}); }
    bool boolean(bool value) override { return add(value); }
    bool number_integer(number_integer_t value) override { return add(value); }
    bool number_unsigned(number_unsigned_t value) override {
        if (value > INT64_MAX) return add(static_cast<double>(value));
        return add(static_cast<std::int64_t>(value));
    }
    bool number_float(number_float_t value, const string_t&) override { return add(value); }
    bool string(string_t& value) override { return add(std::string_view(value)); }
    bool binary(binary_t&) override { return false; }
    bool key(string_t& name) override {
        open_.back()->object()->push_back({name, {}});
        return true;
    }
    bool start_array(std::size_t) override { return open(Json::Array()); }
    bool start_object(std::size_t) override { return open(Json::Object()); }
    bool end_array() override {
        open_.pop_back();
        return true;
    }
    bool end_object() override {
        std::vector<std::string_view> names;
        for (const Json::Member& member : *open_.back()->object()) names.push_back(member.name);
        std::ranges::sort(names);
        if (const auto twice = std::ranges::adjacent_find(names); twice != names.end()) {
            throw IoError(concat(where_, " cannot be read as JSON: it has ", *twice, " twice"));
        }
        return end_array();
    }
    bool parse_error(std::size_t position, const std::string&,
                     const nlohmann::json::exception&) override {
        throw IoError(concat(where_, " is not JSON: error at character ", position));
    }

private:
    bool add(Json value) {
        place() = std::move(value);
        return true;
    }

    bool open(Json value) {
        if (static_cast<int>(open_.size()) == max_depth_) {
            throw IoError(concat(where_, " cannot be read as JSON: it nests deeper than ",
                                 max_depth_, " levels"));
        }
        Json& placed = place();
        placed = std::move(value);
        open_.push_back(&placed);
        return true;
    }

    /// Where the next value goes: the root, the end of an array, or behind the last name.
    Json& place() {
        if (open_.empty()) return root_;
        if (Json::Array* array = open_.back()->array()) return array->emplace_back();
        return open_.back()->object()->back().value;
    }

    int max_depth_;
    std::string_view where_;
    Json root_;
    std::vector<Json*> open_;  ///< the arrays and objects around the next value
};

void write(const Json& json, std::string& text, std::string_view where) {
    const auto list = [&](char open, const auto& items, char close, const auto& write_item) {
        text += open;
        for (std::size_t i = 0; i < items.size(); ++i) {
            if (i > 0) text += ',';
            write_item(items[i]);
        }
        text += close;
    };
    const auto quote = [&](const std::string& value) {
        try {
            text += nlohmann::json(value).dump();
        } catch (const nlohmann::json::exception&) {
            throw ArgumentError(concat(where, ": a name is not UTF-8 text"));
        }
    };
    if (const auto* array = json.array()) {
        list('[', *array, ']', [&](const Json& item) { write(item, text, where); });
    } else if (const auto* object = json.object()) {
        list('{', *object, '}', [&](const Json::Member& member) {
            quote(member.name);
            text += ':';
            write(member.value, text, where);
        });
    } else if (json.text()) {
        quote(*json.text());
    } else if (json.integer()) {
        text += std::to_string(*json.integer());
    } else if (json.real()) {
        if (!std::isfinite(*json.real())) {
            throw ArgumentError(concat(where, ": JSON has no number for ", *json.real()));
        }
        text += nlohmann::json(*json.real()).dump();
    } else {
        text += json.is_null() ? "null" : *json.boolean() ? "true" : "false";
    }
}

}  // namespace

Json parse_json(std::string_view text, int max_depth, std::string_view where) {
    Reader reader(max_depth, where);
    nlohmann::json::sax_parse(text.data(), text.data() + text.size(), &reader);
    return reader.take();
}

std::string to_text(const Json& json, std::string_view where) {
    std::string text;
    write(json, text, where);
    return text;
}

}  // namespace weft::detail
