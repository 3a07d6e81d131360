/// \file
/// Team: the threads that share the loops of a pass.
#pragma once

#include "weft/config.hpp"
#include "weft/core/event.hpp"
#include "weft/core/shape.hpp"

#include <atomic>
#include <vector>

namespace weft::detail {

/// A reference to a callable void(Arguments...), type-erased: the loops below are compiled once,
/// not for each callable.
template <class... Arguments>
class CallReference {
public:
    template <class Callable>
    explicit CallReference(const Callable& callable)
        : callable_(&callable), call_(call<Callable>) {}

    void operator()(Arguments... arguments) const { call_(callable_, arguments...); }

private:
    template <class Callable>
    static void call(const void* callable, Arguments... arguments) {
        (*static_cast<const Callable*>(callable))(arguments...);
    }

    const void* callable_;
    void (*call_)(const void*, Arguments...);
};

/// task(i, member)
using TaskReference = CallReference<Index, int>;

/// Member 0 runs a pass and its loops, one after another; the other members help. Each member first
/// takes the tasks of its own share, the same range in every loop, then those of other shares. So a
/// loop waits for tasks that have begun, never for a thread without a processor.
class Team {
public:
    /// Opens the team for members 0 ... members - 1, before they come; some may never come. Helpers
    /// compute in floating_point_mode `mode`.
    WEFT_COLD void open(int members, std::uint64_t mode) {
        const auto size = static_cast<std::size_t>(members);
        if (shares_.size() < size) shares_ = std::vector<Share>(size);
        members_ = members;
        mode_ = mode;
        is_open_.store(true, std::memory_order_relaxed);
    }

    /// Member 0: no more loops will come.
    void close() {
        is_open_.store(false, std::memory_order_relaxed);
        announced_.signal();
    }

    /// Whether a loop is running: loops within its tasks run serially.
    bool is_busy() const { return is_busy_; }

    /// Member 0: calls task(i, member) once for each i in [0, tasks). An exception of a task ends
    /// the program, since other members may still run tasks of the loop.
    WEFT_NOINLINE void run(Index tasks, TaskReference task) noexcept {
        is_busy_ = true;
        tasks_ = tasks;
        task_ = &task;
        const int ended = ended_.count();
        unfinished_.store(tasks, std::memory_order_relaxed);
        for (int member = 0; member < members_; ++member) {
            const Index size = begin(member + 1) - begin(member);
            share(member).left.store(size, std::memory_order_release);
        }
        announced_.signal();
        work(0);
        ended_.wait(ended);
        is_busy_ = false;
    }

    /// For the other members: helps until the team closes.
    WEFT_NOINLINE void help(int member) noexcept {
        const std::uint64_t mode = floating_point_mode();
        set_floating_point_mode(mode_);
        for (;;) {
            const int announced = announced_.count();
            if (!is_open_.load(std::memory_order_relaxed)) break;
            work(member);
            announced_.wait(announced);
        }
        set_floating_point_mode(mode);
    }

private:
    /// A member's tasks of the loop, on a cache line of its own.
    struct alignas(64) Share {
        std::atomic<Index> left{0};  ///< tasks not taken; negative after vain attempts
    };

    Share& share(int member) { return shares_[static_cast<std::size_t>(member)]; }
    Index begin(int member) const { return tasks_ * member / members_; }

    /// Takes tasks until none is left. Fields of a loop are read only after one of its tasks was
    /// taken: the loop cannot end before that task does.
    WEFT_NOINLINE void work(int member) {
        Index done = 0;
        for (int next = 0; next < members_; ++next) {
            const int owner = (member + next) % members_;
            std::atomic<Index>& left = share(owner).left;
            while (left.load(std::memory_order_relaxed) > 0) {
                const Index taken = left.fetch_sub(1, std::memory_order_acquire);
                if (taken <= 0) break;
                (*task_)(begin(owner + 1) - taken, member);
                ++done;
            }
        }
        // acq_rel: the member that ends the loop, and member 0, see all that the others wrote.
        if (done > 0 && unfinished_.fetch_sub(done, std::memory_order_acq_rel) == done) {
            ended_.signal();
        }
    }

    std::vector<Share> shares_;  ///< of at least so many members
    int members_ = 0;
    std::uint64_t mode_ = 0;
    bool is_busy_ = false;
    Index tasks_ = 0;
    const TaskReference* task_ = nullptr;
    alignas(64) Event announced_;  ///< loops, and ends of passes
    std::atomic<bool> is_open_{false};
    alignas(64) std::atomic<Index> unfinished_{0};  ///< tasks of the loop
    Event ended_;                                   ///< loops
};

}  // namespace weft::detail
