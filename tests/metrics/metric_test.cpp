#include "weft/metrics/metric.hpp"

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

    MetricSum evaluate(Device&, TensorView<const Scalar, Device> predictions,
                       TensorView<const Scalar, Device>) const override {
        MetricSum result{0, static_cast<double>(predictions.size())};
        for (const Scalar p : predictions) result.sum += static_cast<double>(p);
        return result;
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
    const MetricSum sum = metric->evaluate(cpu, predictions, targets);
    CHECK(sum.mean() == 3);
    CHECK((*metric).evaluate(cpu, predictions, targets).count == 4);
}
