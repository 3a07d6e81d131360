/// \file
/// save_weights and load_weights: the parameters of a model in a safetensors file.
#pragma once

#include "weft/core/atomic_file.hpp"
#include "weft/io/detail/safetensors.hpp"
#include "weft/model/sequential.hpp"

namespace weft {

/// Writes all parameters of a built model, those that are not trained among them, to a safetensors
/// file, which Python's safetensors package reads: tensors "dense/kernel", "dense/bias", ..., in
/// the model's order, every bit of them. The path has the old file or the whole new one at any
/// moment. Throws IoError when it cannot be written, ArgumentError when the model is not built.
template <class Scalar, class Device>
void save_weights(const Sequential<Scalar, Device>& model, const std::filesystem::path& path) {
    std::vector<detail::SafetensorsEntry> entries;
    std::uint64_t end = 0;
    for (const ParameterInfo& parameter : model.parameters()) {
        const Shape& shape = parameter.slot.shape;
        const std::uint64_t size_bytes = static_cast<std::uint64_t>(shape.size()) * sizeof(Scalar);
        entries.push_back({parameter.name, std::string(detail::safetensors_dtype<Scalar>()), shape,
                           end, size_bytes});
        end += size_bytes;
    }
    const std::string header = detail::safetensors_header(entries);
    detail::AtomicFile file(path);
    file.write(header.data(), header.size());
    for (std::size_t i = 0; i < entries.size(); ++i) {
        file.write(model.view(model.parameters()[i].slot).data(), entries[i].size_bytes);
    }
    file.commit();
}

/// Gives every parameter of a built model its value from a file that save_weights wrote for a model
/// of the same names and shapes. Throws IoError that says what is missing, left over, of another
/// shape or number type, or wrong with the file; the model then stays as it was.
template <class Scalar, class Device>
void load_weights(Sequential<Scalar, Device>& model, const std::filesystem::path& path) {
    const auto& parameters = model.parameters();
    detail::SafetensorsFile file(path);
    std::string complaints;
    const auto complain = [&](const auto&... parts) {
        complaints += concat(complaints.empty() ? "" : "; ", parts...);
    };
    Tensor<Scalar, Device> arena(model.arena());
    std::vector<const ParameterInfo*> missing;
    for (const ParameterInfo& parameter : parameters) missing.push_back(&parameter);
    for (const detail::SafetensorsEntry& entry : file.entries()) {
        const auto found = std::ranges::find_if(
            missing, [&](const ParameterInfo* parameter) { return parameter->name == entry.name; });
        if (found == missing.end()) {
            complain("holds ", entry.name, ", which the model does not have");
            continue;
        }
        const ParameterSlot& slot = (*found)->slot;
        missing.erase(found);
        if (entry.dtype != detail::safetensors_dtype<Scalar>()) {
            complain(entry.name, " is of type ", entry.dtype, ", expected ",
                     detail::safetensors_dtype<Scalar>());
        } else if (entry.shape != slot.shape) {
            complain(entry.name, " has shape ", entry.shape, ", expected ", slot.shape);
        } else if (entry.size_bytes !=
                   static_cast<std::uint64_t>(slot.shape.size()) * sizeof(Scalar)) {
            complain(entry.name, " takes ", entry.size_bytes, " bytes, too few or many for shape ",
                     slot.shape);
        } else {
            const auto offset = model.view(slot).data() - model.arena().data();
            file.read(entry, arena.data() + offset);
        }
    }
    for (const ParameterInfo* parameter : missing) complain("has no ", parameter->name);
    if (!complaints.empty()) throw IoError(concat(file.name(), ": ", complaints));
    std::ranges::copy(arena, model.arena().begin());
}

}  // namespace weft
