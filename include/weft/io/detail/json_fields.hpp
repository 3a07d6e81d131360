/// \file
/// JsonFields: the fields of a layer's declaration as JSON. Compiled in src/io/json_fields.cpp.
#pragma once

#include "weft/io/detail/json.hpp"
#include "weft/io/detail/keras_fields.hpp"

namespace weft::detail {

/// Fields as members of a JSON object. An object with a type is null or {"class_name": type,
/// "config": {fields}}, preceded by "module" if it has one.
class JsonFields final : public KerasFields {
public:
    /// Writes the fields; result() returns them.
    JsonFields() = default;
    /// Reads the fields of an object. `where` starts error messages.
    JsonFields(const Json& config, std::string where);

    using KerasFields::operator();
    using KerasFields::require;

    bool is_restoring() const override { return config_ != nullptr; }
    void operator()(std::string_view name, bool& truth) override;
    void operator()(std::string_view name, double& number) override;
    void operator()(std::string_view name, std::string& text) override;
    void operator()(std::string_view name, std::vector<Index>& numbers) override;
    void operator()(std::string_view name, std::vector<std::vector<Index>>& lists) override;

    /// Throws IoError "<where>: <name> <complaint>", without a name "<where>: <complaint>".
    void require(bool holds, std::string_view name, std::string_view complaint) const override;

    /// Throws IoError if the file has a field that was not read.
    void require_all_known() const;

    /// The written object.
    Json result() { return std::move(written_); }

private:
    void visit_integer(std::string_view name, std::int64_t& number) override;
    bool visit_object(std::string_view name, std::string& type,
                      const std::function<void(KerasFields&)>& visit,
                      std::string_view module) override;
    bool has_object(std::string_view name) const override;

    void write(std::string_view name, Json json);
    const Json* find(std::string_view name);
    std::vector<Index> integers(std::string_view name, const Json& json) const;

    const Json* config_ = nullptr;
    std::string where_;
    std::vector<std::string> known_;
    Json::Object written_;
};

}  // namespace weft::detail
