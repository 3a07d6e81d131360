/// \file
/// The names of a model's layers and parameters.
#pragma once

#include "weft/layers/layer.hpp"

namespace weft::detail {

/// "dense", then "dense_1", "dense_2", ... Throws ArgumentError when the user gave a name that is
/// taken.
template <class Scalar, class Device>
WEFT_COLD std::string unique_name(const LayerDeclaration<Scalar, Device>& declaration,
                                  const std::vector<std::string>& taken) {
    std::string name = declaration.name();
    for (Index i = 1; std::ranges::find(taken, name) != taken.end(); ++i) {
        if (declaration.named()) {
            throw ArgumentError(join({"sequential: two layers are named ", name}));
        }
        name = join({declaration.name(), "_", i});
    }
    return name;
}

/// The parameter of that name. Throws ArgumentError, which lists those there are.
WEFT_COLD inline const ParameterInfo& find_parameter(const std::vector<ParameterInfo>& parameters,
                                                     std::string_view name) {
    std::string known;
    for (const ParameterInfo& parameter : parameters) {
        if (parameter.name == name) return parameter;
        known += join({known.empty() ? "" : ", ", parameter.name});
    }
    throw ArgumentError(join(
        {"sequential: no parameter is named ", name, known.empty() ? "" : "; there are ", known}));
}

}  // namespace weft::detail
