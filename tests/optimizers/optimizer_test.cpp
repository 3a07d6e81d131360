#include "weft/optimizers/optimizer.hpp"

#include "tests/support/optimizer_run.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <map>

using namespace weft;

namespace {

/// An optimiser of a user's own: p -= rate sum of all gradients so far.
struct Sum {
    double rate = 1;

    static constexpr std::string_view type = "Sum";

    template <class Scalar, class Device>
    class Update;
};

template <class Scalar, class Device>
class Sum::Update final : public Optimizer<Scalar, Device> {
public:
    explicit Update(const Sum& options) : rate_(options.rate) {
        detail::require_option(options.rate != 0, type, "rate", options.rate, "a number but 0");
    }

    double learning_rate() const override { return rate_; }
    Index state_vectors() const override { return 1; }

    std::size_t step_bytes() const override { return sizeof(double); }
    void write_step(std::int64_t, double learning_rate, std::byte* numbers) const override {
        detail::write_step(learning_rate, numbers);
    }

    void update(Device&, const kernels::DeviceStep<std::byte>& step,
                TensorView<Scalar, Device> parameters, TensorView<const Scalar, Device> gradients,
                TensorView<Scalar, Device> state) const override {
        if (step.is_stopped()) return;
        const double learning_rate = *detail::step_of<double>(step).numbers;
        for (Index i = 0; i < parameters.size(); ++i) {
            state[i] += gradients[i];
            parameters[i] -= static_cast<Scalar>(learning_rate) * state[i];
        }
    }

private:
    double rate_;
};

}  // namespace

TEST_CASE("an optimiser of the user's own runs through a declaration") {
    const OptimizerDeclaration<double, Cpu> sum = Sum{.rate = 0.5};
    CHECK(sum.type() == "Sum");
    CHECK(sum->learning_rate() == 0.5);
    CHECK((*sum).state_vectors() == 1);
    OptimizerRun<> run(sum, {Tensor<double>({2}, {1, 2}), Tensor<double>({1}, {3})});
    for (int step = 0; step < 2; ++step) {
        run.step({Tensor<double>({2}, {2, 4}), Tensor<double>({1}, {-2})});
    }
    CHECK(identical(run.tensor(0), Tensor<double>({2}, {-2, -4})));
    CHECK(identical(run.tensor(1), Tensor<double>({1}, {6})));
}

TEST_CASE("a declaration refuses a bad option when it is made") {
    using Declaration = OptimizerDeclaration<float, Cpu>;
    CHECK_THROWS_WITH_AS(Declaration(Sum{.rate = 0}), "Sum: rate is 0, expected a number but 0",
                         ArgumentError);
}

TEST_CASE("every reference case belongs to an optimiser whose own test counts its cases") {
    std::map<std::string, int> cases;
    for (const char* file : {"optimizers.json", "optimizers2.json"}) {
        for (const ReferenceCase& expected : reference_cases(file)) ++cases[expected.at("type")];
    }
    CHECK(cases ==
          std::map<std::string, int>{{"Adam", 5}, {"AdamW", 3}, {"RMSprop", 5}, {"SGD", 8}});
}

TEST_CASE("a learning rate is positive and finite") {
    detail::require_learning_rate("SGD", 1e-300);
    detail::require_learning_rate("SGD", 1e300);
    for (const double rate : {0.0, -0.0, -1.0, std::numeric_limits<double>::quiet_NaN(),
                              std::numeric_limits<double>::infinity()}) {
        CHECK_THROWS_AS(detail::require_learning_rate("SGD", rate), ArgumentError);
    }
}

TEST_CASE("a copy of a declaration shares an optimiser that nothing changes") {
    const OptimizerDeclaration<double, Cpu> sum = Sum{};
    const OptimizerDeclaration<double, Cpu> copy = sum;
    OptimizerRun<> first(sum, {Tensor<double>({1}, {1})}), second(copy, {Tensor<double>({1}, {1})});
    first.step({Tensor<double>({1}, {2})});
    second.step({Tensor<double>({1}, {2})});
    CHECK(first.tensor(0)[0] == -1);
    CHECK(second.tensor(0)[0] == -1);
}
