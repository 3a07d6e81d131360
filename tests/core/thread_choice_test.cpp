#include "weft/core/thread_choice.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <functional>

using weft::detail::ThreadChoice;

namespace {

/// A machine on which a pass of one unit of work takes seconds(threads).
struct Machine {
    std::function<double(int)> seconds;
    ThreadChoice choice{};
    double spent = 0, work = 0;

    /// Runs passes for so many seconds.
    void run(double duration, int most) {
        spent = work = 0;
        while (spent < duration) {
            const double took = seconds(choice.threads(most));
            choice.record(took, 1);
            spent += took;
            work += 1;
        }
    }

    /// The seconds a unit of work took, over those with the best number of threads.
    double slowdown(double best) const { return spent / work / best; }
};

/// Numbers of [0, 1) in a fixed order.
struct Noise {
    std::uint32_t state = 1;
    double operator()() {
        state = state * 1664525u + 1013904223u;
        return state / 4294967296.0;
    }
};

}  // namespace

TEST_CASE("a choice among one is one") {
    ThreadChoice choice;
    for (int pass = 0; pass < 100; ++pass) {
        CHECK(choice.threads(1) == 1);
        choice.record(1, 1);
    }
}

TEST_CASE("the first pass has all threads, and where they pay nearly all passes have") {
    for (const double pass : {1e-5, 2e-4, 0.05, 0.4}) {
        CAPTURE(pass);
        Machine quiet{[=](int threads) { return pass / threads; }};
        CHECK(quiet.choice.threads(4) == 4);
        quiet.run(30, 4);
        CHECK(quiet.slowdown(pass / 4) < 1.03);
    }
}

TEST_CASE("where threads cost more than they bring, passes soon have one") {
    for (const double pass : {1e-5, 2e-4, 0.05}) {
        CAPTURE(pass);
        Machine busy{[=](int threads) { return threads == 1 ? pass : 0.006 + pass; }};
        busy.run(30, 2);
        CHECK(busy.slowdown(pass) < 1.05);
    }
    Machine many{[](int threads) { return threads == 2 ? 1e-4 : 1e-3; }};
    many.run(10, 8);
    CHECK(many.slowdown(1e-4) < 1.05);
}

TEST_CASE("long passes are tried with fewer threads while it still pays") {
    // A prediction beside a busy process, on two cores.
    Machine prediction{[](int threads) { return threads == 1 ? 0.0214 : 0.026; }};
    prediction.run(1.5, 2);
    CHECK(prediction.slowdown(0.0214) < 1.05);
    Machine training{[](int threads) { return threads == 1 ? 0.3 : 0.4; }};
    training.run(20, 2);
    CHECK(training.slowdown(0.3) < 1.08);
    // Where more threads pay, the early trial is made up for.
    Machine quiet{[](int threads) { return threads == 1 ? 0.3 : 0.15; }};
    quiet.run(20, 2);
    CHECK(quiet.slowdown(0.15) < 1.03);
}

TEST_CASE("the choice follows the machine both ways") {
    bool is_busy = false;
    Machine machine{[&](int threads) { return threads == 1 ? 2e-4 : is_busy ? 6e-3 : 1.1e-4; }};
    machine.run(5, 2);
    CHECK(machine.slowdown(1.1e-4) < 1.03);
    is_busy = true;
    machine.run(2, 2);
    CHECK(machine.slowdown(2e-4) < 1.1);
    is_busy = false;
    machine.run(3, 2);  // two seconds at most until the next trial is earned
    machine.run(2, 2);
    CHECK(machine.slowdown(1.1e-4) < 1.03);
}

TEST_CASE("a pass that was stopped for ten minutes does not spoil the choice") {
    // With all threads, and with those on trial; passes of 1 ms see the stop at each of their
    // places.
    for (const int stopped_with : {1, 2}) {
        for (int place = 0; place < 20; ++place) {
            CAPTURE(stopped_with);
            CAPTURE(place);
            int left = 1000 + place;
            Machine machine{[&](int threads) {
                const double pass = threads == 2 ? 1e-3 : 1.8e-3;
                if (left > 0) --left;
                if (left != 0 || threads != stopped_with) return pass;
                left = -1;
                return pass + 600;
            }};
            machine.run(590, 2);
            REQUIRE(left == -1);
            machine.run(10, 2);
            machine.run(20, 2);
            CHECK(machine.slowdown(1e-3) < 1.05);
        }
    }
}

TEST_CASE("trials that cost nothing for an hour do not pay for dear ones") {
    bool is_busy = false;
    Machine machine{[&](int threads) { return threads == 1 ? 1.03e-3 : is_busy ? 2e-2 : 1e-3; }};
    machine.run(3600, 2);
    is_busy = true;
    machine.run(1, 2);
    machine.run(10, 2);
    CHECK(machine.slowdown(1.03e-3) < 1.05);
}

TEST_CASE("noise of half the time does not hide a difference of a third") {
    Noise noise;
    Machine machine{
        [&](int threads) { return (threads == 2 ? 1e-3 : 1.5e-3) * (0.75 + noise() / 2); }};
    machine.run(20, 2);
    CHECK(machine.slowdown(1e-3) < 1.06);
}

TEST_CASE("passes of different sizes count by their work") {
    ThreadChoice choice;
    double spent = 0, best = 0;
    for (int pass = 0; pass < 20'000; ++pass) {
        const double work = pass % 10 == 9 ? 0.1 : 1;  // a shorter last batch
        const double took = work * (choice.threads(2) == 2 ? 1e-3 : 1.6e-3);
        choice.record(took, work);
        spent += took;
        best += work * 1e-3;
    }
    CHECK(spent / best < 1.04);
}

TEST_CASE("another limit is kept at once") {
    Machine machine{[](int threads) { return 1e-3 / threads; }};
    machine.run(1, 8);
    for (const int most : {2, 3, 1, 5}) {
        for (int pass = 0; pass < 200; ++pass) {
            const int threads = machine.choice.threads(most);
            CHECK(threads >= 1);
            CHECK(threads <= most);
            machine.choice.record(1e-3, 1);
        }
    }
}
