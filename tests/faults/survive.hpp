/// \file
/// survive: each operation of a piece of work fails once, and then from there on.
#pragma once

#include "tests/faults/inject.hpp"

#include <functional>
#include <string>
#include <vector>

namespace weft::faults {

/// Work that is tried again and again, each time afresh.
struct Attempt {
    std::function<void()> run;  ///< what fails
    /// Looks at what is there after it, whether it came to its end or threw; nothing fails meanwhile.
    std::function<void(bool is_done)> check;
};

/// What is done, and what its errors have to name: one of these texts.
struct Work {
    std::string name;
    std::function<Attempt()> prepare;
    std::vector<std::string> names;
    /// The most places of a kind that are tried, spread over all of them. The environment variable
    /// WEFT_FAULTS_ALL lifts it.
    std::int64_t most_places = 2000;
    std::vector<Kind> left_out = {};  ///< kinds that do not apply, with the reason beside it
    bool library_leaks = false;       ///< another library does, where it gets no memory
};

/// For every kind of operation: lets the 1st, 2nd, ... one fail, once or with all behind it, until
/// the work comes to its end without a failure. Then the work throws, or it goes on and its check
/// finds what it makes without a failure. What it throws is a std::bad_alloc where memory failed, or
/// a weft::IoError that has one of the names and the system's reason or none; a thread that does not
/// start is no error at all. No block of memory and no file is left over.
void survive(const Work& work);

}  // namespace weft::faults
