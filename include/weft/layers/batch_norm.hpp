/// \file
/// BatchNorm: normalisation by the statistics of the batch.
#pragma once

#include "weft/layers/layer.hpp"
#include "weft/layers/layer_fields.hpp"

namespace weft {

/// Normalises each channel, the last axis, over all other axes, R elements of a batch:
///
///   in training   n = (x - mean) / sqrt(variance + epsilon),   y = gamma n + beta,
///                 moving = momentum moving + (1 - momentum) batch, for mean and variance;
///   in inference  the same y with the moving mean and variance.
///
///   X, Y (N, ..., C)   gamma, beta, moving_mean, moving_variance (C)
///
/// The variance is the biased one, sum (x - mean)^2 / R, for both uses, as in Keras 3. Gradients:
///   dgamma = sum dy n,   dbeta = sum dy,
///   dx = gamma / deviation (dy - dbeta / R - n dgamma / R).
/// Source: Ioffe and Szegedy 2015, algorithm 1 and section 3.
struct BatchNorm {
    double momentum = 0.99;  ///< in [0, 1)
    double epsilon = 1e-3;   ///< above 0
    bool center = true;      ///< with beta
    bool scale = true;       ///< with gamma
    std::string name = {};   ///< instead of "batch_norm", "batch_norm_1", ...

    static constexpr std::string_view type = "BatchNorm";
    static constexpr std::string_view keras_name = "BatchNormalization";
    friend bool operator==(const BatchNorm&, const BatchNorm&) = default;

    template <class Scalar, class Device>
    class Layer;
};

WEFT_COLD inline void visit_fields(BatchNorm& layer, LayerFields& field) {
    field("momentum", layer.momentum);
    field("epsilon", layer.epsilon);
    field("center", layer.center);
    field("scale", layer.scale);
}

template <class Scalar, class Device>
class BatchNorm::Layer final : public weft::Layer<Scalar, Device> {
public:
    using View = TensorView<Scalar, Device>;
    using ConstView = TensorView<const Scalar, Device>;

    WEFT_COLD Layer(const BatchNorm& options, LayerBuilder& builder)
        : weft::Layer<Scalar, Device>(builder.input_shape(), builder.input_shape()),
          momentum_(static_cast<Scalar>(options.momentum)),
          epsilon_(static_cast<Scalar>(options.epsilon)) {
        builder.require(options.momentum >= 0 && options.momentum < 1, "momentum", options.momentum,
                        "a number in [0, 1)");
        builder.require(options.epsilon > 0, "epsilon", options.epsilon, "a positive number");
        builder.require_input(builder.input_shape().rank() >= 1 && builder.input_shape().last() > 0,
                              "(None, ..., channels)");
        const Shape shape{channels()};
        if (options.scale) gamma_ = builder.add_parameter("gamma", shape, ones);
        if (options.center) beta_ = builder.add_parameter("beta", shape, zeros);
        moving_mean_ = builder.add_parameter("moving_mean", shape, zeros, false);
        moving_variance_ = builder.add_parameter("moving_variance", shape, ones, false);
    }

    WEFT_NOINLINE void forward(const Pass<Scalar, Device>& pass, ConstView x,
                               View y) const override {
        kernels::normalize<Scalar>(pass.device, normalizing(pass), x, y);
    }

    WEFT_NOINLINE void backward(const Pass<Scalar, Device>& pass, ConstView x, ConstView, View dy,
                                View dx) const override {
        batch_norm_backward<Scalar>(pass.device, normalizing(pass), x, dy, pass.before == relu, dx);
    }

    bool is_norm() const override { return true; }
    kernels::Normalizing<Scalar> normalizing(const Pass<Scalar, Device>& pass) const override {
        kernels::Normalizing<Scalar> norm{.momentum = momentum_,
                                          .epsilon = epsilon_,
                                          .gamma = gamma_ ? pass.parameter(gamma_).data() : nullptr,
                                          .beta = beta_ ? pass.parameter(beta_).data() : nullptr};
        auto* const saved = reinterpret_cast<Scalar*>(pass.saved);
        if (saved != nullptr) {
            norm.mean = saved;
            norm.inverse_deviation = saved + channels();
        }
        if (!pass.training) {
            norm.given_mean = pass.parameter(moving_mean_).data();
            norm.given_variance = pass.parameter(moving_variance_).data();
            return norm;
        }
        norm.has_moments = pass.has_moments;
        norm.moving_mean = pass.update(moving_mean_).data();
        norm.moving_variance = pass.update(moving_variance_).data();
        // Room for the gradients of a gamma and beta that are not there.
        norm.dgamma = saved + 2 * channels();
        norm.dbeta = norm.dgamma + channels();
        if (pass.gradients == nullptr) return norm;
        if (gamma_) norm.dgamma = pass.gradient(gamma_).data();
        if (beta_) norm.dbeta = pass.gradient(beta_).data();
        return norm;
    }

    bool backs_through_relu() const override { return true; }
    bool backs_in_place() const override { return true; }
    bool backward_reads_y(bool) const override { return false; }

    /// Mean and inverse deviation, and two unused gradients.
    std::size_t saved_bytes(Index) const override {
        return static_cast<std::size_t>(4 * channels()) * sizeof(Scalar);
    }

private:
    Index channels() const { return this->input_shape().last(); }

    Scalar momentum_, epsilon_;
    ParameterSlot gamma_, beta_;
    ParameterSlot moving_mean_, moving_variance_;
};

}  // namespace weft
