/// \file
/// Rescaling: a fixed scale and offset.
#pragma once

#include "weft/layers/layer.hpp"
#include "weft/layers/layer_fields.hpp"

namespace weft {

/// y = scale x + offset,   dx = scale dy.   Any shape. Rescaling{1.0 / 255} maps pixels to [0, 1].
struct Rescaling {
    double scale;           ///< multiplies x
    double offset = 0;      ///< added to the product
    std::string name = {};  ///< instead of "rescaling", "rescaling_1", ...

    static constexpr std::string_view type = "Rescaling";
    friend bool operator==(const Rescaling&, const Rescaling&) = default;

    template <class Scalar, class Device>
    class Layer;
};

WEFT_COLD inline void visit_fields(Rescaling& layer, LayerFields& field) {
    field("scale", layer.scale);
    field("offset", layer.offset);
}

template <class Scalar, class Device>
class Rescaling::Layer final : public weft::Layer<Scalar, Device> {
public:
    WEFT_COLD Layer(const Rescaling& options, LayerBuilder& builder)
        : weft::Layer<Scalar, Device>(builder.input_shape(), builder.input_shape()),
          scale_(static_cast<Scalar>(options.scale)),
          offset_(static_cast<Scalar>(options.offset)) {
        builder.require(std::isfinite(options.scale), "scale", options.scale, "a finite number");
        builder.require(std::isfinite(options.offset), "offset", options.offset, "a finite number");
    }

    WEFT_NOINLINE void forward(const Pass<Scalar, Device>& pass, TensorView<const Scalar, Device> x,
                               TensorView<Scalar, Device> y) const override {
        scale_and_offset<Scalar>(pass.device, x, scale_, offset_, y);
    }

    WEFT_NOINLINE void backward(const Pass<Scalar, Device>& pass, TensorView<const Scalar, Device>,
                                TensorView<const Scalar, Device>, TensorView<Scalar, Device> dy,
                                TensorView<Scalar, Device> dx) const override {
        if (dx) scale_and_offset<Scalar>(pass.device, dy, scale_, Scalar(0), dx);
    }

    bool backward_reads_x() const override { return false; }
    bool backward_reads_y(bool) const override { return false; }

private:
    Scalar scale_, offset_;
};

}  // namespace weft
