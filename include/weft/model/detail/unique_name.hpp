/// \file
/// The names of a model's layers.
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
            throw ArgumentError(concat("sequential: two layers are named ", name));
        }
        name = concat(declaration.name(), "_", i);
    }
    return name;
}

}  // namespace weft::detail
