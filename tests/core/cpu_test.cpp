#include "weft/core/cpu.hpp"

#include "weft/kernels/cpu/kernels.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>
#if !defined(_WIN32)
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#endif

using weft::Cpu;

namespace {

/// Where the scratch memory of that size is.
std::byte* place_of_scratch(Cpu& cpu, weft::Index size_bytes) {
    const auto scratch = cpu.scratch<std::byte>(size_bytes);
    return scratch.data();
}

}  // namespace

TEST_CASE("Cpu has the threads asked for, and one without OpenMP") {
    for (const int threads : {1, 2, 7}) {
        CHECK(Cpu(threads).threads() == (weft::has_openmp ? threads : 1));
    }
    CHECK(Cpu().threads() == weft::detail::max_threads());
    CHECK(Cpu(0).threads() == weft::detail::max_threads());
    CHECK(Cpu().threads() >= 1);
}

TEST_CASE("Cpu refuses a negative number of threads") {
    CHECK_THROWS_WITH_AS(Cpu(-3), "Cpu: threads is -3, expected 0 to 1024", weft::ArgumentError);
}

TEST_CASE("scratch is aligned, large enough, and grows only when it must") {
    Cpu cpu(1);
    std::byte* first = nullptr;
    {
        const auto scratch = cpu.scratch<double>(125);
        for (int i = 0; i < 125; ++i) scratch.data()[i] = 7;
        first = reinterpret_cast<std::byte*>(scratch.data());
    }
    CHECK(reinterpret_cast<std::uintptr_t>(first) % weft::Buffer::alignment == 0);
    CHECK(place_of_scratch(cpu, 1000) == first);
    CHECK(place_of_scratch(cpu, 10) == first);
    CHECK(place_of_scratch(cpu, 1000) == first);
    std::byte* larger = nullptr;
    {
        const auto scratch = cpu.scratch<std::byte>(100000);
        larger = scratch.data();
        for (int i = 0; i < 100000; ++i) larger[i] = std::byte{7};
    }
    CHECK(place_of_scratch(cpu, 1) == larger);
}

template <class T>
concept GivesMemory = requires(T scratch) { std::forward<T>(scratch).data(); };

TEST_CASE("scratch that nobody keeps gives no memory") {
    using Scratch = weft::kernels::Scratch<float>;
    CHECK(GivesMemory<const Scratch&>);
    CHECK_FALSE(GivesMemory<Scratch&&>);
}

#if !defined(_WIN32) && !defined(NDEBUG)
TEST_CASE("scratch that is taken while it is in use ends the program") {
    const auto ends = [](bool is_in_use) {
        const pid_t child = fork();
        if (child == 0) {
            std::signal(SIGABRT, SIG_DFL);
            static_cast<void>(std::freopen("/dev/null", "w", stderr));
            Cpu cpu(1);
            if (is_in_use) {
                const auto first = cpu.scratch<float>(10);
                const auto second = cpu.scratch<float>(20);
            } else {
                place_of_scratch(cpu, 10);
                place_of_scratch(cpu, 20);
            }
            _exit(0);
        }
        int status = -1;
        REQUIRE(waitpid(child, &status, 0) == child);
        return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
    };
    CHECK(ends(true));
    CHECK_FALSE(ends(false));
}
#endif

TEST_CASE("a copy of a Cpu has its thread count and a scratch of its own") {
    Cpu a(3);
    const auto in_use = a.scratch<std::byte>(64);
    Cpu copy = a;
    CHECK(copy.threads() == a.threads());
    CHECK(place_of_scratch(copy, 64) != in_use.data());

    Cpu assigned(1);
    std::byte* const own = place_of_scratch(assigned, 64);
    assigned = a;
    CHECK(assigned.threads() == a.threads());
    CHECK(place_of_scratch(assigned, 64) == own);
}

TEST_CASE("the build says what it was compiled for") {
    CHECK_FALSE(std::string(weft::instruction_set).empty());
    CHECK(weft::cpu_instruction_set() == weft::instruction_set);
    CHECK(weft::cpu_kernels_build().starts_with(weft::instruction_set));
#if defined(_OPENMP)
    CHECK(weft::has_openmp);
#else
    CHECK_FALSE(weft::has_openmp);
#endif
}
