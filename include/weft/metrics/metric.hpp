/// \file
/// Metric: what every metric is to the training loop.
#pragma once

#include "weft/core/declared.hpp"
#include "weft/core/tensor.hpp"
#include "weft/kernels/score.hpp"

#include <concepts>
#include <string>

namespace weft {

/// A sum and the number of things it is over; the metric's value is their ratio.
struct MetricSum {
    double sum = 0;
    double count = 0;

    double mean() const { return count == 0 ? 0 : sum / count; }
};

/// A number that tells how good predictions are, as a mean over the samples.
template <class Scalar, class Device>
class Metric {
public:
    virtual ~Metric() = default;

    /// Adds what a batch contributes to sum (2): to 0 the sum, to 1 the number of things it is
    /// over. All of them lie on the device.   predictions (N, ..., C), after the model's last
    /// activation
    virtual void evaluate(Device& device, TensorView<const Scalar, Device> predictions,
                          TensorView<const Scalar, Device> targets,
                          TensorView<double, Device> sum) const = 0;

    /// The matches that it counts of tensors of these shapes, if they are what kernels know: then the
    /// one that computes the loss may count them as well.
    virtual kernels::Matches matches(const Shape& /*predictions*/, const Shape& /*targets*/) const {
        return {};
    }
};

/// Any declaration of a metric, made ready for Scalar on Device: from a plain aggregate such as
/// Accuracy whose member template Function<Scalar, Device> implements it.
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
