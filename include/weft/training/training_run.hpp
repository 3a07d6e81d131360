/// \file
/// TrainingRun: the interface of a training run to callbacks.
#pragma once

#include "weft/core/buffer.hpp"
#include "weft/training/history.hpp"

namespace weft {

/// The interface of a training run to callbacks.
class TrainingRun {
public:
    virtual ~TrainingRun() = default;

    virtual Index epoch() const = 0;         ///< the current or just ended epoch, from 1
    virtual Index epochs() const = 0;        ///< the planned number of epochs
    virtual Index ended_epochs() const = 0;  ///< the number of epochs in the history
    virtual Index step() const = 0;          ///< the batch within the epoch, from 1

    /// Whether it resumes an earlier run. After on_train_begin, callbacks are restored to their
    /// state in that run.
    virtual bool is_resumed() const { return false; }

    /// At the end of an epoch: all its scores, including validation. After a batch: the epoch's
    /// means so far.
    virtual Scores scores() const = 0;
    /// The names of the scores at the end of each epoch.
    virtual std::vector<std::string> score_names() const = 0;

    virtual double learning_rate() const = 0;
    /// Sets the rate of the next steps. Throws ArgumentError with a schedule.
    virtual void set_learning_rate(double learning_rate) = 0;

    /// Stops training after this epoch.
    virtual void stop() = 0;

    /// All parameters of the model, also those that are not trained.
    virtual Buffer save_weights() const = 0;
    /// The size of the buffer of save_weights.
    virtual std::size_t weights_bytes() const = 0;
    /// Throws ArgumentError for a buffer of another size than this model's.
    virtual void load_weights(const Buffer& weights) = 0;
};

}  // namespace weft
