/// \file
/// The one place that starts threads to compute with. (prefetched starts one that reads ahead.)
#pragma once

#include "weft/core/cpu.hpp"
#include "weft/core/flush_subnormals.hpp"

#include <exception>

namespace weft {

namespace detail {
inline namespace WEFT_BUILD_NAMESPACE {

/// Whether this thread may start others: not within the caller's parallel region, and not in a
/// process forked from one that computed with threads: GNU's OpenMP would wait there for the
/// parent's threads, which do not exist.
WEFT_NOINLINE inline bool may_start_threads() { return !is_forked() && !in_parallel_region(); }

/// A pass on a Cpu: chooses the number of threads, runs body() with them, measures the time.
class CpuPass {
public:
    static bool is_open(const Cpu& cpu) { return cpu.pass_threads_ > 0; }

    /// The team that shares a loop, null if there is none or it is busy.
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
    /// Multiplications of some 20 us of work. Below, starting threads costs more than it saves.
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
        // Flushing begins inside: threads that start here inherit this thread's mode for good.
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

/// Calls task(i, worker) once for each i in [0, tasks), on up to cpu.threads() threads. Concurrent
/// calls have different `worker`s in [0, cpu.threads()). Inside a parallel region of the caller's
/// own it runs serially. Tasks must not throw.
///
/// The caller splits the work into tasks, independently of the thread count. Then results have the
/// same bits for any thread count.
template <class Task>
void parallel_for(const Cpu& cpu, Index tasks, const Task& task) {
    detail::run_tasks(cpu, tasks, detail::TaskReference(task));
}

/// Calls task(begin, end) in parallel for consecutive ranges that cover [0, count). Each has
/// `grain` elements, the last may have fewer.
template <class Task>
void parallel_ranges(const Cpu& cpu, Index count, Index grain, const Task& task) {
    detail::run_ranges(cpu, count, grain, detail::RangeReference(task));
}

namespace kernels {
inline namespace WEFT_BUILD_NAMESPACE {

/// Runs body(), a chain of kernels on cpu, as one pass. Its loops share one team of threads, which
/// starts and ends once. Subnormal numbers are 0 on all of them. Inside a pass it only calls
/// body().
///
/// work: the number of multiplications, or a number in proportion to it. The time passes take per
/// unit of work decides the number of threads. 0: not measured.
template <class Body>
void run_pass(Cpu& cpu, double work, const Body& body) {
    if (weft::detail::CpuPass::is_open(cpu)) return body();
    weft::detail::CpuPass(cpu, work).run(weft::detail::CallReference<>(body));
}

}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace kernels
}  // namespace weft
