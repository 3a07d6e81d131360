/// \file
/// Benchmarks whose results are compared with the reference kernels before they are timed.
#pragma once

#include "bench/support/measure.hpp"
#include "bench/support/same_results.hpp"
#include "tests/support/reference/device.hpp"
#include "weft/core/cpu.hpp"

#include <string>

namespace weft::bench {

/// Runs run() once, and times it unless check(), a Verdict on what it left, complains. A check that
/// passed sets is_checked, and is not made again.
template <class Run, class Check>
void check_and_measure(benchmark::State& state, bool& is_checked, const Work& work, const Run& run,
                       const Check& check) {
    run();
    if (!is_checked) {
        const Verdict verdict = check();
        if (!verdict) {
            const std::string message = concat("differs from its definition: ", verdict.complaint);
            return state.SkipWithError(message.c_str());
        }
        is_checked = true;
    }
    measure(state, work, run);
}

/// What all contenders for the same work compute.
template <class Make, class Kernel, class Results>
struct Task {
    Work work;
    Make make;        ///< make(device): the arrays on a device, with the same numbers on each
    Kernel kernel;    ///< kernel(device, arrays)
    Results results;  ///< results(arrays): a tuple of the tensors that it wrote
    double tolerance = 1e-5;  ///< of same_results
};

template <class Make, class Kernel, class Results>
Task(Work, Make, Kernel, Results, double = 0) -> Task<Make, Kernel, Results>;

/// Registers a benchmark of start(cpu, arrays), which returns what is to be run. Its results are compared
/// with those of the task's kernel on Reference.
template <class Make, class Kernel, class Results, class Start>
void add_contender(const std::string& name, const Task<Make, Kernel, Results>& task,
                   const Start& start) {
    add(name, [=, is_checked = false](benchmark::State& state) mutable {
        Cpu cpu;
        auto arrays = task.make(cpu);
        const auto run = start(cpu, arrays);
        check_and_measure(state, is_checked, task.work, run, [&] {
            Reference reference;
            auto expected = task.make(reference);
            task.kernel(reference, expected);
            return same_results(task.results(arrays), task.results(expected), task.tolerance);
        });
    });
}

/// The same of the kernel on the CPU, as  NAME/weft.
template <class Make, class Kernel, class Results>
void add_weft(const std::string& name, const Task<Make, Kernel, Results>& task) {
    add_contender(name + "/weft", task, [kernel = task.kernel](Cpu& cpu, auto& arrays) {
        return [&cpu, &arrays, kernel] { kernel(cpu, arrays); };
    });
}

}  // namespace weft::bench
