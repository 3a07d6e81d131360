/// \file
/// What a reader says about a file that it refuses.
#pragma once

#include "weft/core/error.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <functional>
#include <string>

namespace weft {

/// The message of the IoError that the call throws, or "nothing was thrown".
inline std::string io_error(const std::function<void()>& call) {
    try {
        call();
    } catch (const IoError& error) {
        return error.what();
    }
    return "nothing was thrown";
}

/// The same without the path, with which it has to start.
inline std::string io_error(const std::filesystem::path& path, const std::function<void()>& call) {
    const std::string message = io_error(call), start = path.string() + ": ";
    CHECK(message.starts_with(start));
    return message.starts_with(start) ? message.substr(start.size()) : message;
}

}  // namespace weft
