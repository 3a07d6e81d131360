/// \file
/// BinaryCrossentropy: classification with independent yes-or-no targets.
#pragma once

#include "weft/losses/detail/crossentropy_function.hpp"

namespace weft {

/// l = -mean_c (t_c log p_c + (1 - t_c) log(1 - p_c)), for predictions and targets (N, ..., C).
///
/// Label smoothing s replaces t_c by t_c (1 - s) + s / 2, as in Keras.
///
/// From logits z it is  mean_c (max(z, 0) - z t + log(1 + exp(-|z|))),  with gradient
/// (sigmoid(z) - t) / C. That form is also used when the model ends in sigmoid. Other probabilities
/// are clipped to [1e-7, 1 - 1e-7], as in Keras.
struct BinaryCrossentropy {
    bool from_logits = false;    ///< the model's outputs are logits, not probabilities
    double label_smoothing = 0;  ///< s in [0, 1), else throws ArgumentError

    static constexpr std::string_view type = "BinaryCrossentropy";

    template <class Scalar, class Device>
    class Function;
};

template <class Scalar, class Device>
class BinaryCrossentropy::Function final : public detail::CrossentropyFunction<Scalar, Device> {
public:
    using typename Loss<Scalar, Device>::View;
    using typename Loss<Scalar, Device>::ConstView;
    using typename detail::CrossentropyFunction<Scalar, Device>::Losses;

    WEFT_COLD explicit Function(const BinaryCrossentropy& options)
        : detail::CrossentropyFunction<Scalar, Device>(sigmoid, options.from_logits),
          label_smoothing_(options.label_smoothing) {
        detail::require_label_smoothing(type, label_smoothing_);
    }

    Misfit misfit(Activation last, const Shape&) const override {
        if (!this->from_logits() && last == softmax) {
            return {"takes an independent probability from each output", sigmoid,
                    "CategoricalCrossentropy{} as the loss", false};
        }
        return detail::crossentropy_misfit(sigmoid, this->from_logits(), last);
    }

    Index class_count(const Shape& prediction) const override {
        return prediction.size() == 1 ? 2 : 0;
    }

    WEFT_COLD std::string complaint(TensorView<const Scalar> target, const Shape&) const override {
        for (const Scalar value : target) {
            if (value < 0 || value > 1) {
                return concat("label ", static_cast<double>(value), ", expected 0 ... 1");
            }
        }
        return {};
    }

private:
    WEFT_NOINLINE void of_logits(Device& device, ConstView logits, ConstView targets, Scalar scale,
                                 const Losses& losses, View probabilities,
                                 View gradient) const override {
        sigmoid_crossentropy<Scalar>(device, logits, smoothed(targets), scale, losses,
                                     probabilities, gradient);
    }

    WEFT_NOINLINE void of_probabilities(Device& device, ConstView probabilities, ConstView targets,
                                        Scalar scale, const Losses& losses,
                                        View gradient) const override {
        binary_crossentropy<Scalar>(device, probabilities, smoothed(targets), scale, losses,
                                    gradient);
    }

    kernels::SmoothedTargets<Scalar> smoothed(ConstView targets) const {
        return {targets, label_smoothing_, 2};
    }

    double label_smoothing_;
};

}  // namespace weft
