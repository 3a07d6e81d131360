#include "weft/data/split.hpp"

#include "tests/support/long_sums.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <numeric>

using namespace weft;

namespace {

/// As many labels of each class, in an order of no pattern.
std::vector<std::uint8_t> labels_of(std::size_t count, std::uint8_t classes) {
    std::vector<std::uint8_t> labels(count);
    for (std::size_t i = 0; i < count; ++i) labels[i] = static_cast<std::uint8_t>(i % classes);
    RandomStream(3, RandomPurpose::user).shuffle(std::span<std::uint8_t>(labels));
    return labels;
}

std::vector<Index> class_counts(const std::vector<std::uint8_t>& labels,
                                const std::vector<Index>& indices, std::size_t classes) {
    std::vector<Index> counts(classes);
    for (const Index i : indices) ++counts[labels[static_cast<std::size_t>(i)]];
    return counts;
}

/// Whether the two parts are ascending, disjoint and together everything.
bool complete(const SplitIndices& split, std::size_t count) {
    std::vector<Index> all = split.train;
    all.insert(all.end(), split.test.begin(), split.test.end());
    std::ranges::sort(all);
    std::vector<Index> expected(count);
    std::iota(expected.begin(), expected.end(), Index{0});
    return all == expected && std::ranges::is_sorted(split.train) &&
           std::ranges::is_sorted(split.test);
}

std::span<const std::uint8_t> view(const std::vector<std::uint8_t>& labels) { return labels; }

}  // namespace

TEST_CASE("stratified_split of 60,000 labels takes 1,200 of each of 10 classes") {
    const auto labels = labels_of(60000, 10);
    const SplitIndices split = stratified_split(view(labels), 0.2, 7);
    CHECK(split.train.size() == 48000);
    CHECK(split.test.size() == 12000);
    CHECK(complete(split, 60000));
    CHECK(class_counts(labels, split.test, 10) == std::vector<Index>(10, 1200));
    CHECK(class_counts(labels, split.train, 10) == std::vector<Index>(10, 4800));

    CHECK(stratified_split(view(labels), 0.2, 7).test == split.test);
    CHECK(stratified_split(view(labels), 0.2, 8).test != split.test);
}

TEST_CASE("stratified_split rounds each class, and leaves classes out that have no samples") {
    const std::vector<std::uint8_t> labels{0, 0, 0, 5, 5, 5, 5, 5};
    const SplitIndices split = stratified_split(view(labels), 0.3);
    CHECK(class_counts(labels, split.test, 6) == std::vector<Index>{1, 0, 0, 0, 0, 2});
    CHECK(complete(split, 8));
}

TEST_CASE("stratified_split refuses shares outside (0, 1) and negative labels, by name") {
    const std::vector<std::uint8_t> labels{0, 1};
    for (const double share : {0.0, 1.0, -0.5, std::nan("")}) {
        CHECK_THROWS_WITH_AS(stratified_split(view(labels), share),
                             doctest::Contains("stratified_split: test_share is "), ArgumentError);
    }
    const std::vector<int> negative{0, -1};
    CHECK_THROWS_WITH_AS(stratified_split(std::span<const int>(negative), 0.5),
                         "split: label 1 is -1, expected a whole number of at least 0",
                         ArgumentError);
    for (const double label : {0.5, -0.5, std::nan(""), 1e300}) {
        const std::vector<double> labels_with_it{1, label};
        CHECK_THROWS_WITH_AS(stratified_split(labels_with_it, 0.5),
                             doctest::Contains("split: label 1 is "), ArgumentError);
        CHECK_THROWS_WITH_AS(one_hot<float>(labels_with_it, 2),
                             doctest::Contains("one_hot: label 1 is "), ArgumentError);
    }
}

TEST_CASE("stratified_k_fold: every sample is tested once, every class evenly") {
    const auto labels = labels_of(1003, 7);
    const auto splits = stratified_k_fold(view(labels), 5, 7);
    REQUIRE(splits.size() == 5);
    std::vector<int> tested(1003);
    for (const SplitIndices& split : splits) {
        CHECK(complete(split, 1003));
        CHECK((split.test.size() == 200 || split.test.size() == 201));
        for (const Index i : split.test) ++tested[static_cast<std::size_t>(i)];
        for (const Index count : class_counts(labels, split.test, 7)) {
            CHECK((count == 28 || count == 29));  // of 143 or 144
        }
    }
    CHECK(tested == std::vector<int>(1003, 1));
    CHECK(stratified_k_fold(view(labels), 5, 7)[2].test == splits[2].test);
    CHECK(stratified_k_fold(view(labels), 5, 8)[2].test != splits[2].test);
}

TEST_CASE("stratified_k_fold refuses too few and too many folds, by name") {
    const std::vector<std::uint8_t> labels{0, 0, 0, 1, 1};
    CHECK_THROWS_WITH_AS(stratified_k_fold(view(labels), 3),
                         "stratified_k_fold: folds is 3, but class 1 has 2 samples", ArgumentError);
    CHECK_THROWS_WITH_AS(stratified_k_fold(view(labels), 0),
                         "stratified_k_fold: folds is 0, expected at least 2", ArgumentError);
    CHECK_THROWS_WITH_AS(stratified_k_fold(view(labels), -2),
                         "stratified_k_fold: folds is -2, expected at least 2", ArgumentError);
    CHECK_THROWS_WITH_AS(stratified_k_fold(view(labels), 1),
                         "stratified_k_fold: folds is 1, expected at least 2", ArgumentError);
    CHECK(stratified_k_fold(view(labels), 2).size() == 2);
}

TEST_CASE("take copies the samples of those indices, in their order") {
    const Tensor<float> x({3, 2}, {1, 2, 3, 4, 5, 6});
    const std::vector<Index> indices{2, 0, 2};
    const auto y = take(TensorView<const float>(x), std::span<const Index>(indices));
    REQUIRE(y.shape() == Shape{3, 2});
    CHECK(std::ranges::equal(y, std::vector<float>{5, 6, 1, 2, 5, 6}));
}

TEST_CASE("one_hot has a 1 at each label, and refuses labels out of range") {
    const std::vector<std::uint8_t> labels{2, 0};
    const auto y = one_hot<float>(view(labels), 3);
    REQUIRE(y.shape() == Shape{2, 3});
    CHECK(std::ranges::equal(y, std::vector<float>{0, 0, 1, 1, 0, 0}));
    CHECK_THROWS_WITH_AS(one_hot<float>(view(labels), 2), "one_hot: label 0 is 2, expected 0 ... 1",
                         ArgumentError);
}

TEST_CASE("splits take labels of any kind, few of them and far apart") {
    const std::vector<std::int64_t> far{0, std::int64_t{1} << 60, 0, std::int64_t{1} << 60};
    CHECK(stratified_split(far, 0.5).test.size() == 2);
    CHECK(stratified_k_fold(far, 2)[0].train.size() == 2);
    const Tensor<std::uint8_t> labels({4}, {1, 0, 1, 0});
    CHECK(stratified_split(labels, 0.5).train.size() == 2);
    CHECK(one_hot<float>(std::vector<int>{1, 0}, 2)(0, 1) == 1);
    CHECK(one_hot<float>(labels, 2)(1, 0) == 1);
}

TEST_CASE("take refuses indices out of range, by name") {
    const Tensor<float> x({4, 2});
    for (const Index index : {Index{4}, Index{400}, Index{-1}}) {
        const std::vector<Index> indices{0, index};
        CHECK_THROWS_WITH_AS(take<float>(x, indices),
                             concat("take: index 1 is ", index, ", expected 0 ... 3").c_str(),
                             ArgumentError);
    }
}

TEST_CASE("mean_and_deviation divides squares by n - 1") {
    const std::vector<double> x{1, 2, 4, 5};
    const auto [mean, deviation] = mean_and_deviation(x);
    CHECK(mean == 3);
    CHECK(deviation == std::sqrt(10.0 / 3));
    CHECK(mean_and_deviation(std::span(x).first(1)).deviation == 0);
    CHECK(mean_and_deviation(std::span(x).first(1)).mean == 1);
    CHECK_THROWS_WITH_AS(mean_and_deviation({}),
                         "mean_and_deviation: no numbers, expected at least 1", ArgumentError);
}

TEST_CASE("mean_and_deviation of many numbers are within the bound of their roundings") {
    for (const weft::Index n : weft::long_lengths<double>()) {
        CAPTURE(n);
        weft::LongNumbers<double> numbers({n}, true);
        // Two values beside their mean: with n even, the deviation is (b - a) / 2 sqrt(n / (n -
        // 1)).
        for (weft::Index i = 0; i < n; i += 2) numbers.x[i] = 0.3;
        const auto pairs = static_cast<long double>(n / 2), more = static_cast<long double>(n % 2);
        const long double a = 0.1L, b = 0.3L, size = static_cast<long double>(n);
        const long double exact = (pairs * (a + b) + more * b) / size;
        const long double squares =
            (pairs + more) * (b - exact) * (b - exact) + pairs * (a - exact) * (a - exact);
        const auto [mean, deviation] =
            weft::mean_and_deviation(std::span(numbers.x.data(), static_cast<std::size_t>(n)));
        // Each with a few more roundings of a difference, a square, a quotient, a root.
        CHECK(weft::roundings(mean, exact) <= weft::pairwise_roundings(n) + 2);
        CHECK(weft::roundings(deviation, std::sqrt(squares / (size - 1))) <=
              weft::pairwise_roundings(n) + 8);
    }
}
