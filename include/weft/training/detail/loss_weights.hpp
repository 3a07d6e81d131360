/// \file
/// LossWeights: factors of the samples' losses.
#pragma once

#include "weft/training/fit_options.hpp"

namespace weft::detail {

/// Factors of the losses; empty: none.
struct LossWeights {
    Span<const double> of_samples = {};  ///< by index in the data
    Span<const double> of_outputs = {};  ///< further ones (outputs, samples)
    Span<const double> of_classes = {};  ///< for a model with one output

    bool are_any() const {
        return !of_samples.empty() || !of_outputs.empty() || !of_classes.empty();
    }
};

/// The class of a target (see Loss::class_count), as in Keras. Below the count even for a NaN,
/// which is found later.
template <class Scalar>
std::size_t class_of(TensorView<const Scalar> target, std::size_t classes) {
    if (target.size() == 1) {
        // Indices were checked; a yes-or-no target may be any number between 0 and 1.
        return classes == 2 ? target[0] > Scalar(0.5) : static_cast<std::size_t>(target[0]);
    }
    return static_cast<std::size_t>(std::max_element(target.begin(), target.end()) -
                                    target.begin());
}

}  // namespace weft::detail
