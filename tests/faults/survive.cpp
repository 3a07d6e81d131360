#include "tests/faults/survive.hpp"

#include "weft/core/error.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <new>

namespace weft::faults {

namespace {

constexpr std::int64_t never = 1'000'000'000;

/// What became of one attempt.
struct Outcome {
    std::int64_t count = 0;
    std::exception_ptr thrown = nullptr;
};

Outcome try_once(const Work& work, Kind kind, std::int64_t n, bool lasts) {
    const Attempt attempt = work.prepare();
    Outcome outcome;
    {
        const Failing failing(kind, n, lasts);
        try {
            attempt.run();
        } catch (...) {
            outcome.thrown = std::current_exception();
        }
        outcome.count = failing.count();
    }
    attempt.check(outcome.thrown == nullptr);
    return outcome;
}

void check_thrown(const Work& work, Kind kind, const std::exception_ptr& thrown) {
    const auto is_named = [&](std::string_view message) {
        return std::ranges::any_of(work.names, [&](const std::string& name) {
            return message.find(name) != message.npos;
        });
    };
    try {
        std::rethrow_exception(thrown);
    } catch (const std::bad_alloc&) {
        CHECK(kind == Kind::memory);
    } catch (const IoError& error) {
        const std::string_view message = error.what();
        CAPTURE(message);
        CHECK(is_named(message));
        CHECK(message.find("Success") == message.npos);
    } catch (const std::exception& error) {
        FAIL_CHECK("threw ", std::string(error.what()));
    }
    CHECK(kind != Kind::thread);
    CHECK(kind != Kind::short_read);
    CHECK(kind != Kind::short_write);
}

/// How many more blocks of memory are in use after such an attempt than before.
std::int64_t blocks_left_by(const Work& work, Kind kind, std::int64_t n, bool lasts) {
    const std::int64_t before = live_blocks();
    {
        const Outcome outcome = try_once(work, kind, n, lasts);
        if (outcome.thrown) check_thrown(work, kind, outcome.thrown);
    }
    return live_blocks() - before;
}

}  // namespace

void survive(const Work& work) {
    try_once(work, Kind::memory, never, false);  // what is made once for all is made here
    for (int k = 0; k < kinds; ++k) {
        const auto kind = static_cast<Kind>(k);
        if (std::ranges::find(work.left_out, kind) != work.left_out.end()) continue;
        const std::int64_t places = try_once(work, kind, never, false).count;
        const bool tries_all = std::getenv("WEFT_FAULTS_ALL") != nullptr;
        const std::int64_t tried = tries_all ? places : (std::min)(places, work.most_places);
        for (const bool lasts : {false, true}) {
            for (std::int64_t i = 0; i < tried; ++i) {
                const std::int64_t n = 1 + i * places / tried;
                CAPTURE(work.name);
                CAPTURE(name_of(kind));
                CAPTURE(n);
                CAPTURE(lasts);
                const int files = open_files();
                // What a library makes once for all stays; a leak grows.
                const bool may_leak = work.library_leaks && kind == Kind::memory;
                const bool is_clean = blocks_left_by(work, kind, n, lasts) == 0 ||
                                      blocks_left_by(work, kind, n, lasts) == 0;
                CHECK((is_clean || may_leak));
                CHECK(open_files() == files);
            }
        }
        if (places > 0)
            MESSAGE(work.name, ": ", name_of(kind), ", ", tried, " of ", places, " places");
    }
}

}  // namespace weft::faults
