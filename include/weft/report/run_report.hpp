/// \file
/// RunReport: the contents of a report of a training run.
#pragma once

#include "weft/core/staging.hpp"
#include "weft/data/examples.hpp"
#include "weft/layers/conv2d.hpp"
#include "weft/model/sequential.hpp"
#include "weft/training/history.hpp"

namespace weft {

/// The contents of a report. Sections without data are left out.
struct RunReport {
    std::string title = "Training run";                             ///< heading of the page
    std::vector<std::pair<std::string, std::string>> options = {};  ///< names and values
    std::string summary = {};                                       ///< model.summary()
    History history = {};                                           ///< the result of fit
    std::vector<std::string> class_names = {};  ///< of class 0, 1, ...; all of them or none
    /// Samples with a class index () or one number per class (C) as target. Samples (H, W),
    /// (H, W, 1) or (H, W, 3) are shown as pictures.
    Examples<float> train = {};
    Examples<float> test = {};       ///< the same of the test set
    double white = 255;              ///< the value of white: 1 for pictures in [0, 1]
    Tensor<float> predictions = {};  ///< (N, C): the probabilities of all test samples
    Tensor<float> filters = {};      ///< (kh, kw, C, filters): first_filters(model)
    std::uint64_t seed = 0;          ///< for the choice of random samples
    /// For data of several inputs or targets, counted from 0: the input shown as a picture (by
    /// default the first that is one), and the output whose classes and predictions are shown.
    std::optional<std::size_t> input = {};
    std::size_t output = 0;  ///< which output of the model
};

/// The kernel of the first Conv2D of a built model, (kh, kw, C, filters); empty if it has none.
template <class Scalar, class Device>
Tensor<float> first_filters(const Model<Scalar, Device>& model) {
    for (std::size_t i = 0; i < model.layer_count(); ++i) {
        if (!model.declarations()[i].template get_if<Conv2D>()) continue;
        const auto kernel = on_host<Scalar>(
            model.device(), model.parameter(concat(model.layer_name(i), "/kernel")));
        Tensor<float> filters(kernel.shape());
        std::ranges::transform(kernel, filters.begin(),
                               [](Scalar weight) { return static_cast<float>(weight); });
        return filters;
    }
    return {};
}

}  // namespace weft
