/// \file
/// CallbackList: calls the callbacks of a run in order.
#pragma once

#include "weft/training/callback.hpp"

#include <exception>

namespace weft::detail {

/// Calls callbacks, each followed by check(), since they run the user's code.
class CallbackList {
public:
    explicit CallbackList(Span<const CallbackHandle> callbacks) : callbacks_(callbacks) {}

    /// Calls an event of all callbacks; batch_end only of those that listen to batches.
    template <class Check>
    WEFT_COLD void call(CallbackHandle::Event event, TrainingRun& run, const Check& check) {
        const bool is_batch = event == CallbackHandle::Event::batch_end;
        for (const CallbackHandle& callback : callbacks_) {
            if (is_batch && !callback.listens_to_batches()) continue;
            callback(event, run);
            begun_ += event == CallbackHandle::Event::train_begin;
            check();
        }
    }

    bool listen_to_batches() const {
        bool listen = false;
        for (const CallbackHandle& callback : callbacks_) listen |= callback.listens_to_batches();
        return listen;
    }

    /// Calls on_train_end of all that began; returns the first exception, if there is one.
    WEFT_COLD std::exception_ptr end(TrainingRun& run) {
        std::exception_ptr first;
        for (const CallbackHandle& callback : callbacks_.first(begun_)) {
            try {
                callback(CallbackHandle::Event::train_end, run);
            } catch (...) {
                if (!first) first = std::current_exception();
            }
        }
        return first;
    }

    WEFT_COLD void visit_state(StateFields& field, TrainingRun& run) {
        for (std::size_t i = 0; i < callbacks_.size(); ++i) {
            CallbackState state{callbacks_[i], run};
            field(join({"callback_", i}), state);
        }
    }

private:
    struct CallbackState {
        const CallbackHandle& callback;
        TrainingRun& run;

        void visit_state(StateFields& field) { callback.visit_state(field, run); }
    };

    Span<const CallbackHandle> callbacks_;
    std::size_t begun_ = 0;  ///< callbacks whose on_train_begin returned
};

}  // namespace weft::detail
