/// \file
/// Dropout: random zeros in training.
#pragma once

#include "weft/kernels/dropping.hpp"
#include "weft/layers/layer.hpp"
#include "weft/layers/layer_fields.hpp"

namespace weft {

/// In training each element is kept with probability 1 - rate and divided by it, else set to 0:
/// y = m x / (1 - rate),  dx = m dy / (1 - rate).  In inference y = x. Any shape.
///
/// The mask differs in each layer and step, and is the same for any number of threads.
/// Source: Srivastava et al. 2014, section 10, with the scale moved to training.
struct Dropout {
    double rate;            ///< the share that is dropped, in [0, 1)
    std::string name = {};  ///< instead of "dropout", "dropout_1", ...

    static constexpr std::string_view type = "Dropout";
    friend bool operator==(const Dropout&, const Dropout&) = default;

    template <class Scalar, class Device>
    class Layer;
};

WEFT_COLD inline void visit_fields(Dropout& layer, LayerFields& field) {
    field("rate", layer.rate);
}

template <class Scalar, class Device>
class Dropout::Layer final : public weft::Layer<Scalar, Device> {
public:
    WEFT_COLD Layer(const Dropout& options, LayerBuilder& builder)
        : weft::Layer<Scalar, Device>(builder.input_shape(), builder.input_shape()),
          rate_(options.rate) {
        builder.require(rate_ >= 0 && rate_ < 1, "rate", rate_, "a number in [0, 1)");
    }

    WEFT_NOINLINE void forward(const Pass<Scalar, Device>& pass, TensorView<const Scalar, Device> x,
                               TensorView<Scalar, Device> y) const override {
        if (!pass.training) return copy_elements<Scalar>(pass.device, x, y);
        dropout_forward<Scalar>(pass.device, dropping(pass), x, y);
    }

    WEFT_NOINLINE void backward(const Pass<Scalar, Device>& pass, TensorView<const Scalar, Device>,
                                TensorView<const Scalar, Device>, TensorView<Scalar, Device> dy,
                                TensorView<Scalar, Device> dx) const override {
        if (!dx) return;
        dropout_backward<Scalar>(pass.device, dropping(pass), dy, dx);
    }

    bool backs_in_place() const override { return true; }
    bool backward_reads_x() const override { return false; }
    bool backward_reads_y(bool) const override { return false; }
    double dropout_rate() const override { return rate_; }

    std::size_t saved_bytes(Index batch) const override {
        return static_cast<std::size_t>(batch * this->input_shape().size());
    }

private:
    kernels::Dropping dropping(const Pass<Scalar, Device>& pass) const {
        return {rate_, pass.random, pass.step, pass.first_sample * this->input_shape().size(),
                reinterpret_cast<std::uint8_t*>(pass.saved)};
    }

    double rate_;
};

}  // namespace weft
