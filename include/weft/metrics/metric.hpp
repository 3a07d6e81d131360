/// \file
/// Metric: the interface of metrics to the training loop.
#pragma once

#include "weft/core/declared.hpp"
#include "weft/core/tensor.hpp"
#include "weft/kernels/score.hpp"

#include <concepts>
#include <string>

namespace weft {

/// A sum and the count of its terms; the metric's value is their ratio.
struct MetricSum {
    double sum = 0;    ///< of the values
    double count = 0;  ///< what the sum is divided by

    double mean() const { return count == 0 ? 0 : sum / count; }
};

/// A measure of predictions: a mean over the samples, or over rows.
template <class Scalar, class Device>
class Metric {
public:
    virtual ~Metric() = default;

    /// Adds a batch's terms to sum[0] and their count to sum[1]. All tensors are on the device.
    ///   predictions (N, ..., C), after the model's last activation
    virtual void evaluate(Device& device, TensorView<const Scalar, Device> predictions,
                          TensorView<const Scalar, Device> targets,
                          TensorView<double, Device> sum) const = 0;

    /// The kind of matches it counts for these shapes, if kernels know it: the kernel that computes
    /// the loss may then count them too.
    virtual kernels::Matches matches(const Shape& /*predictions*/, const Shape& /*targets*/) const {
        return {};
    }
};

/// Any declaration of a metric, implemented for Scalar on Device. It is made from a plain aggregate
/// such as Accuracy, whose member template Function<Scalar, Device> implements it.
template <class Scalar, class Device>
class MetricDeclaration : public detail::Declared<Metric<Scalar, Device>> {
public:
    template <class D>
    requires std::derived_from<typename D::template Function<Scalar, Device>,
                               Metric<Scalar, Device>>
    WEFT_COLD MetricDeclaration(const D& declaration)
        : detail::Declared<Metric<Scalar, Device>>(
              detail::Makes<typename D::template Function<Scalar, Device>>(), declaration.name,
              declaration) {}

    const std::string& name() const { return this->declared_name(); }
};

}  // namespace weft
