/// \file
/// The one place that starts threads to compute with. (prefetched starts one that reads ahead.)
#pragma once

#include "weft/core/cpu.hpp"
#include "weft/core/flush_subnormals.hpp"

#include <exception>

namespace weft {

namespace detail {
inline namespace WEFT_BUILD_NAMESPACE {

/// Whether this thread may start others: not within a parallel region of the caller's, and not in a
/// process forked from one that computed with threads, where GNU's OpenMP would wait for ever for
/// the threads of its parent.
WEFT_NOINLINE inline bool may_start_threads() { return !is_forked() && !in_parallel_region(); }

/// A pass that runs on a Cpu: its threads, and how they compute.
class CpuPass {
public:
    static bool is_open(const Cpu& cpu) { return cpu.pass_threads_ > 0; }

    /// The team to share a loop with, where one is open.
    static Team* team(const Cpu& cpu) {
        return has_openmp && cpu.pass_threads_ > 1 && !cpu.team_.is_busy() ? &cpu.team_ : nullptr;
    }

    WEFT_COLD CpuPass(Cpu& cpu, double work) : cpu_(cpu), work_(work) {
        cpu_.pass_threads_ = chosen_threads();
        if (is_measured_) start_ = steady_seconds();
    }
    ~CpuPass() { cpu_.pass_threads_ = 0; }
    CpuPass(const CpuPass&) = delete;
    CpuPass& operator=(const CpuPass&) = delete;

    WEFT_COLD void run(CallReference<> body) {
        if (!has_openmp || cpu_.pass_threads_ <= 1) {
            const FlushSubnormals flush;
            body();
        } else {
            run_on_team(body);
        }
        if (!has_openmp || !is_measured_) return;
        cpu_.choice_.record(steady_seconds() - start_, work_);
    }

private:
    /// Multiplications of some 20 us of work. Below, threads cost more than they do.
    static constexpr double least_work = 1 << 20;

    int chosen_threads() {
        const int allowed = cpu_.threads();
        const bool is_small = !cpu_.is_exact_ && work_ > 0 && work_ < least_work;
        if (!has_openmp || allowed <= 1 || is_small || !may_start_threads()) return 1;
        if (cpu_.is_exact_) return allowed;
        is_measured_ = work_ > 0;
        return cpu_.choice_.threads((std::min)({allowed, processors(), Cpu::most_threads}));
    }

    void run_on_team(CallReference<> body) {
        Team& team = cpu_.team_;
        std::exception_ptr failure;
        team.open(cpu_.pass_threads_, floating_point_mode() | flush_bits);
        // Flushing begins within: threads that start here take over this thread's mode for good.
        WEFT_OMP(omp parallel num_threads(cpu_.pass_threads_)) {
            if (team_member() > 0) {
                team.help(team_member());
            } else {
                try {
                    const FlushSubnormals flush;
                    body();
                } catch (...) {
                    failure = std::current_exception();
                }
                team.close();
            }
        }
        if (failure) std::rethrow_exception(failure);
    }

    Cpu& cpu_;
    double work_;
    bool is_measured_ = false;
    double start_ = 0;  ///< in seconds
};

WEFT_NOINLINE inline void run_tasks(const Cpu& cpu, Index tasks, TaskReference task) {
    if (Team* const team = CpuPass::team(cpu); team != nullptr && tasks > 1) {
        return team->run(tasks, task);
    }
    const int threads = static_cast<int>((std::min<Index>)(cpu.threads(), tasks));
    if (!has_openmp || threads <= 1 || !may_start_threads()) {
        for (Index i = 0; i < tasks; ++i) task(i, 0);
        return;
    }
    const std::uint64_t mode = floating_point_mode();
    WEFT_OMP(omp parallel num_threads(threads)) {
        const std::uint64_t own_mode = floating_point_mode();
        set_floating_point_mode(mode);
        const Index member = team_member();
        const Index team = team_size();
        const Index end = tasks * (member + 1) / team;
        for (Index i = tasks * member / team; i < end; ++i) task(i, static_cast<int>(member));
        set_floating_point_mode(own_mode);
    }
}

using RangeReference = CallReference<Index, Index>;

WEFT_NOINLINE inline void run_ranges(const Cpu& cpu, Index count, Index grain,
                                     RangeReference task) {
    const auto range = [&](Index i, int) { task(i * grain, (std::min)(count, (i + 1) * grain)); };
    run_tasks(cpu, (count + grain - 1) / grain, TaskReference(range));
}

}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace detail

/// Calls task(i, worker) once for each i in [0, tasks), on up to cpu.threads() threads; worker, in
/// [0, cpu.threads()), tells concurrent calls apart. Inside a parallel region of the caller's own
/// it runs serially. Tasks must not throw.
///
/// The split into tasks is the caller's and must not depend on the thread count: then neither do
/// the results, to the last bit.
template <class Task>
void parallel_for(const Cpu& cpu, Index tasks, const Task& task) {
    detail::run_tasks(cpu, tasks, detail::TaskReference(task));
}

/// Calls task(begin, end) for consecutive ranges that cover [0, count), each of `grain` elements
/// but for the last, in parallel.
template <class Task>
void parallel_ranges(const Cpu& cpu, Index count, Index grain, const Task& task) {
    detail::run_ranges(cpu, count, grain, detail::RangeReference(task));
}

namespace kernels {
inline namespace WEFT_BUILD_NAMESPACE {

/// Runs body(), a chain of kernels on cpu, as one pass. Its loops share one team of threads, which
/// starts and ends once; subnormal numbers are 0 on all of them. Within a pass it is body() alone.
///
/// work: the multiplications of the pass, at least, in proportion to its size: the number of
/// threads is chosen by what passes take for it. 0: not measured.
template <class Body>
void run_pass(Cpu& cpu, double work, const Body& body) {
    if (weft::detail::CpuPass::is_open(cpu)) return body();
    weft::detail::CpuPass(cpu, work).run(weft::detail::CallReference<>(body));
}

}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace kernels
}  // namespace weft
