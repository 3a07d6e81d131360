/// \file
/// The exceptions that weft throws, all derived from weft::Error.
#pragma once

#include "weft/config.hpp"

#include <charconv>
#include <concepts>
#include <stdexcept>
#include <string>
#include <string_view>

namespace weft {

/// Base of every exception that weft throws. The message says where, what and what was expected:
/// `dense_1: input has shape (None, 5), expected (None, 784)`.
class Error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// A tensor whose shape does not fit.
class ShapeError : public Error {
public:
    using Error::Error;
};

/// An option or argument outside its range.
class ArgumentError : public Error {
public:
    using Error::Error;
};

/// A file or directory that is missing, short, corrupt or not what it should be.
class IoError : public Error {
public:
    using Error::Error;
};

/// A CUDA call that failed, or CUDA asked for where there is none.
class CudaError : public Error {
public:
    using Error::Error;
};

namespace detail {

WEFT_NOINLINE inline void append(std::string& text, std::string_view part) { text += part; }

WEFT_NOINLINE inline void append(std::string& text, char letter) { text += letter; }

template <std::integral T>
WEFT_NOINLINE void append(std::string& text, T number) {
    text += std::to_string(number);
}

template <std::floating_point T>
WEFT_NOINLINE void append(std::string& text, T number) {
    char digits[32];
    const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
    text.append(digits, end);
}

}  // namespace detail

/// The parts one after another: text as it is, integers and floating-point numbers in their
/// shortest exact decimal form, other types through an append(std::string&, part) of their own.
template <class... Parts>
WEFT_NOINLINE std::string concat(const Parts&... parts) {
    using detail::append;
    std::string text;
    (append(text, parts), ...);
    return text;
}

}  // namespace weft
