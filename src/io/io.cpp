// The compiled part of weft::io: checkpoints, and saving and loading in float, with all layers that
// a file may name. Programs that save and load thus compile about as fast as others. The CMake
// target adds these files to targets that link to it; without CMake, compile them like the
// program's own files, with the same flags.
#include "weft/core/crc32.hpp"
#include "weft/io/checkpoint_file.hpp"
#include "weft/io/model_file.hpp"

#include <algorithm>
#include <charconv>

namespace weft::detail {

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

/// The checksum of names, types, shapes and all bytes.
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
                 "is not a checkpoint that checkpoint_file wrote");
    file.require(version == std::to_string(checkpoint_format_version),
                 concat("has checkpoint version ", version, ", expected ",
                        checkpoint_format_version, " for weft " WEFT_VERSION));
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
                 "is damaged: its checksum does not match its contents");
    return state;
}

void require_model_file(const SafetensorsFile& file) {
    file.require(file.metadata("format") == "weft" && !file.metadata("architecture").empty(),
                 "is not a model that save_model wrote; load_weights reads weights alone");
    const std::string_view text = file.metadata("format_version");
    int version = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
    file.require(error == std::errc() && end == text.data() + text.size() && version >= 1,
                 concat("has the unknown format version ", text));
    file.require(version <= model_format_version,
                 concat("has format version ", version, ", expected at most ", model_format_version,
                        " for weft " WEFT_VERSION "; a newer weft reads it"));
}

WeightsReport read_weights(SafetensorsFile& file, std::string_view dtype, std::size_t element_bytes,
                           const std::vector<WeightsTarget>& targets) {
    WeightsReport report;
    const bool is_from_weft = file.metadata("format") == "weft";
    for (const SafetensorsEntry& entry : file.entries()) {
        const auto target = std::ranges::find(targets, entry.name, &WeightsTarget::name);
        if (target == targets.end()) {
            const bool is_no_parameter =
                entry.name.starts_with(self_test_prefix) || entry.name.starts_with(training_prefix);
            if (!is_from_weft || !is_no_parameter) report.unused.push_back(entry.name);
        } else if (entry.dtype != dtype) {
            report.mismatched.push_back(
                concat(entry.name, " is of type ", entry.dtype, ", expected ", dtype));
        } else if (entry.shape != target->shape) {
            report.mismatched.push_back(
                concat(entry.name, " has shape ", entry.shape, ", expected ", target->shape));
        } else if (entry.size_bytes !=
                   static_cast<std::uint64_t>(entry.shape.size()) * element_bytes) {
            report.mismatched.push_back(concat(entry.name, " takes ", entry.size_bytes,
                                               " bytes, too few or many for shape ", entry.shape));
        } else {
            file.read(entry, target->data);
            report.loaded.push_back(entry.name);
        }
    }
    for (const WeightsTarget& target : targets) {
        if (file.find(target.name) == nullptr) report.missing.emplace_back(target.name);
    }
    return report;
}

}  // namespace weft::detail

namespace weft {

RunStore checkpoint_file(const std::filesystem::path& path, const CheckpointOptions& options) {
    return run_store(
        [path, resume = options.resume]() -> std::optional<RunState> {
            std::error_code ignored;
            const auto type = std::filesystem::status(path, ignored).type();
            // Start anew only if there is no file: a file that cannot be read must not be replaced.
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
