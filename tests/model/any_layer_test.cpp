#include "weft/model/any_layer.hpp"

#include "tests/support/compare.hpp"
#include "tests/support/random_tensor.hpp"
#include "tests/support/walled_device.hpp"
#include "weft/model/to_device.hpp"
#include "weft/weft.hpp"

#include <doctest/doctest.h>

using namespace weft;

namespace {

using AnyOfThree = AnyLayer<For<float>, For<double>, For<float, kernels::Walled>>;

std::vector<AnyOfThree> layers(int hidden) {
    std::vector<AnyOfThree> list{Flatten{}};
    for (int i = 0; i < hidden; ++i) list.push_back(Dense{.units = 5 + i, .activation = relu});
    list.push_back(Dense{.units = 3, .activation = softmax, .name = "classes"});
    return list;
}

}  // namespace

TEST_CASE("one list of layers builds models of several number types and devices") {
    const auto list = layers(2);
    CHECK(list[1].type() == "Dense");
    CHECK(list[3].name() == "classes");
    const auto model = sequential<float>(list, Shape{4, 2});
    const auto exact = sequential<double>(list, Shape{4, 2});
    const auto walled = sequential<float, kernels::Walled>(list, Shape{4, 2});
    CHECK(model.summary() == exact.summary());

    Sequential<float> expected{Flatten{}, Dense{5, relu}, Dense{6, relu},
                               Dense{.units = 3, .activation = softmax, .name = "classes"}};
    expected.build({4, 2});
    CHECK(model.summary() == expected.summary());
    CHECK(identical(model.arena(), std::as_const(expected).arena()));
    CHECK(identical(to<Cpu>(walled).arena(), model.arena()));
    const auto x = random_normal<float>({3, 4, 2}, 1);
    const Tensor<float> y = model.predict(x);
    CHECK(identical(walled.predict(x), y));
    Tensor<double> exact_x({3, 4, 2});
    std::copy(x.begin(), x.end(), exact_x.begin());
    const Tensor<double> exact_y = exact.predict(exact_x);
    // Three products of up to 8 terms and a softmax, in float: some ten roundings of 6e-8, if the
    // initial weights are the same numbers rounded.
    for (Index i = 0; i < y.size(); ++i) {
        CHECK(std::abs(static_cast<double>(y[i]) - exact_y[i]) < 1e-6);
    }
}

TEST_CASE("a model that is not built yet is built by fit") {
    auto model = sequential<double>(layers(1));
    CHECK_FALSE(model.is_built());
    Trainer trainer(model, {.loss = SparseCategoricalCrossentropy{}});
    const std::vector<int> labels{0, 1, 2};
    trainer.fit(random_normal<double>({3, 4, 2}, 1), labels, {.verbosity = Verbosity::silent});
    CHECK(model.input_shape() == Shape{4, 2});
}
