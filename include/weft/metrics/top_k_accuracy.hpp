/// \file
/// TopKAccuracy: the share of samples whose class is among the k most probable.
#pragma once

#include "weft/metrics/metric.hpp"

namespace weft {

/// The share of predictions (N, ..., C) whose label is among the k largest: fewer than k classes
/// have a larger prediction. So ties count as correct, as in Keras. The label is a class index
/// (N, ...), or the argmax of a target (N, ..., C).
struct TopKAccuracy {
    Index k = 5;  ///< at least 1
    std::string name = "top_k_accuracy";

    template <class Scalar, class Device>
    class Function;
};

template <class Scalar, class Device>
class TopKAccuracy::Function final : public Metric<Scalar, Device> {
public:
    WEFT_COLD explicit Function(const TopKAccuracy& options) : k_(options.k) {
        if (k_ < 1) throw ArgumentError(concat("TopKAccuracy: k is ", k_, ", expected at least 1"));
    }

    WEFT_NOINLINE void evaluate(Device& device, TensorView<const Scalar, Device> predictions,
                                TensorView<const Scalar, Device> targets,
                                TensorView<double, Device> sum) const override {
        add_top_k_matches<Scalar>(device, predictions, targets,
                                  targets.shape() == predictions.shape(), k_, sum);
    }

private:
    Index k_;
};

}  // namespace weft
