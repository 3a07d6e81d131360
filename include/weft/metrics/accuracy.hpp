/// \file
/// Accuracy: the share of correct predictions.
#pragma once

#include "weft/metrics/metric.hpp"

namespace weft {

/// The share of predictions (N, ..., C) that are correct. As in Keras:
///   - against class indices (N, ...): the argmax over C equals the label;
///   - against targets (N, ..., C), C > 1: the argmax equals that of the target;
///   - against targets (N, ..., 1): p > threshold if and only if the target is 1.
/// The argmax of equal predictions is the first.
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
