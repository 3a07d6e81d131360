#include "weft/core/cpu.hpp"

#include "weft/kernels/cpu/kernels.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>

using weft::Cpu;

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
    std::byte* const first = cpu.scratch(1000);
    CHECK(reinterpret_cast<std::uintptr_t>(first) % weft::Buffer::alignment == 0);
    for (int i = 0; i < 1000; ++i) first[i] = std::byte{7};
    CHECK(cpu.scratch(1000) == first);
    CHECK(cpu.scratch(10) == first);
    CHECK(cpu.scratch(1000) == first);
    std::byte* const larger = cpu.scratch(100000);
    for (int i = 0; i < 100000; ++i) larger[i] = std::byte{7};
    CHECK(cpu.scratch(1) == larger);
}

TEST_CASE("a copy of a Cpu has its thread count and a scratch of its own") {
    Cpu a(3);
    std::byte* const scratch = a.scratch(64);
    Cpu copy = a;
    CHECK(copy.threads() == a.threads());
    CHECK(copy.scratch(64) != scratch);

    Cpu assigned(1);
    std::byte* const own = assigned.scratch(64);
    assigned = a;
    CHECK(assigned.threads() == a.threads());
    CHECK(assigned.scratch(64) == own);
    CHECK(a.scratch(64) == scratch);
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
