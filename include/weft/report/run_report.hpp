/// \file
/// RunReport: what a report shows of a training run.
#pragma once

#include "weft/core/staging.hpp"
#include "weft/data/examples.hpp"
#include "weft/layers/conv2d.hpp"
#include "weft/model/sequential.hpp"
#include "weft/training/history.hpp"

namespace weft {

/// What a report shows of a run. Sections whose data are missing are left out.
struct RunReport {
    std::string title = "Training run";
    std::vector<std::pair<std::string, std::string>> options = {};  ///< names and values
    std::string summary = {};                                       ///< model.summary()
    History history = {};                                           ///< what fit returned
    std::vector<std::string> class_names = {};  ///< of class 0, 1, ...; all of them or none
    /// Samples with class indices () or one number a class (C) as targets. Those of shape (H, W),
    /// (H, W, 1) or (H, W, 3) are shown as pictures.
    Examples<float> train = {}, test = {};
    double white = 255;              ///< the value of a full pixel: 1 for pictures in [0, 1]
    Tensor<float> predictions = {};  ///< (N, C): the probabilities of all test samples
    Tensor<float> filters = {};      ///< (kh, kw, C, filters): first_filters(model)
    std::uint64_t seed = 0;          ///< of the choice of random samples
    /// Of train and test with several inputs or targets, in their order: which input is shown as a
    /// picture, else the first that is one; and of which output the classes and predictions are.
    std::optional<std::size_t> input = {};
    std::size_t output = 0;
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
