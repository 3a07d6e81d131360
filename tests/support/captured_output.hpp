/// \file
/// What a piece of a program prints.
#pragma once

#include "tests/support/temporary_folder.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <cstdio>
#include <string>

namespace weft {

/// What print() writes to standard output, which goes to a file meanwhile.
template <class Print>
std::string captured_output(const Print& print) {
    const TemporaryFolder folder;
    const auto path = folder.file("output", "");
    std::fflush(stdout);
    const int terminal = dup(STDOUT_FILENO);
    const int file = open(path.string().c_str(), O_WRONLY | O_TRUNC);
    dup2(file, STDOUT_FILENO);
    const auto put_back = [&] {
        std::fflush(stdout);
        dup2(terminal, STDOUT_FILENO);
        close(file);
        close(terminal);
    };
    try {
        print();
    } catch (...) {
        put_back();
        throw;
    }
    put_back();
    return contents_of(path);
}

}  // namespace weft
