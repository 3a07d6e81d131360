/// \file
/// History: the scores of a training run, epoch by epoch.
#pragma once

#include "weft/core/shape.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace weft {

/// Named numbers in a fixed order: "loss" first, then the metrics.
class Scores {
public:
    WEFT_COLD void set(const std::string& name, double value) {
        for (auto& [known, number] : values_) {
            if (known == name) {
                number = value;
                return;
            }
        }
        values_.emplace_back(name, value);
    }

    /// Throws ArgumentError for an unknown name.
    WEFT_COLD double operator[](std::string_view name) const {
        if (const auto value = find(name)) return *value;
        std::string known;
        for (const auto& [other, value] : values_)
            known += detail::join({known.empty() ? "" : ", ", other});
        throw ArgumentError(
            detail::join({"scores: no score is named ", name, "; there are ", known}));
    }

    WEFT_COLD std::optional<double> find(std::string_view name) const {
        for (const auto& [known, number] : values_) {
            if (known == name) return number;
        }
        return std::nullopt;
    }

    auto begin() const { return values_.begin(); }
    auto end() const { return values_.end(); }
    std::size_t size() const { return values_.size(); }

private:
    std::vector<std::pair<std::string, double>> values_;
};

/// The place where a NaN or an infinity first appeared in training.
struct NonFinite {
    Index epoch = 0;  ///< from 1
    Index step = 0;   ///< the batch within the epoch, from 1
    /// "input" or "targets" (the data; if there are several, the input's name or "targets of
    /// digit"), a parameter's name ("dense/kernel"), the name of the layer whose output it was in,
    /// "loss", or "the gradient of dense/kernel".
    std::string where;

    WEFT_COLD std::string message() const {
        return detail::join({"a number that is not finite appeared in ", where, " at step ", step,
                             " of epoch ", epoch});
    }
};

/// The scores of one epoch.
struct EpochRecord {
    Scores scores;       ///< "loss" and the metrics, then "val_loss" and so on with validation data
    double seconds = 0;  ///< for training, without validation
    double samples_per_second = 0;  ///< speed of training
    double learning_rate = 0;       ///< at the epoch's end
};

/// The result of fit: the epochs in order, and the reason if numbers that are not finite stopped
/// it.
///
///   history["val_accuracy"]   // one number per epoch, like Keras's history.history[...]
class History {
public:
    std::vector<EpochRecord> epochs;
    std::optional<NonFinite> non_finite;  ///< if set, training stopped before that step's update
    std::vector<std::string> hints;       ///< likely mistakes, with what to write instead

    /// One number per epoch. Throws ArgumentError if the epochs have no score of that name.
    WEFT_COLD std::vector<double> operator[](std::string_view name) const {
        std::vector<double> values(epochs.size());
        for (std::size_t i = 0; i < values.size(); ++i) values[i] = epochs[i].scores[name];
        if (epochs.empty())
            throw ArgumentError(detail::join({"history: no epoch ended, so there is no ", name}));
        return values;
    }
};

}  // namespace weft
