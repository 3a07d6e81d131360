#include "weft/metrics/accuracy.hpp"

#include "tests/support/metric_sum.hpp"
#include "weft/cpu.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

using namespace weft;

namespace {

constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();

MetricSum accuracy(TensorView<const float> predictions, TensorView<const float> targets,
                   const Accuracy& options = {}) {
    return metric_sum<float>(options, predictions, targets);
}

/// For one row of predictions: the only label that counts as right.
Index predicted(std::initializer_list<float> row) {
    const Tensor<float> predictions({1, static_cast<Index>(row.size())}, row);
    Index right = -1, count = 0;
    for (Index label = 0; label < predictions.size(); ++label) {
        if (accuracy(predictions, Tensor<float>({1}, {static_cast<float>(label)})).sum == 1) {
            right = label;
            ++count;
        }
    }
    CHECK(count == 1);
    return right;
}

}  // namespace

TEST_CASE("Accuracy against class indices: where the argmax is the label") {
    const Tensor<float> p({4, 3},
                          {0.1f, 0.7f, 0.2f, 0.5f, 0.3f, 0.2f, 0.2f, 0.2f, 0.6f, 0, 0.9f, 0.1f});
    const MetricSum sum = accuracy(p, Tensor<float>({4}, {1, 0, 0, 1}));
    CHECK(sum.sum == 3);
    CHECK(sum.count == 4);
    CHECK(sum.mean() == 0.75);
    CHECK(accuracy(p, Tensor<float>({4}, {2, 1, 0, 0})).sum == 0);
    CHECK(accuracy(p, Tensor<float>({4}, {1, 0, 2, 1})).sum == 4);
}

TEST_CASE("Accuracy against class indices along an axis counts every row") {
    const Tensor<float> p({2, 3, 2}, {0, 1, 1, 0, 1, 0, 0, 1, 0, 1, 1, 0});
    const MetricSum sum = accuracy(p, Tensor<float>({2, 3}, {1, 0, 1, 1, 1, 1}));
    CHECK(sum.sum == 4);
    CHECK(sum.count == 6);
}

TEST_CASE("Accuracy against distributions: where both argmaxes agree") {
    const Tensor<float> p({3, 3}, {0.1f, 0.7f, 0.2f, 0.5f, 0.3f, 0.2f, 0.2f, 0.2f, 0.6f});
    const MetricSum sum = accuracy(p, Tensor<float>({3, 3}, {0, 1, 0, 0, 0, 1, 0.3f, 0.2f, 0.5f}));
    CHECK(sum.sum == 2);
    CHECK(sum.count == 3);
    const Tensor<float> p_3({2, 2, 2}, {0, 1, 1, 0, 1, 0, 0, 1});
    const MetricSum rows = accuracy(p_3, Tensor<float>({2, 2, 2}, {0, 1, 1, 0, 0, 1, 1, 0}));
    CHECK(rows.sum == 2);
    CHECK(rows.count == 4);
}

TEST_CASE("Accuracy against yes and no: the threshold itself is no") {
    const float above = std::nextafter(0.5f, 1.0f);
    const Tensor<float> p({5, 1}, {0.5f, above, 0.2f, 0.9f, 0.5f});
    const MetricSum sum = accuracy(p, Tensor<float>({5, 1}, {0, 1, 0, 0, 1}));
    CHECK(sum.sum == 3);
    CHECK(sum.count == 5);
    const Accuracy strict{.threshold = 0.8};
    CHECK(accuracy(p, Tensor<float>({5, 1}, {0, 0, 0, 1, 0}), strict).sum == 5);
    const Accuracy of_logits{.threshold = 0};
    CHECK(accuracy(Tensor<float>({3, 1}, {0, 1e-30f, -1}), Tensor<float>({3, 1}, {0, 1, 0}),
                   of_logits)
              .sum == 3);
    // A target between yes and no is never met.
    CHECK(accuracy(Tensor<float>({2, 1}, {0.6f, 0.4f}), Tensor<float>({2, 1}, {0.6f, 0.4f})).sum ==
          0);
}

TEST_CASE("Accuracy takes the first of equals for the argmax") {
    CHECK(predicted({0.4f, 0.4f, 0.2f}) == 0);
    CHECK(predicted({0.2f, 0.4f, 0.4f}) == 1);
    CHECK(predicted({0, 0, 0}) == 0);
    CHECK(predicted({-0.0f, 0.0f}) == 0);
    CHECK(predicted({-3, -1, -2}) == 1);
    CHECK(predicted({1, 2, 3, 4}) == 3);
    CHECK(predicted({7}) == 0);
}

TEST_CASE("Accuracy passes a NaN over, wherever it is") {
    CHECK(predicted({not_a_number, 0.3f, 0.7f}) == 2);
    CHECK(predicted({not_a_number, 0.7f, 0.3f}) == 1);
    CHECK(predicted({0.3f, not_a_number, 0.7f}) == 2);
    CHECK(predicted({0.7f, 0.3f, not_a_number}) == 0);
    CHECK(predicted({not_a_number, not_a_number, -1}) == 2);
    CHECK(predicted({not_a_number, not_a_number}) == 0);
    CHECK(predicted({not_a_number, -std::numeric_limits<float>::infinity()}) == 1);
    // For yes or no, NaN is above no threshold.
    CHECK(
        accuracy(Tensor<float>({2, 1}, {not_a_number, not_a_number}), Tensor<float>({2, 1}, {0, 1}))
            .sum == 1);
}

TEST_CASE("Accuracy of a model whose outputs are all NaN is not that of a right one") {
    const Tensor<float> p({2, 2}, {not_a_number, not_a_number, not_a_number, not_a_number});
    CHECK(accuracy(p, Tensor<float>({2}, {1, 1})).sum == 0);
    CHECK(accuracy(p, Tensor<float>({2, 2}, {0, 1, 0, 1})).sum == 0);
}

TEST_CASE("Accuracy over a short last batch weighs by its count") {
    MetricSum total;
    total += accuracy(Tensor<float>({3, 2}, {0, 1, 0, 1, 0, 1}), Tensor<float>({3}, {1, 1, 1}));
    total += accuracy(Tensor<float>({1, 2}, {0, 1}), Tensor<float>({1}, {0}));
    CHECK(total.mean() == 0.75);
}

TEST_CASE("Accuracy of no samples counts nothing") {
    const MetricSum sum = accuracy(Tensor<float>({0, 3}), Tensor<float>({0}));
    CHECK(sum.sum == 0);
    CHECK(sum.count == 0);
    CHECK(sum.mean() == 0);
}

TEST_CASE("Accuracy in double agrees, and goes by the name it is given") {
    const MetricDeclaration<double, Cpu> metric = Accuracy{};
    CHECK(metric.name() == "accuracy");
    const Tensor<double> predictions({2, 2}, {0, 1, 1, 0}), labels({2}, {1, 1});
    CHECK(metric_sum(metric, predictions, labels).mean() == 0.5);
    CHECK(MetricDeclaration<float, Cpu>(Accuracy{.name = "top_1"}).name() == "top_1");
}
