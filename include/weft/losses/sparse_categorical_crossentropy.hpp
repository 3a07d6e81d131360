/// \file
/// SparseCategoricalCrossentropy: classification against class indices.
#pragma once

#include "weft/losses/detail/crossentropy_function.hpp"

namespace weft {

/// l = -log p_label, for predictions (N, ..., C) and labels (N, ...), each in 0 ... C - 1.
///
/// From logits z it is  log sum_c exp(z_c) - z_label,  with gradient softmax(z) - [c = label]. That
/// form is also used when the model ends in softmax, and avoids log(0). Other probabilities are
/// clipped to [1e-7, 1 - 1e-7] and normalised, as in Keras.
struct SparseCategoricalCrossentropy {
    bool from_logits = false;  ///< the model's outputs are logits, not probabilities

    static constexpr std::string_view type = "SparseCategoricalCrossentropy";

    template <class Scalar, class Device>
    class Function;
};

template <class Scalar, class Device>
class SparseCategoricalCrossentropy::Function final
    : public detail::CrossentropyFunction<Scalar, Device> {
public:
    using typename Loss<Scalar, Device>::View;
    using typename Loss<Scalar, Device>::ConstView;
    using typename detail::CrossentropyFunction<Scalar, Device>::Losses;

    WEFT_COLD explicit Function(const SparseCategoricalCrossentropy& options)
        : detail::CrossentropyFunction<Scalar, Device>(softmax, options.from_logits) {}

    Misfit misfit(Activation last, const Shape& prediction) const override {
        return detail::categorical_misfit(this->from_logits(), last, prediction);
    }

    Shape target_shape(const Shape& prediction) const override {
        if (prediction.rank() == 0) {
            throw ShapeError(concat(type,
                                    ": predictions have shape (None,), expected (None, ..., "
                                    "classes)"));
        }
        return Shape(Span(prediction.begin(), static_cast<std::size_t>(prediction.rank() - 1)));
    }

    Index class_count(const Shape& prediction) const override {
        return prediction.rank() == 1 ? prediction.last() : 0;
    }

    WEFT_COLD std::string complaint(TensorView<const Scalar> target,
                                    const Shape& prediction) const override {
        return detail::label_complaint(target, prediction.last());
    }

private:
    WEFT_NOINLINE void of_logits(Device& device, ConstView logits, ConstView labels, Scalar scale,
                                 const Losses& losses, View probabilities,
                                 View gradient) const override {
        sparse_softmax_crossentropy<Scalar>(device, logits, labels, scale, losses, probabilities,
                                            gradient);
    }

    WEFT_NOINLINE void of_probabilities(Device& device, ConstView probabilities, ConstView labels,
                                        Scalar scale, const Losses& losses,
                                        View gradient) const override {
        sparse_categorical_crossentropy<Scalar>(device, probabilities, labels, scale, losses,
                                                gradient);
    }
};

}  // namespace weft
