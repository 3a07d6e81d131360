/// \file
/// Loss: what every loss is to the training loop.
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

/// What speaks against a loss behind some activation: nothing where `takes` is empty. The text goes
/// "BinaryCrossentropy: <takes>, but dense_1 ends in softmax; write ...".
struct Misfit {
    std::string_view takes = {};     ///< what the loss expects: "takes probabilities"
    Activation activation = linear;  ///< what the model ought to end in, if it is another
    std::string_view loss = {};      ///< or what to write for the loss, if that would do
    bool is_certain = true;          ///< never meant, so refused; else a hint
};

/// A loss over a batch: the mean over the samples of l(prediction, target). It alone divides by N,
/// which is handed in.
///
/// Predictions (N, ..., C) are looked at as R rows of C, R = N times any axes between; every loss
/// is a mean over rows.
template <class Scalar, class Device>
class Loss {
public:
    using View = TensorView<Scalar, Device>;
    using ConstView = TensorView<const Scalar, Device>;

    virtual ~Loss() = default;

    /// Whether the loss takes the input of that activation, the logits, in place of its output:
    /// more accurate, and no log(0). The model's last layer then leaves the activation out.
    virtual bool fuses(Activation) const { return false; }

    /// What speaks against predictions of that shape that come out of that activation.
    virtual Misfit misfit(Activation /*last*/, const Shape& /*prediction*/) const { return {}; }

    /// The shape of one sample's target, given that of one sample's prediction. A target of class
    /// indices has no class axis.
    virtual Shape target_shape(const Shape& prediction) const { return prediction; }

    /// How many classes there are, where each sample's target is one: its index, or the place of
    /// the largest of its numbers. 0: targets are something else.
    virtual Index class_count(const Shape& /*prediction*/) const { return 0; }

    /// What is wrong with the target of one sample, as text: empty when nothing is. A target which
    /// passes is safe to compute with.
    virtual std::string complaint(TensorView<const Scalar> /*target*/,
                                  const Shape& /*prediction*/) const {
        return {};
    }

    /// losses_r = l of row r, gradient = scale d(sum of losses)/d(predictions). scale is 1 over the
    /// rows of all that a step trains on, of which this batch may be a part.
    /// When fused, predictions hold logits; they are replaced by probabilities, and the gradient is
    /// that of the logits.
    ///
    ///   predictions, gradient (N, ..., C)   targets (N, target shape...)   losses (R)
    virtual void evaluate(Device& device, bool fused, View predictions, ConstView targets,
                          Scalar scale, View losses, View gradient) const = 0;

    /// The same, and the sums that the losses' score asks for. Those of weft leave all of it to one
    /// kernel, where the device has one.
    virtual void score(Device& device, bool fused, View predictions, ConstView targets,
                       Scalar scale, const kernels::ScoredLosses<Scalar, Device>& losses,
                       View gradient) const {
        evaluate(device, fused, predictions, targets, scale, losses, gradient);
        if (losses.score != nullptr) add_score<Scalar>(device, losses);
    }
};

/// How many rows of losses a sample with that prediction has.
inline Index loss_rows(const Shape& prediction) {
    return prediction.last() == 0 ? 0 : prediction.size() / prediction.last();
}

namespace detail {

WEFT_COLD inline void require_label_smoothing(std::string_view loss, double value) {
    require_option(value >= 0 && value < 1, loss, "label_smoothing", value, "a number in [0, 1)");
}

/// The misfit of a cross-entropy of probabilities, which are to come out of `own`, or of logits.
WEFT_COLD inline Misfit crossentropy_misfit(Activation own, bool from_logits, Activation last) {
    const bool is_probability = last == softmax || last == sigmoid;
    if (!from_logits) {
        if (last == own) return {};
        return {"takes probabilities", own,
                last == linear ? ".from_logits = true in the loss" : ""};
    }
    if (last == linear) return {};
    // The sigmoid of a relu is never below 1/2, so it cannot say no.
    return {"takes logits, with .from_logits", linear,
            last == own ? ".from_logits = false in the loss" : "",
            is_probability || (own == sigmoid && last == relu)};
}

/// The misfit of a loss of one class of several.
WEFT_COLD inline Misfit categorical_misfit(bool from_logits, Activation last,
                                           const Shape& prediction) {
    if (prediction.last() == 1) {
        return {"takes an output for each of several classes", last,
                "BinaryCrossentropy{} as the loss"};
    }
    if (!from_logits && last == sigmoid) {
        return {"takes probabilities of classes that exclude each other", softmax,
                "BinaryCrossentropy{} as the loss for classes that do not", false};
    }
    return crossentropy_misfit(softmax, from_logits, last);
}

/// What is wrong with class indices as targets; empty when nothing is.
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

/// Any declaration of a loss, made ready for Scalar on Device: from a plain aggregate such as
/// MeanSquaredError whose member template Function<Scalar, Device> implements it.
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
