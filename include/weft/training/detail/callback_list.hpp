/// \file
/// CallbackList: the callbacks of a run, told of it in their order.
#pragma once

#include "weft/training/callback.hpp"

#include <exception>

namespace weft::detail {

/// Calls callbacks, each followed by check(): they run code of the user's.
class CallbackList {
public:
    explicit CallbackList(Span<const CallbackHandle> callbacks) : callbacks_(callbacks) {}

    template <class Check>
    void begin(TrainingRun& run, const Check& check) {
        for (const CallbackHandle& callback : callbacks_) {
            callback(CallbackHandle::Event::train_begin, run);
            ++begun_;
            check();
        }
    }

    /// Of a batch's end, tells those that listen to batches.
    template <class Check>
    void call(CallbackHandle::Event event, TrainingRun& run, const Check& check) {
        const bool is_batch = event == CallbackHandle::Event::batch_end;
        for (const CallbackHandle& callback : callbacks_) {
            if (is_batch && !callback.listens_to_batches()) continue;
            callback(event, run);
            check();
        }
    }

    bool listen_to_batches() const {
        bool listen = false;
        for (const CallbackHandle& callback : callbacks_) listen |= callback.listens_to_batches();
        return listen;
    }

    /// Ends all that began; gives what the first of them threw, if one did.
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
    std::size_t begun_ = 0;  ///< that were told that training begins
};

}  // namespace weft::detail
