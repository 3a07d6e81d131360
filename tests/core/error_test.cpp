#include "weft/core/error.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>

namespace user {

struct Point {
    int x, y;
};

void append(std::string& text, const Point& point) {
    text += weft::concat("[", point.x, "|", point.y, "]");
}

}  // namespace user

TEST_CASE_TEMPLATE("every exception is caught as weft::Error and as std::runtime_error", Exception,
                   weft::ShapeError, weft::ArgumentError, weft::IoError, weft::CudaError) {
    static_assert(std::is_base_of_v<weft::Error, Exception>);
    static_assert(std::is_base_of_v<std::runtime_error, weft::Error>);
    try {
        throw Exception("dense_1: what happened");
    } catch (const weft::Error& error) {
        CHECK(std::string(error.what()) == "dense_1: what happened");
    }
}

TEST_CASE("no kind of error is caught as another") {
    static_assert(!std::is_base_of_v<weft::ShapeError, weft::ArgumentError>);
    static_assert(!std::is_base_of_v<weft::ArgumentError, weft::ShapeError>);
    static_assert(!std::is_base_of_v<weft::ShapeError, weft::IoError>);
    static_assert(!std::is_base_of_v<weft::IoError, weft::CudaError>);
}

TEST_CASE("concat joins text and numbers in order") {
    CHECK(weft::concat().empty());
    CHECK(weft::concat("a", std::string("b"), std::string_view("c"), 1, 'd' - 'a') == "abc13");
    CHECK(weft::concat("is ", -5, ", expected ", std::size_t{7}, " or more") ==
          "is -5, expected 7 or more");
    CHECK(weft::concat(std::numeric_limits<std::int64_t>::min()) == "-9223372036854775808");
    CHECK(weft::concat(std::numeric_limits<std::uint64_t>::max()) == "18446744073709551615");
}

TEST_CASE("concat writes floating-point numbers shortest and exact") {
    CHECK(weft::concat(0.1) == "0.1");
    CHECK(weft::concat(0.1f) == "0.1");  // not 0.10000000149011612
    CHECK(weft::concat(1.0 / 3) == "0.3333333333333333");
    CHECK(weft::concat(2.0) == "2");
    CHECK(weft::concat(-0.5f) == "-0.5");
    CHECK(weft::concat(1e300) == "1e+300");
    const double awkward = -2.2250738585072014e-308;
    CHECK(std::stod(weft::concat(awkward)) == awkward);
    CHECK(weft::concat(std::numeric_limits<float>::quiet_NaN()) == "nan");
    CHECK(weft::concat(-std::numeric_limits<double>::infinity()) == "-inf");
}

TEST_CASE("concat takes other types through their own append") {
    CHECK(weft::concat("at ", user::Point{2, 3}, ".") == "at [2|3].");
}
