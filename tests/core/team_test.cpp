#include "weft/core/team.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <exception>
#include <stdexcept>
#include <thread>
#include <vector>

#if !defined(_WIN32)
#include <sys/wait.h>
#include <unistd.h>
#endif

using weft::Index;
using weft::detail::floating_point_mode;
using weft::detail::TaskReference;
using weft::detail::Team;

namespace {

/// Calls of each task, and of each member.
struct Calls {
    std::vector<int> of_task, of_member;

    Calls(Index tasks, int members)
        : of_task(static_cast<std::size_t>(tasks)), of_member(static_cast<std::size_t>(members)) {}

    void run(Team& team) {
        // No vector is guarded: a task run twice or a shared member is a data race.
        const auto task = [this](Index i, int member) {
            ++of_task[static_cast<std::size_t>(i)];
            ++of_member[static_cast<std::size_t>(member)];
        };
        team.run(static_cast<Index>(of_task.size()), TaskReference(task));
    }

    bool are_once_each() const { return of_task == std::vector<int>(of_task.size(), 1); }
};

/// Members 1 to members - 1, as threads.
class Helpers {
public:
    Helpers(Team& team, int members) {
        for (int member = 1; member < members; ++member) {
            threads_.emplace_back([&team, member] { team.help(member); });
        }
    }
    void join() {
        for (std::thread& thread : threads_) thread.join();
    }

private:
    std::vector<std::thread> threads_;
};

}  // namespace

TEST_CASE("a loop ends without the members that never came") {
    Team team;
    team.open(5, floating_point_mode());
    for (const Index tasks : {1, 4, 5, 6, 100}) {
        Calls calls(tasks, 5);
        calls.run(team);
        CHECK(calls.are_once_each());
        CHECK(calls.of_member[0] == tasks);
    }
    team.close();
}

TEST_CASE("each task of thousands of loops runs once, and helpers come and go") {
    Team team;
    for (int pass = 0; pass < 20; ++pass) {
        const int members = 2 + pass % 3;
        team.open(members, floating_point_mode());
        Helpers helpers(team, members);
        for (int loop = 0; loop < 200; ++loop) {
            Calls calls(1 + loop % 17, members);
            calls.run(team);
            REQUIRE(calls.are_once_each());
        }
        team.close();
        helpers.join();
    }
}

TEST_CASE("helpers that fell asleep wake for the next loop") {
    Team team;
    team.open(2, floating_point_mode());
    Helpers helpers(team, 2);
    for (int loop = 0; loop < 5; ++loop) {
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
        std::atomic<int> arrived = 0;
        const auto meet = [&](Index, int) {
            ++arrived;
            // Each task waits for the other: both members have to come.
            while (arrived < 2) std::this_thread::yield();
        };
        team.run(2, TaskReference(meet));
        CHECK(arrived == 2);
    }
    team.close();
    helpers.join();
}

TEST_CASE("a member that is free takes the tasks of one that is held up") {
    Team team;
    team.open(2, floating_point_mode());
    Helpers helpers(team, 2);
    std::atomic<int> done = 0;
    const auto task = [&](Index i, int) {
        // The first task ends last: all others have to be done by the other member.
        while (i == 0 && done < 9) std::this_thread::yield();
        ++done;
    };
    team.run(10, TaskReference(task));
    CHECK(done == 10);
    team.close();
    helpers.join();
}

#if !defined(_WIN32)
TEST_CASE("a task that throws ends the program, before others work on what is gone") {
    const pid_t child = fork();
    if (child == 0) {
        std::set_terminate([] { _exit(42); });
        Team team;
        team.open(2, floating_point_mode());
        const auto task = [](Index, int) { throw std::runtime_error("on purpose"); };
        try {
            team.run(3, TaskReference(task));
        } catch (const std::runtime_error&) {
            _exit(1);
        }
        _exit(2);
    }
    REQUIRE(child > 0);
    int status = -1;
    REQUIRE(waitpid(child, &status, 0) == child);
    REQUIRE(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 42);
}
#endif
