/// \file
/// OutputWeights: factors of the samples' losses, for each output of a model.
#pragma once

#include "weft/core/by_output.hpp"

#include <cmath>
#include <memory>

namespace weft {

namespace detail {

WEFT_COLD inline void require_weights(std::string_view option, Span<const double> weights,
                                      Index expected) {
    if (weights.empty()) return;
    if (static_cast<Index>(weights.size()) != expected) {
        throw ArgumentError(
            join({"fit: ", option, " has ", weights.size(), " weights, expected ", expected}));
    }
    for (std::size_t i = 0; i < weights.size(); ++i) {
        if (!(weights[i] >= 0 && std::isfinite(weights[i]))) {
            throw ArgumentError(join({"fit: ", option, " ", i, " is ", weights[i],
                                      ", expected a number of at least 0"}));
        }
    }
}

}  // namespace detail

/// For each output one factor per sample, or none, in the order of the outputs or by name. Outputs
/// that are not named have none:
///
///   .output_sample_weight = {{}, {1, 0.5, 1}}
///   .output_sample_weight = {{"place", {1, 0.5, 1}}}
///
/// A template: programs without weights compile little of it.
template <class Weight = double>
class OutputWeights {
public:
    using Weights = std::vector<Weight>;

    OutputWeights() = default;
    WEFT_COLD OutputWeights(std::initializer_list<Weights> in_order)
        : OutputWeights(ByOutput<Weights>(in_order)) {}
    WEFT_COLD OutputWeights(const std::vector<Weights>& in_order)
        : OutputWeights(ByOutput<Weights>(in_order)) {}
    WEFT_COLD OutputWeights(std::initializer_list<Named<Weights>> by_name)
        : OutputWeights(ByOutput<Weights>(by_name)) {}

    /// The factors (outputs, samples), 1 for outputs without; empty if no output has any. Throws
    /// ArgumentError for other outputs or another number of samples.   option: as the user wrote it
    Weights of_all(const std::vector<std::string>& outputs, Index samples,
                   std::string_view option) const {
        return flatten_ ? flatten_(given_.get(), outputs, samples, option) : Weights();
    }

private:
    using Given = ByOutput<Weights>;

    WEFT_COLD explicit OutputWeights(const Given& given)
        : flatten_(flatten), given_(new Given(given)) {}

    WEFT_COLD static Weights flatten(const void* given, const std::vector<std::string>& outputs,
                                     Index samples, std::string_view option) {
        using detail::join;
        Given weights = *static_cast<const Given*>(given);
        weights.put_in_order(outputs, join({"fit: ", option}));
        if (weights.empty()) return {};
        if (weights.size() != outputs.size()) {
            throw ArgumentError(
                join({"fit: ", option, " has ", std::ssize(weights), " entries, expected ",
                      std::ssize(outputs), ", one for each output of the model"}));
        }
        Weights all(outputs.size() * static_cast<std::size_t>(samples), Weight(1));
        for (std::size_t k = 0; k < outputs.size(); ++k) {
            detail::require_weights(join({option, " of ", outputs[k]}), weights[k], samples);
            std::copy(weights[k].begin(), weights[k].end(),
                      all.begin() + static_cast<Index>(k) * samples);
        }
        return all;
    }

    /// A pointer: programs without weights do not compile it.
    Weights (*flatten_)(const void*, const std::vector<std::string>&, Index,
                        std::string_view) = nullptr;
    std::shared_ptr<const void> given_ = {};  ///< a Given, which other programs do not compile
};

}  // namespace weft
