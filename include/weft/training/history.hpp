/// \file
/// History: what a training run measured, epoch by epoch.
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

    /// Throws ArgumentError for a name that there is none of.
    WEFT_COLD double operator[](std::string_view name) const {
        if (const auto value = find(name)) return *value;
        std::string known;
        for (const auto& [other, value] : values_)
            known += detail::join({known.empty() ? "" : ", ", other});
        throw ArgumentError(detail::join({"scores: none is named ", name, "; there are ", known}));
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

/// A number that went wrong in training: where a NaN or an infinity appeared first.
struct NonFinite {
    Index epoch = 0;  ///< from 1
    Index step = 0;   ///< the batch within the epoch, from 1
    /// The first of: "input" or "targets" (the data; of several the name of the input, or "targets of
    /// digit"), the name of a parameter ("dense/kernel"), the name of the layer in whose output it
    /// appeared, "loss", or "the gradient of dense/kernel".
    std::string where;

    WEFT_COLD std::string message() const {
        return detail::join({"a number that is not finite appeared in ", where, " at step ", step,
                             " of epoch ", epoch});
    }
};

/// What one epoch measured.
struct EpochRecord {
    Scores scores;       ///< "loss" and the metrics, then "val_loss" and so on with validation data
    double seconds = 0;  ///< for training, without validation
    double samples_per_second = 0;
    double learning_rate = 0;  ///< at the epoch's end
};

/// What fit returns: the epochs in order, and why it stopped early, if it did.
///
///   history["val_accuracy"]   // one number an epoch, as Keras's history.history[...]
class History {
public:
    std::vector<EpochRecord> epochs;
    std::optional<NonFinite> non_finite;  ///< training stopped there, before that step's update
    std::vector<std::string> hints;       ///< what looks like a mistake, with what to write instead

    /// One number an epoch. Throws ArgumentError when no epoch has that name.
    WEFT_COLD std::vector<double> operator[](std::string_view name) const {
        std::vector<double> values;
        for (const EpochRecord& epoch : epochs) values.push_back(epoch.scores[name]);
        if (epochs.empty())
            throw ArgumentError(detail::join({"history: no epoch ended, so none has a ", name}));
        return values;
    }
};

}  // namespace weft
