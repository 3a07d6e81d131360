#include "weft/core/span.hpp"

#include "weft/core/tensor_view.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

using weft::Span;

namespace {

template <class Range>
std::size_t size_of(Range&& range) {
    const Span<const int> span(range);
    CHECK(span.data() == std::data(range));
    return span.size();
}

}  // namespace

TEST_CASE("Span is made of whatever has its elements in a row") {
    std::vector<int> vector{1, 2, 3};
    const std::vector<int> constant{1, 2};
    const int array[] = {1, 2, 3, 4};
    CHECK(size_of(vector) == 3);
    CHECK(size_of(constant) == 2);
    CHECK(size_of(array) == 4);
    CHECK(size_of(std::array<int, 5>{}) == 5);
    CHECK(size_of(std::span<int>(vector)) == 3);
    CHECK(size_of(std::initializer_list<int>{1, 2, 3, 4, 5, 6}) == 6);
    CHECK(size_of(Span<int>(vector)) == 3);
    CHECK(Span<const int>().empty());
}

TEST_CASE("Span is not made of elements of another type, nor to write what is constant") {
    struct Base {};
    struct Derived : Base {
        int more = 0;
    };
    using std::is_convertible_v;
    CHECK(is_convertible_v<std::vector<int>&, Span<int>>);
    CHECK_FALSE(is_convertible_v<const std::vector<int>&, Span<int>>);
    CHECK_FALSE(is_convertible_v<Span<const int>, Span<int>>);
    CHECK_FALSE(is_convertible_v<std::vector<long>&, Span<const int>>);
    CHECK_FALSE(is_convertible_v<std::vector<Derived>&, Span<const Base>>);
    CHECK_FALSE(is_convertible_v<std::vector<bool>&, Span<bool>>);
    CHECK_FALSE(is_convertible_v<int, Span<const int>>);
}

TEST_CASE("Span gives its elements and parts of them") {
    std::vector<int> numbers{1, 2, 3, 5, 8};
    const Span<int> span = numbers;
    CHECK(span.front() == 1);
    CHECK(span.back() == 8);
    int sum = 0;
    for (const int number : span) sum += number;
    CHECK(sum == 19);
    span[1] = 7;
    CHECK(numbers[1] == 7);
    CHECK(span.first(2).back() == 7);
    CHECK(span.subspan(3).front() == 5);
    CHECK(span.subspan(3).size() == 2);
    CHECK(span.subspan(1, 2).back() == 3);
    CHECK(span.subspan(5).empty());
}

TEST_CASE("what a function takes for a shape is not taken for a null pointer and a size") {
    struct Taken {
        bool is_span;
        Taken(Span<const int>) : is_span(true) {}
        Taken(std::initializer_list<long>) : is_span(false) {}
    };
    CHECK_FALSE(std::is_constructible_v<Span<const int>, int, std::size_t>);
    const auto take = [](Taken taken) { return taken.is_span; };
    CHECK_FALSE(take({0, 4}));
}

TEST_CASE("iterators of a Span outlive it") {
    const std::vector<int> numbers{1, 2, 3};
    CHECK(*std::ranges::find(Span<const int>(numbers), 2) == 2);
}
