/// \file
/// save_weights and load_weights: the parameters of a model in a safetensors file.
#pragma once

#include "weft/core/staging.hpp"
#include "weft/io/detail/safetensors.hpp"
#include "weft/model/sequential.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>

namespace weft {

/// The result of load_matching_weights.
struct WeightsReport {
    std::vector<std::string> loaded;      ///< parameters with values from the file
    std::vector<std::string> missing;     ///< parameters missing in the file
    std::vector<std::string> unused;      ///< tensors without a parameter in the model
    std::vector<std::string> mismatched;  ///< "dense/kernel has shape (27, 5), expected (27, 2)"

    /// Whether every parameter was loaded and every tensor used.
    bool is_complete() const { return missing.empty() && unused.empty() && mismatched.empty(); }

    /// All differences in one line: "holds b/bias, which the model does not have; has no a/bias".
    WEFT_COLD std::string to_string() const {
        std::string text;
        const auto add = [&](const auto&... parts) {
            text += concat(text.empty() ? "" : "; ", parts...);
        };
        for (const std::string& name : mismatched) add(name);
        for (const std::string& name : unused)
            add("holds ", name, ", which the model does not have");
        for (const std::string& name : missing) add("has no ", name);
        return text;
    }
};

namespace detail {

/// Prefixes of tensors that are not parameters: in model files "self_test/input" and
/// "self_test/output", in checkpoints the state of the training.
inline constexpr std::string_view self_test_prefix = "self_test/";
inline constexpr std::string_view training_prefix = "training/";

/// The destination of a parameter's numbers.
struct WeightsTarget {
    std::string_view name;
    Shape shape;
    void* data;
};

/// Reads the tensors that fit a parameter by name, shape and number type.
WeightsReport read_weights(SafetensorsFile& file, std::string_view dtype, std::size_t element_bytes,
                           const std::vector<WeightsTarget>& targets);

/// A parameter's numbers in an arena of the model's layout, in host memory.
template <class Scalar, class Device, class Arena>
Arena* numbers_of(const Model<Scalar, Device>& model, const ParameterInfo& parameter,
                  Arena* arena) {
    return arena + (model.view(parameter.slot).data() - model.arena().data());
}

/// Reads the tensors that fit into an arena of the model's layout, in host memory.
template <class Scalar, class Device>
WEFT_COLD WeightsReport read_weights(SafetensorsFile& file, const Model<Scalar, Device>& model,
                                     Scalar* arena) {
    std::vector<WeightsTarget> targets;
    for (const ParameterInfo& parameter : model.parameters()) {
        targets.push_back(
            {parameter.name, parameter.slot.shape, numbers_of(model, parameter, arena)});
    }
    return read_weights(file, safetensors_dtype<Scalar>(), sizeof(Scalar), targets);
}

/// Throws IoError unless the named parameters, in an arena of the model's layout, are finite.
/// `advice` ends the message.
template <class Scalar, class Device>
WEFT_COLD void require_finite(const SafetensorsFile& file, const Model<Scalar, Device>& model,
                              const Scalar* arena, const std::vector<std::string>& names,
                              std::string_view advice) {
    const auto finite = [](Scalar x) { return std::isfinite(x); };
    for (const ParameterInfo& parameter : model.parameters()) {
        if (std::ranges::find(names, parameter.name) == names.end()) continue;
        const Scalar* const numbers = numbers_of(model, parameter, arena);
        file.require(std::all_of(numbers, numbers + parameter.slot.shape.size(), finite),
                     concat(parameter.name, " holds a NaN or an infinity; ", advice, " takes it"));
    }
}

/// A tensor to write under the given name.
template <class Scalar>
WEFT_COLD SafetensorsSource source_of(std::string name, TensorView<const Scalar> tensor) {
    return {std::move(name), safetensors_dtype<Scalar>(), tensor.shape(), tensor.data(),
            static_cast<std::uint64_t>(tensor.size()) * sizeof(Scalar)};
}

/// All parameters of a model, to write from a copy of its arena.
template <class Scalar, class Device>
WEFT_COLD std::vector<SafetensorsSource> weights_of(const Model<Scalar, Device>& model,
                                                    TensorView<const Scalar> arena) {
    std::vector<SafetensorsSource> sources;
    for (const ParameterInfo& parameter : model.parameters()) {
        sources.push_back(source_of<Scalar>(
            parameter.name, {numbers_of(model, parameter, arena.data()), parameter.slot.shape}));
    }
    return sources;
}

/// A copy of a model's arena.
template <class Scalar, class Device>
WEFT_COLD Tensor<Scalar> copy_of_arena(const Model<Scalar, Device>& model) {
    Tensor<Scalar> arena(model.arena().shape());
    copy_to_host<Scalar>(model.device(), model.arena(), arena);
    return arena;
}

}  // namespace detail

/// Writes all parameters of a built model, also those that are not trained, to a safetensors file:
/// tensors "dense/kernel", "dense/bias", ..., in the model's order, bit for bit. Python's
/// safetensors package reads it. At any moment the path has the old file or the whole new one.
/// Throws IoError when it cannot be written, ArgumentError when the model is not built.
template <class Scalar, class Device>
void save_weights(const Model<Scalar, Device>& model, const std::filesystem::path& path) {
    model.parameters();  // throws unless it is built
    const auto arena = on_host<Scalar>(model.device(), model.arena());
    detail::write_safetensors(path, detail::weights_of<Scalar, Device>(model, arena),
                              {{"format", "weft"}}, "save_weights");
}

/// Options of load_weights and load_matching_weights.
struct LoadWeightsOptions {
    bool allow_non_finite = false;  ///< accept NaNs and infinities in parameters
};

/// Loads every parameter of a built model from a file of save_weights, save_model or a checkpoint.
/// Names and shapes must be the same. Throws IoError that lists what is missing, left over, of
/// another shape or number type, not finite, or wrong with the file; the model is then unchanged.
template <class Scalar, class Device>
void load_weights(Model<Scalar, Device>& model, const std::filesystem::path& path,
                  const LoadWeightsOptions& options = {}) {
    detail::SafetensorsFile file(path);
    Tensor<Scalar> arena = detail::copy_of_arena(model);
    const WeightsReport report = detail::read_weights(file, model, arena.data());
    file.require(report.is_complete(), report.to_string());
    if (!options.allow_non_finite) {
        detail::require_finite(file, model, arena.data(), report.loaded,
                               "load_weights(model, path, {.allow_non_finite = true})");
    }
    copy_to_device<Scalar>(model.device(), arena, model.arena());
}

/// Loads the parameters of a built model that a file has, by name, shape and number type; the
/// others keep their values. Returns what was loaded and what was not. It is for transfer to
/// another model, such as one with another last layer. Throws IoError when a loaded parameter is
/// not finite or the file is damaged; the model is then unchanged.
template <class Scalar, class Device>
WeightsReport load_matching_weights(Model<Scalar, Device>& model, const std::filesystem::path& path,
                                    const LoadWeightsOptions& options = {}) {
    detail::SafetensorsFile file(path);
    Tensor<Scalar> arena = detail::copy_of_arena(model);
    WeightsReport report = detail::read_weights(file, model, arena.data());
    if (!options.allow_non_finite) {
        detail::require_finite(file, model, arena.data(), report.loaded,
                               "load_matching_weights(model, path, {.allow_non_finite = true})");
    }
    copy_to_device<Scalar>(model.device(), arena, model.arena());
    return report;
}

// Compiled in src/io/io.cpp.
extern template void save_weights(const Model<float, Cpu>&, const std::filesystem::path&);
extern template void load_weights(Model<float, Cpu>&, const std::filesystem::path&,
                                  const LoadWeightsOptions&);
extern template WeightsReport load_matching_weights(Model<float, Cpu>&,
                                                    const std::filesystem::path&,
                                                    const LoadWeightsOptions&);

}  // namespace weft
