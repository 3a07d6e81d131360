// The compiled part of weft::io: JSON, by way of nlohmann/json, and saving and loading in float,
// with all layers that a file may name. So that a program which saves and loads compiles about as
// fast as one that does not. The CMake target adds this file to whatever links to it; without CMake
// it is one more source file on the command line, compiled with the flags of the others.
#include "weft/core/crc32.hpp"
#include "weft/io/checkpoint_file.hpp"
#include "weft/io/model_file.hpp"

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

/// Builds the value as nlohmann's parser, which does not recurse, comes past its parts.
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
            throw IoError(
                concat(where_, " is not JSON that can be read: it has ", *twice, " twice"));
        }
        return end_array();
    }
    bool parse_error(std::size_t position, const std::string&,
                     const nlohmann::json::exception&) override {
        throw IoError(concat(where_, " is not JSON from its character ", position, " on"));
    }

private:
    bool add(Json value) {
        place() = std::move(value);
        return true;
    }

    bool open(Json value) {
        if (static_cast<int>(open_.size()) == max_depth_) {
            throw IoError(concat(where_, " is not JSON that can be read: it nests deeper than ",
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

// ---- Checkpoints -------------------------------------------------------------------------------

namespace {

constexpr int checkpoint_format_version = 1;

struct StateType {
    RunState::Type type;
    std::string_view dtype;  ///< of safetensors
    std::size_t size_bytes;
};
constexpr StateType state_types[] = {{RunState::Type::byte, "U8", 1},
                                     {RunState::Type::integer, "I64", 8},
                                     {RunState::Type::float32, "F32", 4},
                                     {RunState::Type::float64, "F64", 8}};

/// Over names, types, shapes and all bytes.
std::string check_of(const RunState& state) {
    std::uint32_t check = 0;
    for (const RunState::Value& value : state.values) {
        check = crc32c(
            concat(value.name, " ", static_cast<int>(value.type), " ", value.shape, "\n"), check);
        check =
            crc32c({reinterpret_cast<const char*>(value.bytes.data()), value.bytes.size()}, check);
    }
    return std::to_string(check);
}

}  // namespace

void write_checkpoint(const std::filesystem::path& path, const RunState& state) {
    std::vector<SafetensorsSource> tensors;
    for (const RunState::Value& value : state.values) {
        const auto& type = *std::ranges::find(state_types, value.type, &StateType::type);
        tensors.push_back(
            {value.name, type.dtype, value.shape, value.bytes.data(), value.bytes.size()});
    }
    const SafetensorsMetadata metadata{
        {"format", "weft"},
        {"checkpoint_version", std::to_string(checkpoint_format_version)},
        {"check", check_of(state)}};
    write_safetensors(path, tensors, metadata, "checkpoint_file");
}

RunState read_checkpoint(const std::filesystem::path& path, bool with_check) {
    SafetensorsFile file(path);
    const std::string_view version = file.metadata("checkpoint_version");
    file.require(file.metadata("format") == "weft" && !version.empty(),
                 "holds no checkpoint that checkpoint_file wrote");
    file.require(version == std::to_string(checkpoint_format_version),
                 concat("is a checkpoint of version ", version,
                        ", and this is weft " WEFT_VERSION ", which reads version ",
                        checkpoint_format_version));
    RunState state{.origin = file.name()};
    for (const SafetensorsEntry& entry : file.entries()) {
        const auto type = std::ranges::find(state_types, entry.dtype, &StateType::dtype);
        file.require(type != std::end(state_types),
                     concat(entry.name, " holds numbers of unknown type ", entry.dtype));
        file.require(
            entry.size_bytes / type->size_bytes == static_cast<std::uint64_t>(entry.shape.size()) &&
                entry.size_bytes % type->size_bytes == 0,
            concat(entry.name, " takes ", entry.size_bytes, " bytes, too few or many for shape ",
                   entry.shape));
        Buffer bytes(entry.size_bytes);
        file.read(entry, bytes.data());
        state.values.push_back({entry.name, type->type, entry.shape, std::move(bytes)});
    }
    file.require(!with_check || file.metadata("check") == check_of(state),
                 "is damaged: its check does not agree with what it holds");
    return state;
}

}  // namespace weft::detail

namespace weft {

RunStore checkpoint_file(const std::filesystem::path& path, const CheckpointOptions& options) {
    return run_store(
        [path, resume = options.resume]() -> std::optional<RunState> {
            std::error_code ignored;
            const auto type = std::filesystem::status(path, ignored).type();
            // Only what is not there: a file that cannot be read is not to be replaced.
            if (!resume || type == std::filesystem::file_type::not_found) return std::nullopt;
            return detail::read_checkpoint(path);
        },
        [path](const RunState& state) { detail::write_checkpoint(path, state); },
        options.every_steps);
}

template void save_weights(const Model<float, Cpu>&, const std::filesystem::path&);
template void load_weights(Model<float, Cpu>&, const std::filesystem::path&,
                           const LoadWeightsOptions&);
template WeightsReport load_matching_weights(Model<float, Cpu>&, const std::filesystem::path&,
                                             const LoadWeightsOptions&);
template void save_model(const Model<float, Cpu>&, const std::filesystem::path&,
                         const std::vector<LayerFormat<float, Cpu>>&);
template Model<float, Cpu> load_model<float, Cpu>(const std::filesystem::path&,
                                                  const std::vector<LayerFormat<float, Cpu>>&,
                                                  const LoadModelOptions&);

}  // namespace weft
