/// \file
/// Callbacks: objects that watch a training run and may steer it.
#pragma once

#include "weft/core/buffer.hpp"
#include "weft/training/history.hpp"
#include "weft/training/state_fields.hpp"

#include <cmath>
#include <functional>
#include <memory>
#include <type_traits>

namespace weft {

/// A training run as callbacks see it.
class TrainingRun {
public:
    virtual ~TrainingRun() = default;

    virtual Index epoch() const = 0;         ///< the epoch that runs or just ended, from 1
    virtual Index epochs() const = 0;        ///< as many are planned
    virtual Index ended_epochs() const = 0;  ///< as many are in the history
    virtual Index step() const = 0;          ///< within the epoch, from 1

    /// Whether it goes on where another run stopped. Callbacks get back the state they had there
    /// after on_train_begin.
    virtual bool is_resumed() const { return false; }

    /// At the end of an epoch all its scores, with those of the validation; after a batch the mean
    /// of the epoch so far.
    virtual Scores scores() const = 0;
    /// Those that the end of each epoch will have.
    virtual std::vector<std::string> score_names() const = 0;

    virtual double learning_rate() const = 0;
    /// Of the steps to come. Throws ArgumentError when a schedule sets it.
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

/// Something with at least one of the member functions that a training run calls.
template <class T>
concept Callback = requires(T& object, TrainingRun& run) {
    object.on_train_begin(run);
}
|| requires(T& object, TrainingRun& run) { object.on_epoch_begin(run); }
|| requires(T& object, TrainingRun& run) { object.on_batch_end(run); }
|| requires(T& object, TrainingRun& run) { object.on_epoch_end(run); }
|| requires(T& object, TrainingRun& run) { object.on_train_end(run); };

/// Any callback: an object with some of the member functions
///
///   on_train_begin, on_epoch_begin, on_batch_end, on_epoch_end, on_train_end (TrainingRun&).
///
/// Made from a variable it refers to it, so that results can be read there after training; made
/// from a temporary it keeps a copy. All whose on_train_begin came to its end are told of the end
/// of training, however it ends, by an exception too. fit passes on what is thrown first. One that
/// carries something from epoch to epoch, and is to survive the end of the program in the middle of
/// a run, also has a visit_state(StateFields&), which may be called before on_train_begin and more
/// than once; to hold what it gets back against the run that it is part of, a
/// visit_state(StateFields&, TrainingRun&). An epoch that a resumed run goes on with does not begin
/// twice. One that has an on_batch_end but does not always want it also has a
/// bool listens_to_batches() const.
class CallbackHandle {
public:
    template <class T>
    requires Callback<std::remove_reference_t<T>> CallbackHandle(T&& callback) {
        using Object = std::remove_reference_t<T>;
        std::shared_ptr<Object> object;
        if constexpr (std::is_lvalue_reference_v<T>) {
            object = std::shared_ptr<Object>(std::shared_ptr<void>(), &callback);
        } else {
            object = std::make_shared<Object>(std::move(callback));
        }
        call_ = [object](Event event, TrainingRun& run) { dispatch(*object, event, run); };
        if constexpr (requires { object->listens_to_batches(); }) {
            listens_to_batches_ = [object] { return object->listens_to_batches(); };
        } else {
            has_batch_end_ = requires(TrainingRun & run) { object->on_batch_end(run); };
        }
        if constexpr (requires(StateFields & field, TrainingRun & run) {
                          object->visit_state(field, run);
                      }) {
            visit_state_ = [object](StateFields& field, TrainingRun& run) {
                object->visit_state(field, run);
            };
        } else if constexpr (requires(StateFields & field) { object->visit_state(field); }) {
            visit_state_ = [object](StateFields& field, TrainingRun&) {
                object->visit_state(field);
            };
        }
    }

    enum class Event { train_begin, epoch_begin, batch_end, epoch_end, train_end };

    void operator()(Event event, TrainingRun& run) const { call_(event, run); }

    /// Whether the end of a batch is to be told: on a device whose memory is not the host's, the
    /// run then waits for the batch and reads its scores.
    bool listens_to_batches() const {
        return listens_to_batches_ ? listens_to_batches_() : has_batch_end_;
    }

    void visit_state(StateFields& field, TrainingRun& run) const {
        if (visit_state_) visit_state_(field, run);
    }

private:
    template <class Object>
    static void dispatch(Object& object, Event event, TrainingRun& run) {
        switch (event) {
            case Event::train_begin:
                if constexpr (requires { object.on_train_begin(run); }) object.on_train_begin(run);
                return;
            case Event::epoch_begin:
                if constexpr (requires { object.on_epoch_begin(run); }) object.on_epoch_begin(run);
                return;
            case Event::batch_end:
                if constexpr (requires { object.on_batch_end(run); }) object.on_batch_end(run);
                return;
            case Event::epoch_end:
                if constexpr (requires { object.on_epoch_end(run); }) object.on_epoch_end(run);
                return;
            case Event::train_end:
                if constexpr (requires { object.on_train_end(run); }) object.on_train_end(run);
                return;
        }
    }

    std::function<void(Event, TrainingRun&)> call_;
    std::function<bool()> listens_to_batches_;
    bool has_batch_end_ = false;
    std::function<void(StateFields&, TrainingRun&)> visit_state_;
};

/// Functions of the user's own as a callback.
///
///   LambdaCallback{.epoch_end = [](TrainingRun& run) { std::cout << run.scores()["loss"]; }}
struct LambdaCallback {
    std::function<void(TrainingRun&)> train_begin = {}, epoch_begin = {}, batch_end = {},
                                      epoch_end = {}, train_end = {};

    void on_train_begin(TrainingRun& run) const { call(train_begin, run); }
    void on_epoch_begin(TrainingRun& run) const { call(epoch_begin, run); }
    void on_batch_end(TrainingRun& run) const { call(batch_end, run); }
    bool listens_to_batches() const { return bool(batch_end); }
    void on_epoch_end(TrainingRun& run) const { call(epoch_end, run); }
    void on_train_end(TrainingRun& run) const { call(train_end, run); }

private:
    static void call(const std::function<void(TrainingRun&)>& function, TrainingRun& run) {
        if (function) function(run);
    }
};

/// Which way a score improves.
enum class Better {
    automatic,  ///< by what is in the name: lower for loss, error, mse and mae; else higher for
                ///< acc, precision, recall, f1 and auc; else ArgumentError
    lower,
    higher,
};

namespace detail {

/// By the name of a score. Throws ArgumentError when it does not tell.
WEFT_COLD inline bool is_better_higher(std::string_view monitor) {
    for (const char* word : {"loss", "error", "mse", "mae"}) {
        if (monitor.find(word) != std::string_view::npos) return false;
    }
    for (const char* word : {"acc", "precision", "recall", "f1", "auc"}) {
        if (monitor.find(word) != std::string_view::npos) return true;
    }
    throw ArgumentError(concat("monitor ", monitor,
                               ": the name does not tell whether higher or lower is better; set "
                               ".better"));
}

}  // namespace detail

/// The best value of a score so far. NaN is never an improvement.
class BestScore {
public:
    BestScore() = default;
    /// Throws ArgumentError unless min_delta is a finite number, and when the name does not tell
    /// which way is better.
    BestScore(std::string_view monitor, Better better, double min_delta)
        : min_delta_(std::abs(min_delta)) {
        detail::require_option(std::isfinite(min_delta), monitor, "min_delta", min_delta,
                               "a number");
        higher_ = better == Better::higher ||
                  (better == Better::automatic && detail::is_better_higher(monitor));
    }

    /// Takes the value when it is better than the best by more than min_delta.
    bool improve(double value) {
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

/// Throws ArgumentError that lists the scores there are, unless the run has the one to watch.
WEFT_COLD inline void require_monitored(const TrainingRun& run, std::string_view callback,
                                        const std::string& monitor) {
    std::string known;
    for (const std::string& name : run.score_names()) {
        if (name == monitor) return;
        known += concat(known.empty() ? "" : ", ", name);
    }
    throw ArgumentError(concat(callback, ": no score is named ", monitor, "; the run has ", known));
}

/// The state of a callback that watches a score: which one, and the best of it.
WEFT_COLD inline void visit_monitored(StateFields& field, const std::string& monitor,
                                      BestScore& best) {
    std::string known = monitor;
    field("monitor", known);
    field.require(known == monitor, "monitor", concat("is ", known, ", expected ", monitor));
    field("best", best);
}

/// The number of an epoch of the run, or 0.
WEFT_COLD inline void visit_epoch(StateFields& field, const TrainingRun& run, std::string_view name,
                                  Index& epoch) {
    field.count(name, epoch);
    field.require(!field.is_restoring() || epoch <= run.ended_epochs(), name,
                  "is none that the run has ended");
}

/// The weights of the best epoch, of a callback that keeps them or does not.
WEFT_COLD inline void visit_best_weights(StateFields& field, const TrainingRun& run, bool is_kept,
                                         Buffer& weights) {
    field("weights", weights);
    if (!is_kept) weights = {};
    field.require(!is_kept || !field.is_restoring() || weights.size() == run.weights_bytes(),
                  "weights",
                  concat("has ", weights.size(), " bytes, expected ", run.weights_bytes()));
}

}  // namespace detail

}  // namespace weft
