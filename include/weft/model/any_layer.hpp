/// \file
/// AnyLayer: declarations of layers for several number types and devices.
#pragma once

#include "weft/model/sequential.hpp"

#include <tuple>
#include <vector>

namespace weft {

/// A number type and a device for models.
template <class Scalar, class Device = Cpu>
struct For {};

/// Any declaration of a layer, which can be built for each of the given number types and devices.
/// So one list of layers, made at run time, builds models of all of them:
///
///   using Layer = AnyLayer<For<float>, For<double>, For<float, Cuda>>;
///   std::vector<Layer> layers{Flatten{}};
///   for (const Index units : {128, 64}) layers.push_back(Dense{.units = units, .activation = relu});
///   layers.push_back(Dense{.units = 10, .activation = softmax});
///
///   auto model = sequential<float>(layers);
///   auto exact = sequential<double>(layers);          // for a gradient check, say
///   auto on_gpu = sequential<float, Cuda>(layers);
///
/// For one type and device, a std::vector of LayerDeclaration<Scalar, Device> is enough. The user's
/// own layers must compile for all listed types and devices.
template <class... Targets>
class AnyLayer;

/// One declaration, for each of the listed types and devices.
template <class... Scalars, class... Devices>
class AnyLayer<For<Scalars, Devices>...> {
public:
    template <class D>
    requires(DeclaresLayer<D, Scalars, Devices> && ...)
    AnyLayer(const D& declaration) : of_(LayerDeclaration<Scalars, Devices>(declaration)...) {}

    /// The declaration for one of them.
    template <class Scalar, class Device = Cpu>
    const LayerDeclaration<Scalar, Device>& of() const {
        return std::get<LayerDeclaration<Scalar, Device>>(of_);
    }

    std::string_view type() const { return std::get<0>(of_).type(); }    ///< "Dense"
    const std::string& name() const { return std::get<0>(of_).name(); }  ///< "dense"

private:
    std::tuple<LayerDeclaration<Scalars, Devices>...> of_;
};

/// A model of the layers, not built yet, or built for samples of the given shape.
template <class Scalar, class Device = Cpu, class... Targets>
Sequential<Scalar, Device> sequential(const std::vector<AnyLayer<Targets...>>& layers,
                                      const std::optional<Shape>& input = std::nullopt) {
    Sequential<Scalar, Device> model;
    for (const auto& layer : layers) model.add(layer.template of<Scalar, Device>());
    if (input) model.build(*input);
    return model;
}

}  // namespace weft
