/// \file
/// ELU: the exponential linear unit.
#pragma once

#include "weft/layers/layer.hpp"
#include "weft/layers/layer_fields.hpp"

namespace weft {

/// y = x for x > 0, else alpha (exp(x) - 1);   dx = dy or dy (y + alpha).   Any shape.
/// Source: Clevert, Unterthiner and Hochreiter 2016, eq. 15 and 16.
struct ELU {
    double alpha = 1;       ///< above 0
    std::string name = {};  ///< instead of "elu", "elu_1", ...

    static constexpr std::string_view type = "ELU";
    friend bool operator==(const ELU&, const ELU&) = default;

    template <class Scalar, class Device>
    class Layer;
};

WEFT_COLD inline void visit_fields(ELU& layer, LayerFields& field) { field("alpha", layer.alpha); }

template <class Scalar, class Device>
class ELU::Layer final : public weft::Layer<Scalar, Device> {
public:
    WEFT_COLD Layer(const ELU& options, LayerBuilder& builder)
        : weft::Layer<Scalar, Device>(builder.input_shape(), builder.input_shape()),
          alpha_(static_cast<Scalar>(options.alpha)) {
        builder.require(options.alpha > 0, "alpha", options.alpha, "a positive number");
    }

    WEFT_NOINLINE void forward(const Pass<Scalar, Device>& pass, TensorView<const Scalar, Device> x,
                               TensorView<Scalar, Device> y) const override {
        elu_forward<Scalar>(pass.device, alpha_, x, y);
    }

    WEFT_NOINLINE void backward(const Pass<Scalar, Device>& pass, TensorView<const Scalar, Device>,
                                TensorView<const Scalar, Device> y, TensorView<Scalar, Device> dy,
                                TensorView<Scalar, Device> dx) const override {
        if (dx) elu_backward<Scalar>(pass.device, alpha_, y, dy, dx);
    }

    bool backward_reads_x() const override { return false; }

private:
    Scalar alpha_;
};

}  // namespace weft
