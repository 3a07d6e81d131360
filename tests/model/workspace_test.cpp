#include "weft/model/workspace.hpp"

#include "examples/fashion_mnist/models.hpp"
#include "weft/cpu.hpp"
#include "weft/layers/average_pool2d.hpp"
#include "weft/layers/batch_norm.hpp"
#include "weft/layers/conv2d.hpp"
#include "weft/layers/dense.hpp"
#include "weft/layers/dropout.hpp"
#include "weft/layers/flatten.hpp"
#include "weft/layers/max_pool2d.hpp"
#include "weft/layers/relu.hpp"
#include "weft/model/sequential.hpp"

#include <doctest/doctest.h>

using namespace weft;

namespace {

Sequential<float> model_of_four() {
    return {Input{{2, 3}}, Dense{5}, Flatten{}, Dense{40}, Dense{7}};
}

bool apart(TensorView<const float> a, TensorView<const float> b) {
    return a.data() + a.size() <= b.data() || b.data() + b.size() <= a.data();
}

}  // namespace

TEST_CASE("observed outputs are there at once, but for views, and gradients beside them") {
    const Sequential model = model_of_four();
    auto workspace = model.make_workspace(9, PassKind::observed);
    const Plan& plan = workspace.plan();
    const auto output = [&](std::size_t i) { return workspace.value(plan.of_node(i), 9); };
    const auto gradient = [&](std::size_t i) { return workspace.gradient(plan.of_node(i), 9); };
    CHECK(output(1).data() == output(0).data());
    for (const std::size_t i : {0u, 2u, 3u}) {
        for (const std::size_t j : {0u, 2u, 3u}) {
            if (i != j) CHECK(apart(output(i), output(j)));
        }
        // While layer i goes back, it reads its x and the gradient of its y.
        CHECK(apart(output(i), gradient(i)));
        if (i > 0) CHECK(apart(output(i - 1), gradient(i)));
        if (i > 0) CHECK(apart(gradient(i - 1), gradient(i)));
    }
    CHECK(gradient(1).data() == gradient(0).data());
}

TEST_CASE("in training memory is kept for what backward reads") {
    const Sequential<float> block{
        Input{{32, 32, 1}},
        Conv2D{.filters = 8, .kernel_size = 3, .padding = same, .activation = relu},
        BatchNorm{},
        MaxPool2D{4},
        Dropout{0.5},
    };
    // The output of the convolution and its gradient, between which the pool keeps a little.
    const Index image = 16 * 32 * 32 * 8 * 4;
    CHECK(block.make_workspace(16, PassKind::training).size_bytes() < 2 * image + image / 4);

    Sequential<float> deep(tutorial("cnn-deep").layers);
    deep.build({28, 28, 1});
    constexpr Index mebibyte = 1 << 20;
    const auto bytes = [&](PassKind kind) {
        return deep.make_workspace(500, kind, true).size_bytes();
    };
    CHECK(bytes(PassKind::training) < 222 * mebibyte);
    CHECK(bytes(PassKind::observed) > 330 * mebibyte);
}

TEST_CASE("a relu writes over what no backward reads") {
    const Input input{{4, 4, 8}};
    for (const auto& model :
         {Sequential<float>{input, BatchNorm{}, ReLU{}, Flatten{}, Dense{2}},
          Sequential<float>{input, Dropout{0.5}, ReLU{}, Flatten{}, Dense{2}},
          Sequential<float>{input, AveragePool2D{1}, ReLU{}, Flatten{}, Dense{2}}}) {
        const Plan plan = model.make_workspace(16, PassKind::training).plan();
        CHECK(plan.values()[plan.of_node(1)].memory == plan.of_node(0));
        const Plan observed = model.make_workspace(16, PassKind::observed).plan();
        CHECK(observed.values()[observed.of_node(1)].memory != observed.of_node(0));
    }
}

TEST_CASE("an output that is not kept is refused") {
    const Sequential<float> model{Input{{3}}, Dense{2, relu}, Flatten{}, Dense{2}};
    const Tensor<float> x({4, 3});
    for (const PassKind kind : {PassKind::inference, PassKind::training}) {
        auto workspace = model.make_workspace(4, kind);
        model.forward(workspace, x);
        CHECK_NOTHROW(model.output(workspace, x, 2));
        CHECK_THROWS_WITH_AS(model.output(workspace, x, 0),
                             "model: the output of dense is not kept; make_workspace for "
                             "PassKind::observed keeps all",
                             ArgumentError);
    }
}

TEST_CASE("in inference two buffers hold the outputs in turn") {
    const Sequential model = model_of_four();
    auto workspace = model.make_workspace(9, PassKind::inference);
    const auto output = [&](std::size_t i) {
        return workspace.value(workspace.plan().of_node(i), 9);
    };
    CHECK(output(0).data() == output(1).data());
    CHECK(apart(output(1), output(2)));
    CHECK(output(3).data() == output(0).data());
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
                         "model: the workspace is of another build or kind of pass; "
                         "make_workspace makes one that fits",
                         ArgumentError);
}

TEST_CASE("takes_logits may be none, and not more than there are outputs") {
    const Sequential<float> model{Input{{3}}, Dense{2, softmax}};
    using Logits = std::vector<bool>;
    for (const PassKind kind : {PassKind::inference, PassKind::training}) {
        CHECK_FALSE(model.make_workspace(4, kind, Logits{}).plan().gives_logits());
        CHECK_FALSE(model.make_workspace(4, kind, Logits{false}).plan().gives_logits());
        CHECK(model.make_workspace(4, kind, Logits{true}).plan().gives_logits());
        for (const bool is_first : {false, true}) {
            CHECK_THROWS_WITH_AS(model.make_workspace(4, kind, Logits{is_first, false, false}),
                                 "model: takes_logits has 3 entries, expected up to 1",
                                 ArgumentError);
        }
    }
}

TEST_CASE("outputs and nodes that are not there are refused") {
    const Sequential<float> model{Input{{3}}, Dense{2, softmax}, Dense{2, softmax}};
    auto workspace = model.make_workspace(4, PassKind::observed);
    CHECK(model.last_activation(0) == softmax);
    CHECK_THROWS_WITH_AS(model.last_activation(3), "model: output 3, expected 0 to 0",
                         ArgumentError);
    CHECK_THROWS_AS(model.prediction(workspace, 4, 1), ArgumentError);
    CHECK_THROWS_AS(model.output_gradient(workspace, 4, 1), ArgumentError);
    const Tensor<float> x({4, 3});
    CHECK_NOTHROW(model.output(workspace, x, 1));
    CHECK_THROWS_WITH_AS(model.output(workspace, x, 2), "model: node 2, expected 0 to 1",
                         ArgumentError);
}
