/// \file
/// Flatten: all axes of a sample as one.
#pragma once

#include "weft/layers/data_format.hpp"
#include "weft/layers/layer.hpp"
#include "weft/layers/layer_fields.hpp"

namespace weft {

/// Flattens each sample:  X (N, d1, ..., dk) -> Y (N, d1 ... dk).
///
/// With channels_last the elements keep their order and nothing is copied. With channels_first the
/// axis d1 is first moved to the end, which gives the order of channels_last data; backward moves
/// it back. As in Keras.
struct Flatten {
    DataFormat data_format = channels_last;  ///< of the inputs
    std::string name = {};                   ///< instead of "flatten", "flatten_1", ...

    static constexpr std::string_view type = "Flatten";
    friend bool operator==(const Flatten&, const Flatten&) = default;

    template <class Scalar, class Device>
    class Layer;
};

WEFT_COLD inline void visit_fields(Flatten& layer, LayerFields& field) {
    field("data_format", layer.data_format);
}

template <class Scalar, class Device>
class Flatten::Layer final : public weft::Layer<Scalar, Device> {
public:
    WEFT_COLD Layer(const Flatten& options, LayerBuilder& builder)
        : weft::Layer<Scalar, Device>(builder.input_shape(), {builder.input_shape().size()}),
          moves_channels_(options.data_format == channels_first &&
                          builder.input_shape().rank() > 1) {}

    WEFT_NOINLINE void forward(const Pass<Scalar, Device>& pass, TensorView<const Scalar, Device> x,
                               TensorView<Scalar, Device> y) const override {
        const Index n = x.shape()[0];
        transpose_samples<Scalar>(pass.device, x.reshape({n, channels(), positions()}),
                                  y.reshape({n, positions(), channels()}));
    }

    WEFT_NOINLINE void backward(const Pass<Scalar, Device>& pass,
                                TensorView<const Scalar, Device> x,
                                TensorView<const Scalar, Device>, TensorView<Scalar, Device> dy,
                                TensorView<Scalar, Device> dx) const override {
        if (!dx) return;
        const Index n = x.shape()[0];
        transpose_samples<Scalar>(pass.device, dy.reshape({n, positions(), channels()}),
                                  dx.reshape({n, channels(), positions()}));
    }

    bool is_view() const override { return !moves_channels_; }

private:
    Index channels() const { return this->input_shape()[0]; }
    Index positions() const {
        return channels() == 0 ? 0 : this->input_shape().size() / channels();
    }

    bool moves_channels_;
};

}  // namespace weft
