// Declarations of layers as JSON: a compiled part of weft::io, like io.cpp.
#include "weft/io/detail/json_fields.hpp"

#include <algorithm>

namespace weft::detail {

namespace {

Json list(const std::vector<Index>& numbers) {
    Json::Array array;
    for (const Index number : numbers) array.emplace_back(number);
    return array;
}

}  // namespace

JsonFields::JsonFields(const Json& config, std::string where)
    : config_(&config), where_(std::move(where)) {
    require(config.object() != nullptr, "its config", "is not an object");
}

void JsonFields::operator()(std::string_view name, bool& truth) {
    if (config_ == nullptr) return write(name, truth);
    if (const Json* json = find(name)) {
        require(json->boolean() != nullptr, name, "is neither true nor false");
        truth = *json->boolean();
    }
}

void JsonFields::operator()(std::string_view name, double& number) {
    if (config_ == nullptr) return write(name, number);
    if (const Json* json = find(name)) {
        require(json->real() || json->integer(), name, "is not a number");
        number = json->real() ? *json->real() : static_cast<double>(*json->integer());
    }
}

void JsonFields::operator()(std::string_view name, std::string& text) {
    if (config_ == nullptr) return write(name, std::string_view(text));
    if (const Json* json = find(name)) {
        require(json->text() != nullptr, name, "is not a text");
        text = *json->text();
    }
}

void JsonFields::operator()(std::string_view name, std::vector<Index>& numbers) {
    if (config_ == nullptr) return write(name, list(numbers));
    if (const Json* json = find(name)) numbers = integers(name, *json);
}

void JsonFields::operator()(std::string_view name, std::vector<std::vector<Index>>& lists) {
    if (config_ == nullptr) {
        Json::Array array;
        for (const std::vector<Index>& numbers : lists) array.push_back(list(numbers));
        return write(name, std::move(array));
    }
    if (const Json* json = find(name)) {
        require(json->array() != nullptr, name, "is not a list of lists");
        lists.clear();
        for (const Json& item : *json->array()) lists.push_back(integers(name, item));
    }
}

void JsonFields::require(bool holds, std::string_view name, std::string_view complaint) const {
    if (holds) return;
    throw IoError(concat(where_, ": ", name, name.empty() ? "" : " ", complaint));
}

void JsonFields::require_all_known() const {
    for (const Json::Member& member : *config_->object()) {
        require(std::ranges::find(known_, member.name) != known_.end(), "has a field",
                concat(member.name, ", which its type does not have"));
    }
}

void JsonFields::visit_integer(std::string_view name, std::int64_t& number) {
    if (config_ == nullptr) return write(name, number);
    if (const Json* json = find(name)) {
        require(json->integer() != nullptr, name, "is not a whole number");
        number = *json->integer();
    }
}

bool JsonFields::visit_object(std::string_view name, std::string& type,
                              const std::function<void(KerasFields&)>& visit,
                              std::string_view module) {
    if (config_ == nullptr) {
        if (type.empty()) {
            write(name, {});
            return false;
        }
        JsonFields inner;
        visit(inner);
        Json::Object object;
        if (!module.empty()) object.push_back({"module", module});
        object.push_back({"class_name", std::string_view(type)});
        object.push_back({"config", inner.result()});
        write(name, std::move(object));
        return true;
    }
    const Json* json = find(name);
    if (json == nullptr) return !type.empty();
    if (json->is_null()) return false;
    const Json* class_name = json->find("class_name");
    const Json* config = json->find("config");
    const std::size_t fields = module.empty() || !json->find("module") ? 2 : 3;
    require(class_name && class_name->text() && config && json->object()->size() == fields, name,
            "has other fields than class_name and config");
    type = *class_name->text();
    JsonFields inner(*config, concat(where_, ": ", name));
    visit(inner);
    inner.require_all_known();
    return true;
}

bool JsonFields::has_object(std::string_view name) const {
    const Json* json = config_->find(name);
    return json != nullptr && json->object() != nullptr;
}

void JsonFields::write(std::string_view name, Json json) {
    written_.push_back({std::string(name), std::move(json)});
}

const Json* JsonFields::find(std::string_view name) {
    known_.emplace_back(name);
    return config_->find(name);
}

std::vector<Index> JsonFields::integers(std::string_view name, const Json& json) const {
    require(json.array() != nullptr, name, "is not a list");
    std::vector<Index> numbers;
    for (const Json& item : *json.array()) {
        require(item.integer() != nullptr, name, "is not a list of whole numbers");
        numbers.push_back(static_cast<Index>(*item.integer()));
    }
    return numbers;
}

}  // namespace weft::detail
