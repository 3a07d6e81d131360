/// \file
/// Loss: the interface of losses to the training loop.
#pragma once

#include "weft/core/declared.hpp"
#include "weft/core/tensor.hpp"
#include "weft/kernels/activation.hpp"
#include "weft/kernels/fused.hpp"
#include "weft/kernels/loss.hpp"

#include <cmath>
#include <concepts>
#include <string>
#include <string_view>

namespace weft {

/// Why a loss does not fit the model's last activation; it fits if `takes` is empty. The message is
/// "BinaryCrossentropy: <takes>, but dense_1 ends in softmax; write ...".
struct Misfit {
    std::string_view takes = {};     ///< what the loss expects: "takes probabilities"
    Activation activation = linear;  ///< the one to end the model in, if it has another
    std::string_view loss = {};      ///< or the loss to write instead, if there is one
    bool is_certain = true;          ///< certainly a mistake, so an error; else a hint
};

/// A loss over a batch: the mean over the samples of l(prediction, target). Nothing else in a model
/// divides by the number of samples; `scale` holds it.
///
/// Predictions (N, ..., C) are R rows of C numbers, R = N times the axes between; a loss is a mean
/// over rows.
template <class Scalar, class Device>
class Loss {
public:
    using View = TensorView<Scalar, Device>;
    using ConstView = TensorView<const Scalar, Device>;

    virtual ~Loss() = default;

    /// Whether the loss takes the logits, the input of the given activation, instead of its output.
    /// That is more accurate and avoids log(0). The model then skips the activation.
    virtual bool fuses(Activation) const { return false; }

    /// Why predictions of the given shape, after the given activation, do not fit the loss.
    virtual Misfit misfit(Activation /*last*/, const Shape& /*prediction*/) const { return {}; }

    /// The shape of one sample's target, given that of its prediction. Targets of class indices
    /// have no class axis.
    virtual Shape target_shape(const Shape& prediction) const { return prediction; }

    /// The number of classes if each sample's target is one, by index or as the largest of its
    /// numbers; else 0.
    virtual Index class_count(const Shape& /*prediction*/) const { return 0; }

    /// What is wrong with one sample's target, as text; empty if it is valid and safe to compute
    /// with.
    virtual std::string complaint(TensorView<const Scalar> /*target*/,
                                  const Shape& /*prediction*/) const {
        return {};
    }

    /// losses_r = l of row r,   gradient = scale d(sum of losses)/d(predictions).
    /// scale is 1 over the number of rows of the step, of which this batch may be a part. When fused,
    /// predictions hold logits, which are replaced by probabilities, and the gradient is that of the
    /// logits.
    ///
    ///   predictions, gradient (N, ..., C)   targets (N, target shape...)   losses (R)
    virtual void evaluate(Device& device, bool fused, View predictions, ConstView targets,
                          Scalar scale, View losses, View gradient) const = 0;

    /// The same, and adds to the score's sums, if there is a score. weft's losses use one kernel
    /// for all of it if the device has one.
    virtual void score(Device& device, bool fused, View predictions, ConstView targets,
                       Scalar scale, const kernels::ScoredLosses<Scalar, Device>& losses,
                       View gradient) const {
        evaluate(device, fused, predictions, targets, scale, losses, gradient);
        if (losses.score != nullptr) add_score<Scalar>(device, losses);
    }
};

/// The number of rows of losses per sample, given the shape of its prediction.
inline Index loss_rows(const Shape& prediction) {
    return prediction.last() == 0 ? 0 : prediction.size() / prediction.last();
}

namespace detail {

WEFT_COLD inline void require_label_smoothing(std::string_view loss, double value) {
    require_option(value >= 0 && value < 1, loss, "label_smoothing", value, "a number in [0, 1)");
}

/// The misfit of a cross-entropy of logits, or of probabilities that activation `own` should
/// compute.
WEFT_COLD inline Misfit crossentropy_misfit(Activation own, bool from_logits, Activation last) {
    const bool is_probability = last == softmax || last == sigmoid;
    if (!from_logits) {
        if (last == own) return {};
        return {"takes probabilities", own,
                last == linear ? ".from_logits = true in the loss" : ""};
    }
    if (last == linear) return {};
    // The sigmoid of a relu is at least 1/2, so the model could never predict no.
    return {"takes logits, with .from_logits", linear,
            last == own ? ".from_logits = false in the loss" : "",
            is_probability || (own == sigmoid && last == relu)};
}

/// The misfit of a loss for one class of several.
WEFT_COLD inline Misfit categorical_misfit(bool from_logits, Activation last,
                                           const Shape& prediction) {
    if (prediction.last() == 1) {
        return {"takes an output for each of several classes", last,
                "BinaryCrossentropy{} as the loss"};
    }
    if (!from_logits && last == sigmoid) {
        return {"takes probabilities of mutually exclusive classes", softmax,
                "BinaryCrossentropy{} as the loss for independent classes", false};
    }
    return crossentropy_misfit(softmax, from_logits, last);
}

/// What is wrong with class indices as targets; empty if they are valid.
template <class Scalar>
WEFT_COLD std::string label_complaint(TensorView<const Scalar> labels, Index classes) {
    for (const Scalar label : labels) {
        if (!(label >= 0 && label < static_cast<Scalar>(classes)) || label != std::floor(label)) {
            return concat("label ", static_cast<double>(label), ", expected a class in 0 ... ",
                          classes - 1);
        }
    }
    return {};
}

}  // namespace detail

/// Any declaration of a loss, implemented for Scalar on Device. It is made from a plain aggregate
/// such as MeanSquaredError, whose member template Function<Scalar, Device> implements it.
template <class Scalar, class Device>
class LossDeclaration : public detail::Declared<Loss<Scalar, Device>> {
public:
    template <class D>
    requires std::derived_from<typename D::template Function<Scalar, Device>, Loss<Scalar, Device>>
    WEFT_COLD LossDeclaration(const D& declaration)
        : detail::Declared<Loss<Scalar, Device>>(
              detail::Makes<typename D::template Function<Scalar, Device>>(), D::type,
              declaration) {}

    std::string_view type() const { return this->declared_name(); }
};

}  // namespace weft
