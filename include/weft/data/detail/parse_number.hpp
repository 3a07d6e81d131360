/// \file
/// parse_number: numbers from text, in every locale the same.
#pragma once

#include "weft/config.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <string_view>

namespace weft::detail {

/// Whether a decimal number, which is not 0, is below 1 in magnitude.
WEFT_COLD inline bool is_below_one(std::string_view number) {
    const std::size_t e = (std::min)(number.find_first_of("eE"), number.size());
    const std::string_view digits = number.substr(0, e);
    const std::size_t point = (std::min)(digits.find('.'), digits.size());
    const std::size_t first = digits.find_first_of("123456789");
    std::string_view power = number.substr((std::min)(e + 1, number.size()));
    if (power.starts_with('+')) power.remove_prefix(1);
    std::int64_t exponent = 0;
    const auto read = std::from_chars(power.data(), power.data() + power.size(), exponent);
    if (read.ec == std::errc::result_out_of_range) return power.starts_with('-');
    // The first digit that is not 0 stands for 10^place.
    const auto place = static_cast<std::int64_t>(point) - static_cast<std::int64_t>(first) -
                       (first < point ? 1 : 0);
    return exponent < -place;
}

/// Reads the whole text as a number, with or without a sign. False unless it is one: for integers a
/// whole number in T's range, else a finite number, rounded to the nearest T (1e-50 is 0 in float).
template <class T>
bool parse_number(std::string_view text, T& number) {
    if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
    const auto read = [text](auto& value) {
        const char* const end = text.data() + text.size();
        const auto [stop, error] = std::from_chars(text.data(), end, value);
        return stop == end ? error : std::errc::invalid_argument;
    };
    const std::errc error = read(number);
    if constexpr (std::integral<T>) {
        if (error == std::errc{}) return true;
        double value = 0;  // 255.0 and 2.55e2 are integers too
        if (read(value) != std::errc{} || value != std::floor(value) ||
            value < static_cast<double>((std::numeric_limits<T>::min)()) ||
            value > static_cast<double>((std::numeric_limits<T>::max)())) {
            return false;
        }
        number = static_cast<T>(value);
        return true;
    } else {
        if (error == std::errc::result_out_of_range && is_below_one(text)) {
            number = text.starts_with('-') ? -T{0} : T{0};
            return true;
        }
        return error == std::errc{} && std::isfinite(number);
    }
}

}  // namespace weft::detail
