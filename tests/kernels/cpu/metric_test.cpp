#include "weft/kernels/cpu/metric.hpp"

#include "tests/support/compare.hpp"
#include "tests/support/random_tensor.hpp"
#include "tests/support/reference/metric.hpp"
#include "tests/support/special_values.hpp"

#include <doctest/doctest.h>

#include <vector>

using weft::Cpu;
using weft::Index;
using weft::infinity;
using weft::not_a_number;
using weft::Reference;
using weft::Tensor;

namespace {

Index argmax(const std::vector<float>& x) {
    return weft::kernels::argmax(x.data(), static_cast<Index>(x.size()));
}

}  // namespace

TEST_CASE("argmax is the index of the largest, wherever it lies") {
    CHECK(argmax({5}) == 0);
    CHECK(argmax({3, 1, 2}) == 0);
    CHECK(argmax({1, 3, 2}) == 1);
    CHECK(argmax({1, 2, 3}) == 2);
    CHECK(argmax({-3, -1, -2}) == 1);
    CHECK(argmax({0, infinity<float>, 1}) == 1);
    CHECK(argmax({-infinity<float>, -1e30f}) == 1);
}

TEST_CASE("argmax takes the first of equals") {
    CHECK(argmax({1, 3, 3, 2}) == 1);
    CHECK(argmax({0, 0, 0}) == 0);
    CHECK(argmax({-infinity<float>, -infinity<float>}) == 0);
    CHECK(argmax({-0.f, 0.f}) == 0);
}

TEST_CASE("argmax passes NaN over") {
    CHECK(argmax({not_a_number<float>, 1, 2}) == 2);
    CHECK(argmax({not_a_number<float>, 2, 1}) == 1);
    CHECK(argmax({1, not_a_number<float>, 2}) == 2);
    CHECK(argmax({3, 1, not_a_number<float>}) == 0);
    CHECK(argmax({not_a_number<float>, not_a_number<float>, -infinity<float>}) == 2);
    CHECK(argmax({not_a_number<float>, not_a_number<float>}) == 0);
}

TEST_CASE_TEMPLATE("count_sparse_matches counts the rows whose argmax is the label", Scalar, float,
                   double) {
    const Tensor<Scalar> predictions({4, 3}, {1, 2, 3,  //
                                              9, 2, 3,  //
                                              1, 7, 7,  //
                                              0, 0, 5});
    Cpu cpu(1);
    const auto count = [&](const Tensor<Scalar>& labels) {
        return weft::kernels::count_sparse_matches<Scalar>(cpu, predictions.slice(0, labels.size()),
                                                           labels);
    };
    CHECK(count(Tensor<Scalar>({4}, {2, 0, 1, 2})) == 4);
    CHECK(count(Tensor<Scalar>({4}, {2, 0, 2, 2})) == 3);  // a tie goes to the first
    CHECK(count(Tensor<Scalar>({4}, {0, 1, 0, 1})) == 0);
    CHECK(count(Tensor<Scalar>({4}, {0, 0, 0, 0})) == 1);
    CHECK(count(Tensor<Scalar>({2}, {2, 1})) == 1);
    CHECK(count(Tensor<Scalar>(weft::Shape{0})) == 0);
    CHECK(count(Tensor<Scalar>({4}, {-1, 3, Scalar(1.5), Scalar(not_a_number<float>)})) == 0);
}

TEST_CASE_TEMPLATE("count_categorical_matches compares the argmax of both", Scalar, float, double) {
    const Tensor<Scalar> predictions({3, 3}, {Scalar(.2), Scalar(.5), Scalar(.3),  //
                                              Scalar(.4), Scalar(.3), Scalar(.3),  //
                                              Scalar(.1), Scalar(.1), Scalar(.8)});
    Cpu cpu(1);
    const auto count = [&](const Tensor<Scalar>& targets) {
        return weft::kernels::count_categorical_matches<Scalar>(cpu, predictions, targets);
    };
    CHECK(count(Tensor<Scalar>({3, 3}, {0, 1, 0, 1, 0, 0, 0, 0, 1})) == 3);
    CHECK(count(Tensor<Scalar>({3, 3}, {0, 1, 0, 0, 1, 0, 1, 0, 0})) == 1);
    CHECK(count(Tensor<Scalar>({3, 3}, {0, 0, 1, 0, 1, 0, 0, 1, 0})) == 0);
    // Soft targets count by their largest.
    CHECK(count(Tensor<Scalar>({3, 3}, {Scalar(.3), Scalar(.4), Scalar(.3), 1, 1, 1, 0, 2, 3})) ==
          3);
    const Tensor<Scalar> none({0, 3});
    CHECK(weft::kernels::count_categorical_matches<Scalar>(cpu, none, none) == 0);
}

TEST_CASE_TEMPLATE("count_binary_matches counts elements on the right side of the threshold",
                   Scalar, float, double) {
    const Tensor<Scalar> predictions({2, 3}, {Scalar(.9), Scalar(.1), Scalar(.5),  //
                                              Scalar(.6), Scalar(.4), Scalar(.5)});
    Cpu cpu(1);
    const auto count = [&](const Tensor<Scalar>& targets, double threshold) {
        return weft::kernels::count_binary_matches<Scalar>(cpu, predictions, targets,
                                                           static_cast<Scalar>(threshold));
    };
    CHECK(count(Tensor<Scalar>({2, 3}, {1, 0, 0, 1, 0, 0}), 0.5) == 6);  // .5 is not above .5
    CHECK(count(Tensor<Scalar>({2, 3}, {0, 1, 1, 0, 1, 1}), 0.5) == 0);
    CHECK(count(Tensor<Scalar>({2, 3}, {1, 1, 1, 1, 1, 1}), 0.5) == 2);
    CHECK(count(Tensor<Scalar>({2, 3}, {1, 1, 1, 1, 1, 1}), 0.45) == 4);
    const Tensor<Scalar> one({1}, {1}), undefined({1}, {Scalar(not_a_number<float>)});
    CHECK(weft::kernels::count_binary_matches<Scalar>(cpu, undefined, one, Scalar(0.5)) == 0);
}

TEST_CASE_TEMPLATE("count_top_k_matches counts labels with fewer than k elements above theirs",
                   Scalar, float, double) {
    const Tensor<Scalar> predictions({3, 4}, {4, 3, 2, 1,  //
                                              1, 1, 1, 2,  //
                                              5, 9, 9, 7});
    Cpu cpu(1);
    const auto count = [&](const Tensor<Scalar>& labels, Index k) {
        return weft::kernels::count_top_k_matches<Scalar>(cpu, predictions, labels, false, k);
    };
    CHECK(count(Tensor<Scalar>({3}, {0, 3, 2}), 1) == 3);  // a tie at the top is at the top
    CHECK(count(Tensor<Scalar>({3}, {1, 2, 3}), 1) == 0);
    CHECK(count(Tensor<Scalar>({3}, {1, 2, 3}), 2) == 2);
    CHECK(count(Tensor<Scalar>({3}, {1, 2, 3}), 3) == 3);
    CHECK(count(Tensor<Scalar>({3}, {3, 0, 0}), 3) == 1);
    CHECK(count(Tensor<Scalar>({3}, {3, 0, 0}), 4) == 3);
    CHECK(count(Tensor<Scalar>({3}, {-1, 4, not_a_number<Scalar>}), 4) == 0);  // of no class

    const Tensor<Scalar> one_hot({3, 4}, {0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1});  // 1, 2, 3
    for (const Index k : {1, 2, 3}) {
        CHECK(weft::kernels::count_top_k_matches<Scalar>(cpu, predictions, one_hot, true, k) ==
              count(Tensor<Scalar>({3}, {1, 2, 3}), k));
    }
}

TEST_CASE("count_top_k_matches counts no NaN at the label, and none above it") {
    const Tensor<float> predictions({2, 3}, {not_a_number<float>, 2, 1, 3, not_a_number<float>, 1});
    Cpu cpu(1);
    const auto count = [&](float first, float second) {
        return weft::kernels::count_top_k_matches<float>(
            cpu, predictions, Tensor<float>({2}, {first, second}), false, 1);
    };
    CHECK(count(0, 1) == 0);
    CHECK(count(1, 0) == 2);
}

TEST_CASE_TEMPLATE("counts are those of the definitions, with ties and NaN", Scalar, float,
                   double) {
    Cpu cpu(2);
    Reference reference;
    const auto same = [&](const auto& count, const auto&... tensors) {
        return count(cpu, tensors...) == count(reference, weft::as_reference<Scalar>(tensors)...);
    };
    for (const Index columns : {1, 2, 3, 10, 37}) {
        CAPTURE(columns);
        const weft::Shape shape{500, columns};
        auto predictions = weft::random_integers<Scalar>(shape, 1, 0, 5);
        auto targets = weft::random_integers<Scalar>(shape, 2, 0, 3);
        for (Scalar& value : predictions) value = value == 5 ? not_a_number<Scalar> : value;
        const auto labels = weft::random_integers<Scalar>(
            {500}, 3, -1, static_cast<int>(columns));  // some of no class
        CHECK(same([](auto& device, const auto& p,
                      const auto& t) { return count_sparse_matches<Scalar>(device, p, t); },
                   predictions, labels));
        CHECK(same([](auto& device, const auto& p,
                      const auto& t) { return count_categorical_matches<Scalar>(device, p, t); },
                   predictions, targets));
        CHECK(same(
            [](auto& device, const auto& p, const auto& t) {
                return count_binary_matches<Scalar>(device, p, t, Scalar(2));
            },
            predictions, targets));
        for (const Index k : {1, 2, 5}) {
            CHECK(same(
                [k](auto& device, const auto& p, const auto& t) {
                    return count_top_k_matches<Scalar>(device, p, t, false, k);
                },
                predictions, labels));
            CHECK(same(
                [k](auto& device, const auto& p, const auto& t) {
                    return count_top_k_matches<Scalar>(device, p, t, true, k);
                },
                predictions, targets));
        }
    }
}
