/// \file
/// The one place that starts threads to compute with. (prefetched starts one that reads ahead.)
#pragma once

#include "weft/config.hpp"
#include "weft/core/cpu.hpp"
#include "weft/core/shape.hpp"

#include <algorithm>

namespace weft {

namespace detail {

/// A reference to a callable void(Index, Other). It keeps the loops below out of every
/// instantiation, so each kernel's body is compiled once.
template <class Other>
class TaskReference {
public:
    template <class Task>
    explicit TaskReference(const Task& task) : task_(&task), call_(call<Task>) {}

    void operator()(Index i, Other other) const { call_(task_, i, other); }

private:
    template <class Task>
    static void call(const void* task, Index i, Other other) {
        (*static_cast<const Task*>(task))(i, other);
    }

    const void* task_;
    void (*call_)(const void*, Index, Other);
};

WEFT_NOINLINE inline void run_tasks(const Cpu& cpu, Index tasks, TaskReference<int> task) {
    const int threads = static_cast<int>(std::min<Index>(cpu.threads(), tasks));
    if (threads <= 1 || in_parallel_region()) {
        for (Index i = 0; i < tasks; ++i) task(i, 0);
        return;
    }
    WEFT_OMP(omp parallel num_threads(threads)) {
        const Index member = team_member();
        const Index team = team_size();
        const Index end = tasks * (member + 1) / team;
        for (Index i = tasks * member / team; i < end; ++i) task(i, static_cast<int>(member));
    }
}

WEFT_NOINLINE inline void run_ranges(const Cpu& cpu, Index count, Index grain,
                                     TaskReference<Index> task) {
    const auto range = [&](Index i, int) { task(i * grain, std::min(count, (i + 1) * grain)); };
    run_tasks(cpu, (count + grain - 1) / grain, TaskReference<int>(range));
}

}  // namespace detail

/// Calls task(i, worker) once for each i in [0, tasks), on up to cpu.threads() threads; worker, in
/// [0, cpu.threads()), tells concurrent calls apart. Inside a parallel region of the caller's own
/// it runs serially. Tasks must not throw.
///
/// The split into tasks is the caller's and must not depend on the thread count: then neither do
/// the results, to the last bit.
template <class Task>
void parallel_for(const Cpu& cpu, Index tasks, const Task& task) {
    detail::run_tasks(cpu, tasks, detail::TaskReference<int>(task));
}

/// Calls task(begin, end) for consecutive ranges that cover [0, count), each of `grain` elements
/// but for the last, in parallel.
template <class Task>
void parallel_ranges(const Cpu& cpu, Index count, Index grain, const Task& task) {
    detail::run_ranges(cpu, count, grain, detail::TaskReference<Index>(task));
}

}  // namespace weft
