/// \file
/// The one place that starts threads.
#pragma once

#include "weft/config.hpp"
#include "weft/core/cpu.hpp"
#include "weft/core/shape.hpp"

#include <algorithm>
#include <type_traits>

namespace weft {

/// Calls task(i, worker) once for each i in [0, tasks), on up to cpu.threads() threads; worker, in
/// [0, cpu.threads()), tells concurrent calls apart. Inside a parallel region of the caller's own
/// it runs serially. Tasks must not throw.
///
/// The split into tasks is the caller's and must not depend on the thread count: then neither do
/// the results, to the last bit.
template <class Task>
void parallel_for(const Cpu& cpu, Index tasks, const Task& task) {
    static_assert(std::is_invocable_v<const Task&, Index, int>);
    const int threads = static_cast<int>(std::min<Index>(cpu.threads(), tasks));
    if (threads <= 1 || detail::in_parallel_region()) {
        for (Index i = 0; i < tasks; ++i) task(i, 0);
        return;
    }
    WEFT_OMP(omp parallel num_threads(threads)) {
        const Index member = detail::team_member();
        const Index team = detail::team_size();
        const Index end = tasks * (member + 1) / team;
        for (Index i = tasks * member / team; i < end; ++i) task(i, static_cast<int>(member));
    }
}

/// Calls task(begin, end) for consecutive ranges that cover [0, count), each of `grain` elements
/// but for the last, in parallel.
template <class Task>
void parallel_ranges(const Cpu& cpu, Index count, Index grain, const Task& task) {
    parallel_for(cpu, (count + grain - 1) / grain,
                 [&](Index i, int) { task(i * grain, std::min(count, (i + 1) * grain)); });
}

}  // namespace weft
