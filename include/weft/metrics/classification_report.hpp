/// \file
/// ClassificationReport: the scores of a classifier, class by class.
#pragma once

#include "weft/core/eigen.hpp"
#include "weft/kernels/metric.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace weft {

/// The 95 % confidence interval of a measured share.
struct Interval {
    double low = 0;   ///< lower end
    double high = 0;  ///< upper end
};

/// Wilson's score interval at 95 % for `successes` of `trials`:
///   (p + z^2 / 2n +- z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n),  z = 1.96.
/// Source: Wilson 1927; Brown, Cai and DasGupta 2001, eq. 4.
inline Interval wilson_interval(Index successes, Index trials) {
    if (trials == 0) return {0, 1};
    constexpr double z = 1.959963984540054;
    const auto n = static_cast<double>(trials);
    const double p = static_cast<double>(successes) / n;
    const double centre = p + z * z / (2 * n);
    const double half = z * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
    const double scale = 1 + z * z / n;
    return {(std::max)(0.0, (centre - half) / scale), (std::min)(1.0, (centre + half) / scale)};
}

/// The scores of one class.
struct ClassScores {
    double precision = 0;  ///< correct / predicted as this class; 0 if none is
    double recall = 0;     ///< correct / samples of this class; 0 if there are none
    double f1 = 0;         ///< 2 precision recall / (precision + recall); 0 if both are 0
    Index support = 0;     ///< samples of the class
};

/// The confusion matrix of predictions, and the scores that follow from it.
class ClassificationReport {
public:
    /// predictions (N, C): the class is the argmax of a row; labels (N) in 0 ... C - 1. Throws
    /// ShapeError for other shapes, ArgumentError for a label out of range.
    template <class Predictions, class Labels>
    ClassificationReport(const Predictions& predictions_array, const Labels& labels_array)
        : confusion_(confusion_shape(as_view(predictions_array).shape())) {
        const auto predictions = as_view(predictions_array);
        const auto labels = as_view(labels_array);
        if (labels.shape() != Shape{predictions.shape()[0]}) {
            throw ShapeError(concat("classification report: labels have shape ", labels.shape(),
                                    ", expected ", Shape{predictions.shape()[0]}));
        }
        for (Index n = 0; n < labels.size(); ++n) {
            const auto label = static_cast<Index>(labels[n]);
            if (label < 0 || label >= classes()) {
                throw ArgumentError(concat("classification report: label ", n, " is ", label,
                                           ", expected 0 ... ", classes() - 1));
            }
            ++confusion_(label, kernels::argmax(predictions.sample(n).data(), classes()));
        }
    }

    Index classes() const { return confusion_.shape()[0]; }

    /// Element (i, j): the number of samples of class i predicted as class j.
    const Tensor<Index>& confusion() const { return confusion_; }

    Index samples() const {
        Index total = 0;
        for (const Index count : confusion_) total += count;
        return total;
    }

    double accuracy() const {
        return samples() == 0 ? 0 : static_cast<double>(right()) / static_cast<double>(samples());
    }
    Interval accuracy_interval() const { return wilson_interval(right(), samples()); }

    ClassScores scores(Index c) const {
        Index predicted = 0, actual = 0;
        for (Index k = 0; k < classes(); ++k) {
            predicted += confusion_(k, c);
            actual += confusion_(c, k);
        }
        const auto hits = static_cast<double>(confusion_(c, c));
        ClassScores result;
        result.support = actual;
        if (predicted > 0) result.precision = hits / static_cast<double>(predicted);
        if (actual > 0) result.recall = hits / static_cast<double>(actual);
        if (hits > 0) result.f1 = 2 * hits / static_cast<double>(predicted + actual);
        return result;
    }

private:
    static Shape confusion_shape(const Shape& predictions) {
        if (predictions.rank() != 2) {
            throw ShapeError(concat("classification report: predictions have shape ", predictions,
                                    ", expected (N, classes)"));
        }
        return {predictions[1], predictions[1]};
    }

    Index right() const {
        Index count = 0;
        for (Index c = 0; c < classes(); ++c) count += confusion_(c, c);
        return count;
    }

    Tensor<Index> confusion_;
};

}  // namespace weft
