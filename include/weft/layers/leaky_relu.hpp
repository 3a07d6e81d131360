/// \file
/// LeakyReLU: the rectifier with a slope below zero.
#pragma once

#include "weft/layers/layer.hpp"
#include "weft/layers/layer_fields.hpp"

namespace weft {

/// y = x for x > 0, else negative_slope x;   dx = dy or negative_slope dy.   Any shape.
struct LeakyReLU {
    double negative_slope = 0.3;  ///< at least 0
    std::string name = {};        ///< instead of "leaky_re_lu", "leaky_re_lu_1", ...

    static constexpr std::string_view type = "LeakyReLU";
    friend bool operator==(const LeakyReLU&, const LeakyReLU&) = default;

    template <class Scalar, class Device>
    class Layer;
};

WEFT_COLD inline void visit_fields(LeakyReLU& layer, LayerFields& field) {
    field("negative_slope", layer.negative_slope);
}

template <class Scalar, class Device>
class LeakyReLU::Layer final : public weft::Layer<Scalar, Device> {
public:
    WEFT_COLD Layer(const LeakyReLU& options, LayerBuilder& builder)
        : weft::Layer<Scalar, Device>(builder.input_shape(), builder.input_shape()),
          slope_(static_cast<Scalar>(options.negative_slope)) {
        builder.require(options.negative_slope >= 0, "negative_slope", options.negative_slope,
                        "at least 0");
    }

    WEFT_NOINLINE void forward(const Pass<Scalar, Device>& pass, TensorView<const Scalar, Device> x,
                               TensorView<Scalar, Device> y) const override {
        leaky_relu_forward<Scalar>(pass.device, slope_, x, y);
    }

    WEFT_NOINLINE void backward(const Pass<Scalar, Device>& pass, TensorView<const Scalar, Device>,
                                TensorView<const Scalar, Device> y, TensorView<Scalar, Device> dy,
                                TensorView<Scalar, Device> dx) const override {
        if (dx) leaky_relu_backward<Scalar>(pass.device, slope_, y, dy, dx);
    }

    bool backward_reads_x() const override { return false; }

private:
    Scalar slope_;
};

}  // namespace weft
