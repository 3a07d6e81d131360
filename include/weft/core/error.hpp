/// \file
/// The exceptions that weft throws, all derived from weft::Error.
#pragma once

#include "weft/config.hpp"

#include <charconv>
#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

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

/// A file or directory that is missing, truncated, corrupt or of another kind than expected.
class IoError : public Error {
public:
    using Error::Error;
};

/// A CUDA call that failed, or a request for CUDA on a system without it.
class CudaError : public Error {
public:
    using Error::Error;
};

/// Memory that ran out, with what it was for. As a std::bad_alloc, it is no weft::Error.
class MemoryError : public std::bad_alloc {
public:
    // NOLINTNEXTLINE(bugprone-throw-keyword-missing): it is kept, for its copies do not throw
    explicit MemoryError(const std::string& what) : text_(what) {}
    const char* what() const noexcept override { return text_.what(); }

private:
    std::runtime_error text_;
};

namespace detail {

WEFT_COLD inline void append(std::string& text, char letter) { text += letter; }

WEFT_COLD inline void append(std::string& text, std::string_view more) { text += more; }

/// The shortest exact decimal form.
template <class T>
WEFT_COLD void append_number(std::string& text, T number) {
    char digits[32];
    const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
    text.append(digits, end);
}

template <std::floating_point T>
void append(std::string& text, T number) {
    append_number(text, number);
}

/// In one width: two functions print all integer types.
template <std::integral T>
void append(std::string& text, T number) {
    using Wide = std::conditional_t<std::is_signed_v<T>, long long, unsigned long long>;
    append_number(text, static_cast<Wide>(number));
}

/// One argument of concat, type-erased: join is compiled once for all argument lists.
class TextPart {
public:
    WEFT_COLD TextPart(const char* text) : value_(text), append_(append_text) {}
    template <class T>
    WEFT_COLD TextPart(const T& value) : value_(&value), append_(append_value<T>) {}

    void append_to(std::string& text) const { append_(text, value_); }

private:
    WEFT_COLD static void append_text(std::string& text, const void* value) {
        text += static_cast<const char*>(value);
    }

    template <class T>
    WEFT_COLD static void append_value(std::string& text, const void* value) {
        append(text, *static_cast<const T*>(value));
    }

    const void* value_;
    void (*append_)(std::string&, const void*);
};

WEFT_COLD inline std::string join(std::initializer_list<TextPart> parts) {
    std::string text;
    for (const TextPart& part : parts) part.append_to(text);
    return text;
}

}  // namespace detail

/// The parts one after another: text as it is, integers and floating-point numbers in their
/// shortest exact decimal form, other types through an append(std::string&, part) of their own.
template <class... Parts>
std::string concat(const Parts&... parts) {
    return detail::join({parts...});
}

namespace detail {

/// `number` with `digits` digits behind the point, as printf's %.4f writes it in the C locale.
WEFT_COLD inline std::string decimals(double number, int digits) {
    char text[400];  // the largest double has 309 digits before the point
    const auto end =
        std::to_chars(text, text + sizeof text, number, std::chars_format::fixed, digits).ptr;
    return {text, end};
}

/// Throws ArgumentError `Adam: beta_1 is 1, expected ...` unless `holds`.
WEFT_COLD inline void require_option(bool holds, std::string_view declaration,
                                     std::string_view option, double value,
                                     std::string_view expected) {
    if (!holds) {
        throw ArgumentError(
            join({declaration, ": ", option, " is ", value, ", expected ", expected}));
    }
}

}  // namespace detail

}  // namespace weft
