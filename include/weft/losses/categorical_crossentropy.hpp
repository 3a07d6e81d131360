/// \file
/// CategoricalCrossentropy: classification against one-hot labels or distributions.
#pragma once

#include "weft/losses/detail/crossentropy_function.hpp"

namespace weft {

/// l = -sum_c t_c log p_c, for predictions and targets (N, ..., C).
///
/// Label smoothing s replaces t_c by t_c (1 - s) + s / C (Szegedy et al. 2016, section 7).
///
/// From logits z it is  sum_c t_c (log sum_k exp(z_k) - z_c),  with gradient
/// softmax(z) sum_k t_k - t.  That form is also used when the model ends in softmax. Other
/// probabilities are normalised and clipped to [1e-7, 1 - 1e-7], as in Keras.
struct CategoricalCrossentropy {
    bool from_logits = false;    ///< the model's outputs are logits, not probabilities
    double label_smoothing = 0;  ///< s in [0, 1), else throws ArgumentError

    static constexpr std::string_view type = "CategoricalCrossentropy";

    template <class Scalar, class Device>
    class Function;
};

template <class Scalar, class Device>
class CategoricalCrossentropy::Function final
    : public detail::CrossentropyFunction<Scalar, Device> {
public:
    using typename Loss<Scalar, Device>::View;
    using typename Loss<Scalar, Device>::ConstView;
    using typename detail::CrossentropyFunction<Scalar, Device>::Losses;

    WEFT_COLD explicit Function(const CategoricalCrossentropy& options)
        : detail::CrossentropyFunction<Scalar, Device>(softmax, options.from_logits),
          label_smoothing_(options.label_smoothing) {
        detail::require_label_smoothing(type, label_smoothing_);
    }

    Misfit misfit(Activation last, const Shape& prediction) const override {
        return detail::categorical_misfit(this->from_logits(), last, prediction);
    }

    Index class_count(const Shape& prediction) const override {
        return prediction.rank() == 1 && prediction.last() > 1 ? prediction.last() : 0;
    }

    WEFT_COLD std::string complaint(TensorView<const Scalar> target, const Shape&) const override {
        for (const Scalar value : target) {
            if (value < 0) {
                return concat("target ", static_cast<double>(value), ", expected at least 0");
            }
        }
        return {};
    }

private:
    WEFT_NOINLINE void of_logits(Device& device, ConstView logits, ConstView targets, Scalar scale,
                                 const Losses& losses, View probabilities,
                                 View gradient) const override {
        softmax_crossentropy<Scalar>(device, logits, smoothed(targets), scale, losses,
                                     probabilities, gradient);
    }

    WEFT_NOINLINE void of_probabilities(Device& device, ConstView probabilities, ConstView targets,
                                        Scalar scale, const Losses& losses,
                                        View gradient) const override {
        categorical_crossentropy<Scalar>(device, probabilities, smoothed(targets), scale, losses,
                                         gradient);
    }

    kernels::SmoothedTargets<Scalar> smoothed(ConstView targets) const {
        return {targets, label_smoothing_, targets.shape().last()};
    }

    double label_smoothing_;
};

}  // namespace weft
