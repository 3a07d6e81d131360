#include "weft/model/workspace.hpp"

#include "weft/cpu.hpp"
#include "weft/layers/dense.hpp"
#include "weft/layers/flatten.hpp"
#include "weft/model/sequential.hpp"

#include <doctest/doctest.h>

using namespace weft;

namespace {

Sequential<float> model_of_four() {
    return {Input{{2, 3}}, Dense{5}, Flatten{}, Dense{40}, Dense{7}};
}

/// Whether the blocks [a, a + a_count) and [b, b + b_count) have no element in common.
bool apart(const float* a, Index a_count, const float* b, Index b_count) {
    return a + a_count <= b || b + b_count <= a;
}

}  // namespace

TEST_CASE("in training every output has memory of its own, but for views") {
    const Sequential model = model_of_four();
    auto workspace = model.make_workspace(9, PassKind::training);
    const auto size = [&](std::size_t i) { return 9 * model.layer(i).output_shape().size(); };
    CHECK(workspace.output(1) == workspace.output(0));
    for (const std::size_t i : {0u, 2u, 3u}) {
        for (const std::size_t j : {0u, 2u, 3u}) {
            if (i != j) CHECK(apart(workspace.output(i), size(i), workspace.output(j), size(j)));
            CHECK(apart(workspace.output(i), size(i), workspace.output_gradient(j), size(j)));
        }
    }
    CHECK(workspace.output_gradient(1) == workspace.output_gradient(0));
    CHECK(apart(workspace.output_gradient(1), size(1), workspace.output_gradient(2), size(2)));
    CHECK(apart(workspace.output_gradient(2), size(2), workspace.output_gradient(3), size(3)));
}

TEST_CASE("in inference two buffers hold the outputs in turn") {
    const Sequential model = model_of_four();
    auto workspace = model.make_workspace(9, PassKind::inference);
    CHECK(workspace.output(0) == workspace.output(1));
    CHECK(apart(workspace.output(1), 90, workspace.output(2), 360));
    CHECK(workspace.output(3) == workspace.output(0));
    // 9 * 10 and 9 * 40 floats, each rounded up to whole cache lines.
    CHECK(workspace.size_bytes() == 384 + 1472);
}

TEST_CASE("the pool gives back what fits and holds no more than ran at once") {
    const Sequential model = model_of_four();
    const auto make = [&](Index capacity) {
        return std::make_unique<Workspace<float, Cpu>>(
            model.make_workspace(capacity, PassKind::inference));
    };
    WorkspacePool<float, Cpu> pool;
    CHECK(pool.take(1) == nullptr);
    auto small = make(1), large = make(8);
    const auto* const small_address = small.get();
    const auto* const large_address = large.get();
    pool.give_back(std::move(small));
    pool.give_back(std::move(large));
    auto taken = pool.take(4);
    CHECK(taken.get() == large_address);
    CHECK(pool.take(4) == nullptr);  // and the small one is gone
    CHECK(pool.take(1) == nullptr);
    pool.give_back(std::move(taken));
    pool.give_back(make(1));
    const WorkspacePool<float, Cpu> copy = pool;
    CHECK(WorkspacePool<float, Cpu>(copy).take(1) == nullptr);
    CHECK(pool.take(2) != nullptr);
    pool.clear();
    CHECK(pool.take(1) == nullptr);
    CHECK(small_address != large_address);
}

TEST_CASE("a pass in a workspace that it does not fit is refused") {
    Sequential model = model_of_four();
    const Shape sample = model.input_shape();
    auto workspace = model.make_workspace(4, PassKind::training);
    auto inference = model.make_workspace(4, PassKind::inference);
    const Tensor<float> x(sample.batch(4));
    Tensor<float> gradients(model.trainable_parameters().shape());
    const PassOptions training{.training = true};
    model.forward(workspace, x, training);
    model.backward(workspace, x, training, gradients);
    CHECK_THROWS_AS(model.forward(inference, x, training), ArgumentError);
    CHECK_THROWS_AS(std::as_const(model).forward(workspace, x, training), ArgumentError);
    CHECK_THROWS_AS(model.backward(inference, x, training, gradients), ArgumentError);
    CHECK_THROWS_AS(model.forward(workspace, Tensor<float>(sample.batch(5))), ShapeError);
    CHECK_THROWS_AS(model.forward(workspace, Tensor<float>(sample)), ShapeError);
    CHECK_THROWS_AS(model.forward(workspace, Tensor<float>({4, 1})), ShapeError);
    CHECK_THROWS_AS(model.backward(workspace, x, training, gradients.slice(0, 3)), ShapeError);

    Sequential copy = model;
    CHECK_THROWS_AS(copy.forward(workspace, x, training), ArgumentError);
    Sequential moved = std::move(model);
    moved.forward(workspace, x, training);
    model = std::move(moved);
    model.forward(workspace, x, training);
    model.build(sample);
    CHECK_THROWS_WITH_AS(model.forward(workspace, x),
                         "sequential: the workspace is of another build or kind of pass; "
                         "make_workspace makes one that fits",
                         ArgumentError);
}
