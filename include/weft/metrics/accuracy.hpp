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

    WEFT_NOINLINE MetricSum evaluate(Device& device, TensorView<const Scalar, Device> predictions,
                                     TensorView<const Scalar, Device> targets) const override {
        const Index classes = predictions.shape().last();
        if (targets.shape() != predictions.shape()) {
            return ratio(count_sparse_matches<Scalar>(device, predictions, targets),
                         targets.size());
        }
        if (classes > 1) {
            return ratio(count_categorical_matches<Scalar>(device, predictions, targets),
                         targets.size() / classes);
        }
        return ratio(count_binary_matches<Scalar>(device, predictions, targets,
                                                  static_cast<Scalar>(threshold_)),
                     targets.size());
    }

private:
    static MetricSum ratio(Index matches, Index count) {
        return {static_cast<double>(matches), static_cast<double>(count)};
    }

    double threshold_;
};

}  // namespace weft
