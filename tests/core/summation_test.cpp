#include "weft/core/summation.hpp"

#include "tests/support/long_sums.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using weft::Index;
using weft::LongNumbers;
using weft::detail::add_in_pairs;
using weft::detail::pairwise_sum;
using weft::detail::sum_block;

TEST_CASE("pairwise_sum adds blocks in order and in pairs, each once") {
    const auto shown = [](Index count) {
        return pairwise_sum(
            count,
            [](Index begin, Index end) {
                return std::to_string(begin) + "-" + std::to_string(end);
            },
            [](const std::string& a, const std::string& b) { return "(" + a + " " + b + ")"; }, 10);
    };
    CHECK(shown(0) == "0-0");
    CHECK(shown(9) == "0-9");
    CHECK(shown(10) == "0-10");
    CHECK(shown(11) == "(0-10 10-11)");
    CHECK(shown(40) == "((0-10 10-20) (20-30 30-40))");
    CHECK(shown(55) == "(((0-10 10-20) (20-30 30-40)) (40-50 50-55))");
    CHECK(shown(70) == "(((0-10 10-20) (20-30 30-40)) ((40-50 50-60) 60-70))");
}

TEST_CASE_TEMPLATE("a long pairwise_sum is within the bound of its roundings", Scalar, float,
                   double) {
    for (const Index n : weft::long_lengths<Scalar>()) {
        for (const bool equal : {true, false}) {
            const LongNumbers<Scalar> numbers({n}, equal);
            const Scalar sum = pairwise_sum(n, [&](Index begin, Index end) {
                Scalar result = 0;
                for (Index i = begin; i < end; ++i) result += numbers.x[i];
                return result;
            });
            CAPTURE(n);
            CAPTURE(equal);
            CHECK(weft::roundings(sum, numbers.sum) <= weft::pairwise_roundings(n));
        }
    }
}

TEST_CASE("add_in_pairs adds each sum once and says how many the first one holds") {
    for (Index count = 0; count < 40; ++count) {
        std::vector<Index> held(static_cast<std::size_t>(count), 1);
        int wrong = 0;
        add_in_pairs(count, [&](Index to, Index from, Index of_each) {
            const auto a = static_cast<std::size_t>(to), b = static_cast<std::size_t>(from);
            wrong += held[a] != of_each || from != to + of_each;
            wrong += held[b] != std::min(of_each, count - from);
            held[a] += held[b];
        });
        CAPTURE(count);
        CHECK(wrong == 0);
        if (count > 0) CHECK(held[0] == count);
    }
}
