/// \file
/// Event: a count that threads wait for.
#pragma once

#include "weft/core/processor.hpp"
#include "weft/core/threads.hpp"

#include <atomic>

namespace weft::detail {

/// Counts its signals. A thread reads the count, looks for work, then waits until the count
/// changes.
///
/// Not std::atomic::wait: libstdc++ loses wakes where it has no futex, as on Windows.
class Event {
public:
    int count() const { return count_.load(std::memory_order_acquire); }

    WEFT_NOINLINE void signal() {
        // Sequentially consistent with the two accesses of sleep(): either the sleeper sees the new
        // count, or this thread sees the sleeper.
        count_.fetch_add(1);
        if (sleepers_.load() == 0) return;
        // A thread that saw the old count holds the mutex until it is asleep.
        mutex_.lock();
        mutex_.unlock();
        changed_.notify_all();
    }

    /// Waits until the count is no longer `old`. Spins for up to 50 us: gaps between the loops of a
    /// pass are seldom longer. Then sleeps, and leaves the processor to others.
    WEFT_NOINLINE void wait(int old) {
        double end = 0;  // in seconds
        for (bool is_first = true;; is_first = false) {
            for (int i = 0; i < 64; ++i) {
                if (count() != old) return;
                pause();
            }
            const double now = steady_seconds();
            if (is_first) end = now + 50e-6;
            if (now >= end) break;
        }
        sleep(old);
    }

private:
    void sleep(int old) {
        const Lock lock(mutex_);
        sleepers_.fetch_add(1);
        while (count_.load() == old) changed_.wait(mutex_);
        sleepers_.fetch_sub(1);
    }

    std::atomic<int> count_{0}, sleepers_{0};
    Mutex mutex_;
    Condition changed_;
};

}  // namespace weft::detail
