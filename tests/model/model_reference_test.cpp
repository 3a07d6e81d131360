#include "weft/model/model_reference.hpp"

#include "weft/cpu.hpp"
#include "weft/layers/dense.hpp"
#include "weft/model/sequential.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <vector>

using namespace weft;

namespace {

Sequential<float> dense_model(Index units = 3) { return {Input{{2}}, Dense{.units = units}}; }

}  // namespace

TEST_CASE("the mark of a build is that of no other build, copy or model") {
    Sequential<float> model{Dense{3}};
    CHECK(model.marks().build() == Mark());
    model.build({2});
    const Mark first = model.marks().build();
    CHECK(first != Mark());
    const Sequential<float> copy = model;
    CHECK(copy.marks().build() != first);
    CHECK(dense_model().marks().build() != first);
    CHECK(model.marks().build() == first);
    model.build({2});
    CHECK(model.marks().build() != first);
    const Sequential<float> copy_of_none = Sequential<float>{Dense{3}};
    CHECK(copy_of_none.marks().build() == Mark());
}

TEST_CASE("the mark of a build moves with the parameters") {
    Sequential<float> a = dense_model(), b = dense_model(5);
    const Mark of_a = a.marks().build(), of_b = b.marks().build();
    std::swap(a, b);
    CHECK(a.marks().build() == of_b);
    CHECK(b.marks().build() == of_a);
    const Sequential<float> c = std::move(a);
    CHECK(c.marks().build() == of_b);
    CHECK(a.marks().build() == Mark());
    CHECK_FALSE(a.is_built());
    a = b;
    CHECK(a.marks().build() != of_a);
    a = std::move(b);
    CHECK(a.marks().build() == of_a);
}

TEST_CASE("a reference knows whether its model is there with its parameters") {
    std::optional<Sequential<float>> model = dense_model();
    const ModelReference<const Sequential<float>> reference(*model);
    const Mark build = model->marks().build();
    CHECK(&reference.get("test") == &*model);
    CHECK(reference.has(build));
    Sequential<float> other = dense_model();
    std::swap(*model, other);
    CHECK(&reference.get("test") == &*model);
    CHECK_FALSE(reference.has(build));
    *model = std::move(other);
    CHECK(reference.has(build));
    model.reset();
    CHECK_FALSE(reference.has(build));
    CHECK_THROWS_WITH_AS(reference.get("fit"),
                         "fit: the model is gone: it was destroyed, or its vector moved it as it "
                         "grew; it has to stay in its place as long as what refers to it",
                         ArgumentError);
    model.emplace(dense_model());  // another object in the same place
    CHECK_THROWS_AS(reference.get("fit"), ArgumentError);
}

TEST_CASE("a vector that grows leaves no reference to where its models were") {
    std::vector<Sequential<float>> models;
    models.push_back(dense_model());
    models.shrink_to_fit();
    const ModelReference<Sequential<float>> reference(models.front());
    models.push_back(dense_model());
    CHECK_THROWS_AS(reference.get("fit"), ArgumentError);
}
