/// \file
/// How often something stands in a text.
#pragma once

#include <cstddef>
#include <iterator>
#include <regex>
#include <string>

namespace weft {

inline std::ptrdiff_t count_matches(const std::string& text, const std::string& pattern) {
    const std::regex expression(pattern);
    return std::distance(std::sregex_iterator(text.begin(), text.end(), expression), {});
}

}  // namespace weft
