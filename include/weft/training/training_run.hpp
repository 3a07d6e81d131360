/// \file
/// TrainingRun: a training run as callbacks see it.
#pragma once

#include "weft/core/buffer.hpp"
#include "weft/training/history.hpp"

namespace weft {

/// A training run as callbacks see it.
class TrainingRun {
public:
    virtual ~TrainingRun() = default;

    virtual Index epoch() const = 0;         ///< the epoch that runs or just ended, from 1
    virtual Index epochs() const = 0;        ///< the planned number of epochs
    virtual Index ended_epochs() const = 0;  ///< the number of epochs in the history
    virtual Index step() const = 0;          ///< the batch within the epoch, from 1

    /// Whether it goes on where another run stopped. After on_train_begin, callbacks get back the
    /// state that they had there.
    virtual bool is_resumed() const { return false; }

    /// At the end of an epoch: all its scores, with those of the validation. After a batch: the
    /// means of the epoch so far.
    virtual Scores scores() const = 0;
    /// The names of the scores that the end of each epoch has.
    virtual std::vector<std::string> score_names() const = 0;

    virtual double learning_rate() const = 0;
    /// Sets the rate of the steps to come. Throws ArgumentError when a schedule sets it.
    virtual void set_learning_rate(double learning_rate) = 0;

    /// Ends training after this epoch.
    virtual void stop() = 0;

    /// All parameters of the model, also those that no optimiser touches.
    virtual Buffer save_weights() const = 0;
    /// The size of what save_weights makes.
    virtual std::size_t weights_bytes() const = 0;
    /// Throws ArgumentError for a buffer that is not of this model's size.
    virtual void load_weights(const Buffer& weights) = 0;
};

}  // namespace weft
