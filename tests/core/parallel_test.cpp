#include "weft/core/parallel.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#if !defined(_WIN32)
#include <sys/wait.h>
#include <unistd.h>
#endif

using weft::Cpu;
using weft::Index;
using weft::parallel_for;
using weft::parallel_ranges;

namespace {

/// Lets OpenMP start threads inside threads, as a user's program may, while it lives.
class NestedRegions {
public:
#if defined(_OPENMP)
    NestedRegions() : before_(omp_get_max_active_levels()) { omp_set_max_active_levels(2); }
    ~NestedRegions() { omp_set_max_active_levels(before_); }
#else
    NestedRegions() = default;
    ~NestedRegions() {}
#endif
    NestedRegions(const NestedRegions&) = delete;
    NestedRegions& operator=(const NestedRegions&) = delete;

private:
    [[maybe_unused]] int before_ = 0;
};

}  // namespace

TEST_CASE("parallel_for calls each task once, with a worker within the threads") {
    for (const int threads : {1, 2, 7}) {
        for (const Index tasks : {0, 1, 2, 6, 7, 8, 1000}) {
            CAPTURE(threads);
            CAPTURE(tasks);
            const Cpu cpu(threads);
            std::vector<int> calls(static_cast<std::size_t>(tasks));
            std::atomic<int> out_of_range = 0;
            parallel_for(cpu, tasks, [&](Index i, int worker) {
                if (i < 0 || i >= tasks || worker < 0 || worker >= cpu.threads()) {
                    ++out_of_range;
                } else {
                    ++calls[static_cast<std::size_t>(i)];
                }
            });
            CHECK(out_of_range == 0);
            CHECK(calls == std::vector<int>(calls.size(), 1));
        }
    }
}

TEST_CASE("parallel_for without tasks calls nothing") {
    parallel_for(Cpu(2), 0, [](Index, int) { FAIL("called"); });
    parallel_ranges(Cpu(2), 0, 5, [](Index, Index) { FAIL("called"); });
}

TEST_CASE("a worker is one thread, and with OpenMP there are several") {
    const Cpu cpu(7);
    std::vector<std::thread::id> thread_of(7);
    std::vector<int> calls_of(7);
    std::atomic<int> strangers = 0;
    // Neither vector is guarded: a worker number shared by two threads is a data race.
    parallel_for(cpu, 1000, [&](Index, int worker) {
        const auto w = static_cast<std::size_t>(worker);
        if (calls_of[w]++ == 0) thread_of[w] = std::this_thread::get_id();
        strangers += thread_of[w] != std::this_thread::get_id();
    });
    CHECK(strangers == 0);
    int workers = 0, calls = 0;
    for (const int count : calls_of) {
        workers += count > 0;
        calls += count;
    }
    CHECK(calls == 1000);
    if (weft::has_openmp) {
        CHECK(workers > 1);
    } else {
        CHECK(workers == 1);
    }
}

TEST_CASE("inside a parallel region of the caller's own parallel_for runs serially, in order") {
    const NestedRegions allowed;
    std::atomic<int> callers = 0, calls = 0, wrong = 0;
    WEFT_OMP(omp parallel num_threads(3)) {
        const auto self = std::this_thread::get_id();
        Index next = 0;
        parallel_for(Cpu(7), 20, [&](Index i, int worker) {
            wrong += i != next++ || worker != 0 || std::this_thread::get_id() != self;
            ++calls;
        });
        ++callers;
    }
    CHECK(callers >= 1);
    CHECK(calls == 20 * callers);
    CHECK(wrong == 0);
}

TEST_CASE("a parallel_for within a parallel_for starts no further threads") {
    const NestedRegions allowed;
    const Cpu cpu(2);
    std::atomic<int> calls = 0, wrong = 0;
    parallel_for(cpu, 8, [&](Index, int) {
        const auto self = std::this_thread::get_id();
        parallel_ranges(cpu, 10, 3, [&](Index begin, Index end) {
            wrong += std::this_thread::get_id() != self;
            calls += static_cast<int>(end - begin);
        });
    });
    CHECK(wrong == 0);
    CHECK(calls == 80);
}

TEST_CASE("parallel_ranges covers everything by ranges of the grain, the last one shorter") {
    for (const int threads : {1, 2, 7}) {
        for (const Index grain : {1, 6, 7, 1000}) {
            for (const Index count : {1, 5, 6, 7, 12, 13, 100}) {
                CAPTURE(threads);
                CAPTURE(grain);
                CAPTURE(count);
                const Index ranges = (count + grain - 1) / grain;
                std::vector<std::pair<Index, Index>> found(static_cast<std::size_t>(ranges));
                std::atomic<int> calls = 0;
                parallel_ranges(Cpu(threads), count, grain, [&](Index begin, Index end) {
                    found.at(static_cast<std::size_t>(begin / grain)) = {begin, end};
                    ++calls;
                });
                std::vector<std::pair<Index, Index>> expected;
                for (Index begin = 0; begin < count; begin += grain) {
                    expected.emplace_back(begin, std::min(begin + grain, count));
                }
                CHECK(found == expected);
                CHECK(calls == ranges);
            }
        }
    }
}

TEST_CASE("the loops of a pass run on its team, each task once") {
    for (const int threads : {1, 2, 7}) {
        Cpu cpu = Cpu::exactly(threads);
        weft::kernels::run_pass(cpu, 1, [&] {
            CHECK(cpu.threads() == (weft::has_openmp ? threads : 1));
            for (const Index tasks : {0, 1, 2, 7, 8, 1000}) {
                std::vector<int> calls(static_cast<std::size_t>(tasks));
                parallel_for(cpu, tasks, [&](Index i, int worker) {
                    calls[static_cast<std::size_t>(i)] += worker < cpu.threads() ? 1 : 100;
                });
                CHECK(calls == std::vector<int>(calls.size(), 1));
            }
        });
    }
}

TEST_CASE("loops within the tasks of a pass run serially, in order") {
    Cpu cpu = Cpu::exactly(3);
    std::atomic<int> calls = 0, wrong = 0;
    weft::kernels::run_pass(cpu, 1, [&] {
        parallel_for(cpu, 6, [&](Index, int) {
            const auto self = std::this_thread::get_id();
            Index next = 0;
            parallel_for(cpu, 5, [&](Index i, int) {
                wrong += i != next++ || std::this_thread::get_id() != self;
                ++calls;
            });
        });
    });
    CHECK(calls == 30);
    CHECK(wrong == 0);
}

TEST_CASE("a pass within a pass is part of it") {
    Cpu cpu = Cpu::exactly(2);
    int runs = 0;
    weft::kernels::run_pass(cpu, 1, [&] { weft::kernels::run_pass(cpu, 1, [&] { ++runs; }); });
    CHECK(runs == 1);
}

TEST_CASE("what a pass throws comes out of it, and the next pass runs") {
    const auto before = weft::detail::floating_point_mode();
    for (const int threads : {1, 3}) {
        Cpu cpu = Cpu::exactly(threads);
        const auto fail = [&] {
            parallel_for(cpu, 9, [](Index, int) {});
            throw std::runtime_error("on purpose");
        };
        for (int repeat = 0; repeat < 3; ++repeat) {
            CHECK_THROWS_WITH_AS(weft::kernels::run_pass(cpu, 1, fail), "on purpose",
                                 std::runtime_error);
            std::atomic<int> calls = 0;
            weft::kernels::run_pass(cpu, 1,
                                    [&] { parallel_for(cpu, 9, [&](Index, int) { ++calls; }); });
            CHECK(calls == 9);
        }
        CHECK(cpu.threads() == (weft::has_openmp ? threads : 1));
    }
    CHECK((weft::detail::floating_point_mode() & weft::detail::flush_bits) ==
          (before & weft::detail::flush_bits));
}

TEST_CASE("a pass computes with subnormals flushed on all of its threads, its caller does not") {
    if (weft::detail::flush_bits == 0) return;  // a processor without the mode
    const auto is_flushed = [] {
        volatile float smallest = std::numeric_limits<float>::min(), half = 0.5f;
        return smallest * half == 0;
    };
    // Threads that OpenMP keeps, which must get their own mode back.
    std::atomic<int> flushed_outside = 0;
    for (const int threads : {1, 2, 7}) {
        Cpu cpu = Cpu::exactly(threads);
        std::atomic<int> members = 0, flushed = 0;
        weft::kernels::run_pass(cpu, 1, [&] {
            CHECK(is_flushed());
            parallel_for(cpu, cpu.threads(), [&](Index, int) {
                flushed += is_flushed();
                ++members;
                // Every member takes one task. Not for ever: OpenMP may give fewer than asked for.
                const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(2);
                while (members < cpu.threads() && std::chrono::steady_clock::now() < end) {
                    std::this_thread::yield();
                }
            });
        });
        CHECK(flushed == cpu.threads());
        CHECK_FALSE(is_flushed());
        WEFT_OMP(omp parallel num_threads(threads)) { flushed_outside += is_flushed(); }
    }
    CHECK(flushed_outside == 0);
}

TEST_CASE("threads outside of a pass compute as their caller does") {
    if (weft::detail::flush_bits == 0) return;
    const auto is_flushed = [] {
        volatile float smallest = std::numeric_limits<float>::min(), half = 0.5f;
        return smallest * half == 0;
    };
    const auto count = [&] {
        std::atomic<int> flushed = 0;
        parallel_for(Cpu(3), 30, [&](Index, int) { flushed += is_flushed(); });
        return flushed.load();
    };
    CHECK(count() == 0);
    {
        const weft::detail::FlushSubnormals flush;
        CHECK(count() == 30);
    }
    CHECK(count() == 0);
}

TEST_CASE(
    "passes have no more threads than there are processors, unless just so many are asked for") {
    Cpu cpu(500);
    weft::kernels::run_pass(cpu, 1e9, [&] { CHECK(cpu.threads() <= weft::detail::processors()); });
    Cpu small(2);
    weft::kernels::run_pass(small, 1000, [&] { CHECK(small.threads() == 1); });
}

#if !defined(_WIN32)
TEST_CASE("a process that is forked after computing with threads computes on") {
    const auto sum_in_pass = [](int threads) {
        Cpu cpu = Cpu::exactly(threads);
        std::atomic<int> sum = 0;
        weft::kernels::run_pass(cpu, 1, [&] {
            parallel_for(cpu, 100, [&](Index i, int) { sum += static_cast<int>(i); });
        });
        parallel_for(Cpu(threads), 100, [&](Index i, int) { sum += static_cast<int>(i); });
        return sum.load();
    };
    REQUIRE(sum_in_pass(3) == 9900);
    const pid_t child = fork();
    if (child == 0) {
        alarm(20);  // a child that hangs is killed
        _exit(sum_in_pass(3) == 9900 ? 0 : 1);
    }
    REQUIRE(child > 0);
    int status = -1;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
    CHECK(sum_in_pass(3) == 9900);
}
#endif

TEST_CASE("sums over ranges have the same bits for 1, 2 and 7 threads") {
    const auto sum = [](int threads) {
        std::vector<float> partial(143);
        parallel_ranges(Cpu(threads), 10000, 70, [&](Index begin, Index end) {
            float total = 0;
            for (Index i = begin; i < end; ++i) total += std::sin(static_cast<float>(i));
            partial[static_cast<std::size_t>(begin / 70)] = total;
        });
        float total = 0;
        for (const float part : partial) total += part;
        return total;
    };
    const float one = sum(1);
    CHECK(one != 0);
    CHECK(sum(2) == one);
    CHECK(sum(7) == one);
}
