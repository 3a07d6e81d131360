#include "weft/core/threads.hpp"

#include <doctest/doctest.h>

#include <thread>

using namespace weft::detail;

namespace {

/// Hands a number back and forth between two threads.
class SharedCount {
public:
    /// Adds 1 whenever the number is odd or even, so many times.
    template <int remainder>
    void count(int times) {
        for (int i = 0; i < times; ++i) {
            const Lock lock(mutex_);
            while (number_ % 2 != remainder) changed_.wait(mutex_);
            ++number_;
            changed_.notify_all();
        }
    }
    void count_odd() { count<1>(rounds); }
    void note_thread() { thread = std::this_thread::get_id(); }
    int number() const { return number_; }

    static constexpr int rounds = 2000;
    std::thread::id thread;

private:
    Mutex mutex_;
    Condition changed_;
    int number_ = 0;
};

}  // namespace

TEST_CASE("a thread calls a member function, once, and may be started again after it") {
    SharedCount counter;
    Thread thread;
    CHECK_FALSE(thread.is_started());
    thread.join();
    for (int i = 0; i < 3; ++i) {
        counter.thread = {};
        REQUIRE(thread.start<&SharedCount::note_thread>(counter));
        CHECK(thread.is_started());
        thread.join();
        CHECK_FALSE(thread.is_started());
        CHECK(counter.thread != std::thread::id{});
        CHECK(counter.thread != std::this_thread::get_id());
    }
}

TEST_CASE("a thread is joined when its Thread ends, and before it is started anew") {
    SharedCount counter;
    {
        Thread thread;
        REQUIRE(thread.start<&SharedCount::count_odd>(counter));
        counter.count<0>(SharedCount::rounds);
        REQUIRE(thread.start<&SharedCount::count_odd>(counter));
        counter.count<0>(SharedCount::rounds);
    }
    CHECK(counter.number() == 4 * SharedCount::rounds);
}

TEST_CASE("threads that hold a mutex keep each other out") {
    struct Sum {
        Mutex mutex;
        int value = 0;
        void add() {
            for (int i = 0; i < 20'000; ++i) {
                const Lock lock(mutex);
                value = value + 1;
            }
        }
    } sum;
    {
        Thread first, second;
        REQUIRE(first.start<&Sum::add>(sum));
        REQUIRE(second.start<&Sum::add>(sum));
    }
    CHECK(sum.value == 40'000);
}
