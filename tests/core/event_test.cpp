#include "weft/core/event.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <thread>

using weft::detail::Event;

TEST_CASE("a wait for a count that has passed ends at once") {
    Event event;
    CHECK(event.count() == 0);
    event.signal();
    CHECK(event.count() == 1);
    event.wait(0);
}

TEST_CASE("no signal is lost, at whatever moment of a wait it comes") {
    // Each signal comes about when the other thread goes to sleep. A lost one hangs the test, as
    // std::atomic::wait did where libstdc++ has no futex.
    Event ping, pong;
    constexpr int rounds = 4000;
    std::thread other([&] {
        for (int i = 0; i < rounds; ++i) {
            ping.wait(i);
            pong.signal();
        }
    });
    for (int i = 0; i < rounds; ++i) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(40 + i % 40);
        while (std::chrono::steady_clock::now() < end) {
        }
        ping.signal();
        pong.wait(i);
    }
    other.join();
    CHECK(ping.count() == rounds);
    CHECK(pong.count() == rounds);
}
