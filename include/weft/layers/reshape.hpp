/// \file
/// Reshape: the elements of a sample with another shape.
#pragma once

#include "weft/layers/layer.hpp"
#include "weft/layers/layer_fields.hpp"

namespace weft {

/// Gives each sample another shape of the same size, in the same order:
/// X (N, d1, ..., dk) -> Y (N, e1, ..., em). One extent may be -1: it follows from the others. No
/// copy.
struct Reshape {
    std::vector<Index> target_shape;  ///< of one sample, without N
    std::string name = {};            ///< instead of "reshape", "reshape_1", ...

    static constexpr std::string_view type = "Reshape";
    friend bool operator==(const Reshape&, const Reshape&) = default;

    template <class Scalar, class Device>
    class Layer;
};

WEFT_COLD inline void visit_fields(Reshape& layer, LayerFields& field) {
    field("target_shape", layer.target_shape);
}

template <class Scalar, class Device>
class Reshape::Layer final : public weft::Layer<Scalar, Device> {
public:
    WEFT_COLD Layer(const Reshape& options, LayerBuilder& builder)
        : weft::Layer<Scalar, Device>(builder.input_shape(), resolve(options, builder)) {}

    WEFT_NOINLINE void forward(const Pass<Scalar, Device>&, TensorView<const Scalar, Device>,
                               TensorView<Scalar, Device>) const override {}
    WEFT_NOINLINE void backward(const Pass<Scalar, Device>&, TensorView<const Scalar, Device>,
                                TensorView<const Scalar, Device>, TensorView<Scalar, Device>,
                                TensorView<Scalar, Device>) const override {}
    bool is_view() const override { return true; }

private:
    static Shape resolve(const Reshape& options, const LayerBuilder& builder) {
        std::vector<Index> extents = options.target_shape;
        const Index size = builder.input_shape().size();
        const auto open = std::count(extents.begin(), extents.end(), Index{-1});
        builder.require(open <= 1, "target_shape",
                        detail::join({"one with ", open, " extents of -1"}), "at most one -1");
        if (open == 1) {
            const auto free = std::find(extents.begin(), extents.end(), Index{-1});
            *free = 1;
            const Index others = Shape(extents).size();
            *free = others == 0 ? 0 : size / others;
        }
        const Shape shape(extents);
        builder.require_input(shape.size() == size,
                              detail::join({"as many elements as target_shape ", shape}));
        return shape;
    }
};

}  // namespace weft
