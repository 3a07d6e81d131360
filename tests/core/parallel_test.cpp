#include "weft/core/parallel.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cmath>
#include <thread>
#include <utility>
#include <vector>

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
