/// \file
/// BestScore: the best value of a score so far, for callbacks that monitor one.
#pragma once

#include "weft/training/state_fields.hpp"
#include "weft/training/training_run.hpp"

#include <cmath>
#include <optional>

namespace weft {

/// The direction in which a score improves.
enum class Better {
    automatic,  ///< by what is in the name: lower for loss, error, mse and mae; else higher for
                ///< acc, precision, recall, f1 and auc; else ArgumentError
    lower,
    higher,
};

namespace detail {

/// Whether the name of a score means lower or higher. Throws ArgumentError if it does not tell.
WEFT_COLD inline bool is_better_higher(std::string_view monitor) {
    for (const char* word : {"loss", "error", "mse", "mae"}) {
        if (monitor.find(word) != std::string_view::npos) return false;
    }
    for (const char* word : {"acc", "precision", "recall", "f1", "auc"}) {
        if (monitor.find(word) != std::string_view::npos) return true;
    }
    throw ArgumentError(join({"monitor ", monitor,
                              ": the name does not tell whether higher or lower is better; set "
                              ".better"}));
}

}  // namespace detail

/// The best value of a score so far. NaN is never an improvement.
class BestScore {
public:
    BestScore() = default;
    /// Throws ArgumentError unless min_delta is finite, and if the name does not tell whether lower
    /// or higher is better.
    BestScore(std::string_view monitor, Better better, double min_delta)
        : min_delta_(std::abs(min_delta)) {
        detail::require_option(std::isfinite(min_delta), monitor, "min_delta", min_delta,
                               "a number");
        higher_ = better == Better::higher ||
                  (better == Better::automatic && detail::is_better_higher(monitor));
    }

    /// Takes the value if it is better than the best by more than min_delta.
    WEFT_COLD bool improve(double value) {
        if (std::isnan(value)) return false;
        if (best_) {
            const bool better = higher_ ? value - min_delta_ > *best_ : value + min_delta_ < *best_;
            if (!better) return false;
        }
        best_ = value;
        return true;
    }

    std::optional<double> value() const { return best_; }

    void visit_state(StateFields& field) { field("value", best_); }

private:
    bool higher_ = false;
    double min_delta_ = 0;
    std::optional<double> best_;
};

namespace detail {

/// Throws ArgumentError, which lists the run's scores, unless the monitored one is among them.
WEFT_COLD inline void require_monitored(const TrainingRun& run, std::string_view callback,
                                        const std::string& monitor) {
    std::string known;
    for (const std::string& name : run.score_names()) {
        if (name == monitor) return;
        known += join({known.empty() ? "" : ", ", name});
    }
    throw ArgumentError(join({callback, ": no score is named ", monitor, "; the run has ", known}));
}

/// The state of a callback that monitors a score: its name and its best value.
WEFT_COLD inline void visit_monitored(StateFields& field, const std::string& monitor,
                                      BestScore& best) {
    std::string known = monitor;
    field("monitor", known);
    field.require(known == monitor, "monitor", join({"is ", known, ", expected ", monitor}));
    field("best", best);
}

/// A field for the number of an epoch of the run, or 0.
WEFT_COLD inline void visit_epoch(StateFields& field, const TrainingRun& run, std::string_view name,
                                  Index& epoch) {
    field.count(name, epoch);
    field.require(!field.is_restoring() || epoch <= run.ended_epochs(), name,
                  "is not a completed epoch of the run");
}

/// A field for the weights of the best epoch, empty if the callback does not keep them.
WEFT_COLD inline void visit_best_weights(StateFields& field, const TrainingRun& run, bool is_kept,
                                         Buffer& weights) {
    field("weights", weights);
    if (!is_kept) weights = {};
    field.require(!is_kept || !field.is_restoring() || weights.size() == run.weights_bytes(),
                  "weights",
                  join({"has ", weights.size(), " bytes, expected ", run.weights_bytes()}));
}

}  // namespace detail

}  // namespace weft
