/// \file
/// Accuracy: the share of right predictions.
#pragma once

#include "weft/metrics/metric.hpp"

namespace weft {

/// The share of predictions (N, ..., C) that are right. As in Keras:
///   - against class indices (N, ...): where the argmax over C is the label;
///   - against targets (N, ..., C), C > 1: where the argmax is that of the target;
///   - against targets (N, ..., 1): where p > threshold just when the target is 1.
/// Of equal predictions the first counts as the argmax.
struct Accuracy {
    double threshold = 0.5;  ///< for C = 1
    std::string name = "accuracy";

    template <class Scalar, class Device>
    class Function;
};

template <class Scalar, class Device>
class Accuracy::Function final : public Metric<Scalar, Device> {
public:
    WEFT_COLD explicit Function(const Accuracy& options) : threshold_(options.threshold) {}

    WEFT_NOINLINE void evaluate(Device& device, TensorView<const Scalar, Device> predictions,
                                TensorView<const Scalar, Device> targets,
                                TensorView<double, Device> sum) const override {
        kernels::BatchScore<Scalar, Device> score;
        score.matches = matches(predictions.shape(), targets.shape());
        score.matched = sum;
        score.predictions = predictions;
        score.targets = targets;
        add_matches<Scalar>(device, score);
    }

    kernels::Matches matches(const Shape& predictions, const Shape& targets) const override {
        using Kind = kernels::Matches::Kind;
        if (targets != predictions) return {Kind::sparse};
        return {predictions.last() > 1 ? Kind::categorical : Kind::binary, threshold_};
    }

private:
    double threshold_;
};

}  // namespace weft
