/// \file
/// LossWeights: the factors of the samples' losses.
#pragma once

#include "weft/training/fit_options.hpp"

namespace weft::detail {

/// Factors of the losses; none where empty.
struct LossWeights {
    Span<const double> of_samples = {};  ///< by index in the data
    Span<const double> of_outputs = {};  ///< more of them: (outputs, samples)
    Span<const double> of_classes = {};  ///< of a model with one output

    bool are_any() const {
        return !of_samples.empty() || !of_outputs.empty() || !of_classes.empty();
    }
};

/// The class that a target of Loss::class_count stands for, as in Keras; less than the count for a
/// NaN too, which is found later.
template <class Scalar>
std::size_t class_of(TensorView<const Scalar> target, std::size_t classes) {
    if (target.size() == 1) {
        // Indices are checked; of yes and no there may be any number between.
        return classes == 2 ? target[0] > Scalar(0.5) : static_cast<std::size_t>(target[0]);
    }
    return static_cast<std::size_t>(std::max_element(target.begin(), target.end()) -
                                    target.begin());
}

}  // namespace weft::detail
