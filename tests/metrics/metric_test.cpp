#include "weft/metrics/metric.hpp"

#include "tests/support/compare.hpp"
#include "tests/support/metric_sum.hpp"
#include "weft/cpu.hpp"

#include <doctest/doctest.h>

using namespace weft;

namespace {

/// A metric of a user's own: the mean of all predictions.
struct MeanPrediction {
    std::string name = "mean";

    template <class Scalar, class Device>
    class Function;
};

template <class Scalar, class Device>
class MeanPrediction::Function final : public Metric<Scalar, Device> {
public:
    explicit Function(const MeanPrediction&) {}

    void evaluate(Device&, TensorView<const Scalar, Device> predictions,
                  TensorView<const Scalar, Device>, TensorView<double, Device> sum) const override {
        for (const Scalar p : predictions) sum[0] += static_cast<double>(p);
        sum[1] += static_cast<double>(predictions.size());
    }
};

}  // namespace

TEST_CASE("a metric is a mean over samples, so a short batch weighs by its count") {
    MetricSum total;
    CHECK(total.mean() == 0);
    total += {30, 32};
    total += {1, 4};
    CHECK(total.sum == 31);
    CHECK(total.count == 36);
    CHECK(total.mean() == 31. / 36);  // not the mean of 30/32 and 1/4
}

TEST_CASE("a metric of the user's own runs through a declaration, under its name") {
    const MetricDeclaration<float, Cpu> metric = MeanPrediction{.name = "mean_output"};
    CHECK(metric.name() == "mean_output");
    Cpu cpu(1);
    const Tensor<float> predictions({2, 2}, {1, 2, 3, 6}), targets({2, 2});
    CHECK(metric_sum(metric, predictions, targets).mean() == 3);
    Tensor<double> sum({2}, {5, 7});
    (*metric).evaluate(cpu, predictions, targets, sum);
    CHECK(identical(sum, Tensor<double>({2}, {17, 11})));  // added to what was there
}
