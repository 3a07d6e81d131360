/// \file
/// metric_sum: what a metric adds to a tally, and the sum of such.
#pragma once

#include "weft/metrics/metric.hpp"

namespace weft {

inline MetricSum& operator+=(MetricSum& total, const MetricSum& batch) {
    total.sum += batch.sum;
    total.count += batch.count;
    return total;
}

/// The sum and the count of one batch, (N, ..., C) predictions.
template <class Scalar>
MetricSum metric_sum(const MetricDeclaration<Scalar, Cpu>& metric,
                     const std::type_identity_t<TensorView<const Scalar>>& predictions,
                     const std::type_identity_t<TensorView<const Scalar>>& targets) {
    Cpu cpu(1);
    Tensor<double> sum(Shape{2});
    metric->evaluate(cpu, predictions, targets, sum);
    return {sum[0], sum[1]};
}

}  // namespace weft
