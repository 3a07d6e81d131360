/// \file
/// Callbacks: objects that watch a training run and may steer it.
#pragma once

#include "weft/training/state_fields.hpp"
#include "weft/training/training_run.hpp"

#include <functional>
#include <memory>
#include <type_traits>

namespace weft {

/// An object with at least one of the member functions that a training run calls.
template <class T>
concept Callback = requires(T& object, TrainingRun& run) { object.on_train_begin(run); } ||
                   requires(T& object, TrainingRun& run) { object.on_epoch_begin(run); } ||
                   requires(T& object, TrainingRun& run) { object.on_batch_end(run); } ||
                   requires(T& object, TrainingRun& run) { object.on_epoch_end(run); } ||
                   requires(T& object, TrainingRun& run) { object.on_train_end(run); };

/// Any callback: an object with some of the member functions
///
///   on_train_begin, on_epoch_begin, on_batch_end, on_epoch_end, on_train_end (TrainingRun&).
///
/// Lifetime: made from a variable, it refers to it, so results can be read there after training.
/// Made from a temporary, it keeps a copy.
///
/// End: each callback whose on_train_begin returned gets on_train_end, also after an exception. fit
/// rethrows the first exception.
///
/// Checkpoints: a callback that carries state from epoch to epoch defines
/// visit_state(StateFields&), or visit_state(StateFields&, TrainingRun&) to check what it restores
/// against the run. It may be called before on_train_begin, and more than once.
///
/// Batches: a callback with an on_batch_end that is not always needed defines bool
/// listens_to_batches() const.
///
/// Resuming: on_epoch_begin is not called again for an epoch that a resumed run continues.
class CallbackHandle {
public:
    template <class T>
    requires Callback<std::remove_reference_t<T>>
    CallbackHandle(T&& callback) {
        using Object = std::remove_reference_t<T>;
        std::shared_ptr<Object> object;
        if constexpr (std::is_lvalue_reference_v<T>) {
            object = std::shared_ptr<Object>(std::shared_ptr<void>(), &callback);
        } else {
            object = std::make_shared<Object>(std::forward<T>(callback));
        }
        call_ = [object](Event event, TrainingRun& run) { dispatch(*object, event, run); };
        object_ = object.get();
        listens_to_batches_ = [](const void* of) {
            if constexpr (requires { object->listens_to_batches(); }) {
                return static_cast<const Object*>(of)->listens_to_batches();
            } else {
                return requires(TrainingRun& run) { object->on_batch_end(run); };
            }
        };
        if constexpr (requires(StateFields& field, TrainingRun& run) {
                          object->visit_state(field, run);
                      }) {
            visit_state_ = [object](StateFields& field, TrainingRun& run) {
                object->visit_state(field, run);
            };
        } else if constexpr (requires(StateFields& field) { object->visit_state(field); }) {
            visit_state_ = [object](StateFields& field, TrainingRun&) {
                object->visit_state(field);
            };
        }
    }

    enum class Event { train_begin, epoch_begin, batch_end, epoch_end, train_end };

    void operator()(Event event, TrainingRun& run) const { call_(event, run); }

    /// Whether to call on_batch_end. If the device's memory is not the host's, the run then waits
    /// for each batch and reads its scores.
    bool listens_to_batches() const { return listens_to_batches_(object_); }

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
    const void* object_ = nullptr;  ///< held or referred to by call_
    bool (*listens_to_batches_)(const void*) = nullptr;
    std::function<void(StateFields&, TrainingRun&)> visit_state_;
};

}  // namespace weft
