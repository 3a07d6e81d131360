#include "weft/model/plan.hpp"

#include "weft/model/functional.hpp"
#include "weft/weft.hpp"

#include <doctest/doctest.h>

using namespace weft;

namespace {

constexpr std::size_t zero = 0, one = 1, two = 2, three = 3;

/// A node that reads one value.
PlanNode node(std::string_view name, const std::size_t& input, PlanNode traits = {}) {
    traits.name = name;
    traits.inputs = {&input, 1};
    traits.output_shape = {4};
    return traits;
}

Plan plan(const std::vector<PlanNode>& nodes, PassKind kind = PassKind::training,
          bool takes_logits = false) {
    const Shape input{4};
    std::vector<std::size_t> outputs;  // what no node reads
    for (std::size_t value = 1; value <= nodes.size(); ++value) {
        const auto reads = [&](const PlanNode& other) {
            return std::ranges::find(other.inputs, value) != other.inputs.end();
        };
        if (std::ranges::none_of(nodes, reads)) outputs.push_back(value);
    }
    return {{&input, 1}, nodes, outputs, kind, {takes_logits}};
}

}  // namespace

TEST_CASE("a layer with an activation is lowered to two steps") {
    const std::vector nodes{
        node("dense", zero, {.is_trainable = true, .output_activation = sigmoid})};
    const Plan p = plan(nodes);
    REQUIRE(p.steps().size() == 2);
    CHECK_FALSE(p.steps()[0].is_activation());
    CHECK(p.steps()[1].activation == sigmoid);
    CHECK(p.inputs(p.steps()[1]).front().value == p.steps()[0].output);
    CHECK(p.output() == p.steps()[1].output);
    CHECK(p.last_activation() == sigmoid);
    // The sigmoid may write over what the layer computed, and its gradient.
    CHECK(p.values()[p.output()].memory == p.steps()[0].output);
    CHECK(p.values()[p.output()].gradient == p.steps()[0].output);
}

TEST_CASE("an activation whose derivative takes its input leaves it there in training") {
    const std::vector nodes{node("dense", zero, {.is_trainable = true, .output_activation = gelu})};
    CHECK(plan(nodes).values()[2].memory == 2);
    CHECK(plan(nodes, PassKind::inference).values()[2].memory == 1);
}

TEST_CASE("a layer that is an activation is lowered to that, and one that is a view to no step") {
    const std::vector nodes{node("flatten", zero, {.is_view = true}),
                            node("softmax", one, {.as_activation = softmax})};
    const Plan p = plan(nodes);
    REQUIRE(p.steps().size() == 1);
    CHECK(p.steps()[0].activation == softmax);
    CHECK(p.steps()[0].node == 1);
    CHECK(p.values()[p.of_node(0)].memory == 0);
    // What lies in the caller's memory is never written over.
    CHECK(p.values()[p.of_node(1)].memory == p.of_node(1));
}

TEST_CASE("a relu that alone reads a layer is applied as the layer stores y") {
    const PlanNode absorbs{.absorbs_relu = true};
    const auto is_fused = [](const std::vector<PlanNode>& nodes) {
        const Plan p = plan(nodes);
        const PlanStep& relu_step = p.steps()[1];
        REQUIRE(relu_step.activation == relu);
        CHECK((p.steps()[0].after == relu) == !relu_step.runs_forward);
        return !relu_step.runs_forward;
    };
    const auto second = [](PlanNode traits = {}) {
        traits.as_activation = relu;
        return node("relu", one, traits);
    };
    CHECK(is_fused({node("dense", zero, {.absorbs_relu = true, .output_activation = relu})}));
    CHECK(is_fused({node("dense", zero, absorbs), second()}));
    CHECK_FALSE(is_fused({node("dense", zero), second()}));
    CHECK_FALSE(is_fused(
        {node("dense", zero, {.absorbs_relu = true, .activity_regularizer = l2(1)}), second()}));
    // Another reader wants what the layer computed.
    CHECK_FALSE(is_fused({node("dense", zero, absorbs), second(), node("other", one)}));
    const std::vector tanh_behind{node("dense", zero, absorbs),
                                  node("tanh", one, {.as_activation = weft::tanh})};
    CHECK(plan(tanh_behind).steps()[1].runs_forward);
}

TEST_CASE("a layer that alone reads a relu takes its derivative") {
    const auto is_fused = [](const std::vector<PlanNode>& nodes) {
        const Plan p = plan(nodes);
        const PlanStep& relu_step = p.steps()[1];
        CHECK((p.steps()[2].before == relu) == !relu_step.runs_backward);
        return !relu_step.runs_backward;
    };
    const PlanNode dense = node("dense", zero, {.is_trainable = true, .output_activation = relu});
    const PlanNode pool{.backs_through_relu = true};
    CHECK(is_fused({dense, node("pool", one, pool)}));
    CHECK_FALSE(is_fused({dense, node("dropout", one)}));
    CHECK_FALSE(is_fused({dense, node("pool", one, pool), node("other", one)}));
    CHECK_FALSE(is_fused(
        {node("dense", zero,
              {.is_trainable = true, .output_activation = relu, .activity_regularizer = l2(1)}),
         node("pool", one, pool)}));
    // Somebody else reads what the relu does: its gradient is not the relu's alone.
    const std::vector nodes{node("dense", zero, {.is_trainable = true}),
                            node("relu", one, {.as_activation = relu}), node("pool", two, pool),
                            node("other", one)};
    const Plan p = plan(nodes);
    CHECK(p.steps()[1].runs_backward);
    CHECK(p.steps()[2].before == linear);
}

TEST_CASE("dropout that alone reads a layer is applied as the layer stores y") {
    const PlanNode dropout{.dropout_rate = 0.25, .backs_in_place = true};
    const auto is_fused = [](const std::vector<PlanNode>& nodes, PassKind kind) {
        const Plan p = plan(nodes, kind);
        const PlanStep &pool = p.steps()[0], &dropout_step = p.steps()[1];
        const bool fused = pool.dropout == 1;
        CHECK(fused == !dropout_step.runs_forward);
        const auto &y = p.values()[pool.output], &dropped = p.values()[dropout_step.output];
        CHECK(fused == (dropped.memory == y.memory));
        if (fused) {
            CHECK_FALSE(dropout_step.runs_backward);
            CHECK(dropped.gradient == y.gradient);
        }
        return fused;
    };
    const PlanNode absorbs{.is_trainable = true, .absorbs_dropout = true};
    const std::vector both{node("pool", zero, absorbs), node("dropout", one, dropout)};
    CHECK(is_fused(both, PassKind::training));
    CHECK_FALSE(is_fused(both, PassKind::inference));
    CHECK_FALSE(
        is_fused({node("pool", zero, {.is_trainable = true}), node("dropout", one, dropout)},
                 PassKind::training));
    CHECK_FALSE(is_fused({node("pool", zero, absorbs), node("other", one)}, PassKind::training));
    CHECK_FALSE(
        is_fused({node("pool", zero, absorbs), node("dropout", one, dropout), node("other", one)},
                 PassKind::training));
    PlanNode penalized = absorbs;
    penalized.activity_regularizer = l2(1);
    CHECK_FALSE(is_fused({node("pool", zero, penalized), node("dropout", one, dropout)},
                         PassKind::training));
    // Two that read what was dropped add their gradients where the pool's is.
    auto read_twice = both;
    for (int i = 0; i < 2; ++i) {
        read_twice.push_back(node("dense", two, {.is_trainable = true}));
    }
    CHECK(is_fused(read_twice, PassKind::training));
}

TEST_CASE("a layer that alone reads dropout of a relu takes the derivative of both") {
    const PlanNode dropout{.dropout_rate = 0.25};
    const PlanNode takes{
        .is_trainable = true, .backs_through_relu = true, .backs_through_dropout = true};
    const auto is_fused = [](const std::vector<PlanNode>& nodes) {
        const Plan p = plan(nodes);
        const bool fused = p.steps()[3].before == kernels::Before{relu, 0.25};
        CHECK(p.steps()[1].runs_backward == !fused);
        CHECK(p.steps()[2].runs_backward == !fused);
        return fused;
    };
    const PlanNode dense = node("dense", zero, {.is_trainable = true});
    const auto nodes = [&](PlanNode traits, PlanNode middle = {.dropout_rate = 0.25},
                           PlanNode first = {.as_activation = relu}) {
        return std::vector{dense, node("relu", one, first), node("dropout", two, middle),
                           node("dense_1", three, traits)};
    };
    CHECK(is_fused(nodes(takes)));
    CHECK_FALSE(is_fused(nodes({.is_trainable = true, .backs_through_relu = true})));
    CHECK_FALSE(is_fused(nodes(takes, {})));
    CHECK_FALSE(is_fused(nodes(takes, dropout, {.as_activation = sigmoid})));
    CHECK_FALSE(
        is_fused(nodes(takes, dropout, {.as_activation = relu, .activity_regularizer = l2(1)})));
    // Somebody else reads what the dropout, the relu or the layer before computes.
    for (const std::size_t& other : {std::cref(one), std::cref(two), std::cref(three)}) {
        auto read_twice = nodes(takes);
        read_twice.push_back(node("other", other));
        CHECK_FALSE(is_fused(read_twice));
    }
}

TEST_CASE(
    "a layer applies a relu and dropout behind it, if a layer behind takes their derivative") {
    const PlanNode dense{.is_trainable = true,
                         .absorbs_relu = true,
                         .absorbs_relu_and_dropout = true,
                         .backs_through_relu = true,
                         .backs_through_dropout = true,
                         .output_activation = relu};
    const auto is_fused = [](const PlanNode& first, const PlanNode& last) {
        const Plan p =
            plan({node("dense", zero, first), node("dropout", one, {.dropout_rate = 0.5}),
                  node("dense_1", two, last)});
        const PlanStep& dropout = p.steps()[2];
        const bool fused = p.steps()[0].dropout == 2;
        CHECK(fused == !dropout.runs_forward);
        CHECK(fused == (p.values()[dropout.output].memory == p.steps()[0].output));
        if (fused) CHECK_FALSE(dropout.runs_backward);
        return fused;
    };
    CHECK(is_fused(dense, dense));
    PlanNode other = dense;
    other.absorbs_relu_and_dropout = false;
    CHECK_FALSE(is_fused(other, dense));
    other = dense;
    other.backs_through_dropout = false;
    CHECK_FALSE(is_fused(dense, other));
    other = dense;
    other.output_activation = sigmoid;
    CHECK_FALSE(is_fused(other, dense));
    other = dense;
    other.activity_regularizer = l2(1);
    CHECK_FALSE(is_fused(other, dense));
}

TEST_CASE("a batch norm that alone reads a layer, or its relu, has its moments from the layer") {
    const PlanNode conv{.is_trainable = true, .absorbs_relu = true, .absorbs_moments = true};
    const PlanNode norm{.is_trainable = true, .is_norm = true, .backs_in_place = true};
    const auto is_fused = [](const std::vector<PlanNode>& nodes,
                             PassKind kind = PassKind::training) {
        const Plan p = plan(nodes, kind);
        const auto found =
            std::ranges::find_if(p.steps(), [&](auto& step) { return nodes[step.node].is_norm; });
        const bool fused = p.steps()[0].norm == p.index(*found);
        CHECK(fused == found->has_moments);
        CHECK(fused == (detail::plan_text(p, nodes).find(" + moments") != std::string::npos));
        CHECK(found->runs_forward);
        CHECK(found->runs_backward);
        return fused;
    };
    const auto with = [](PlanNode traits, Activation behind) {
        traits.output_activation = behind;
        return traits;
    };
    CHECK(is_fused({node("conv", zero, conv), node("norm", one, norm)}));
    CHECK(is_fused({node("conv", zero, with(conv, relu)), node("norm", one, norm)}));
    CHECK_FALSE(is_fused({node("conv", zero, conv), node("norm", one, norm)}, PassKind::inference));
    CHECK_FALSE(is_fused({node("conv", zero, with(conv, sigmoid)), node("norm", one, norm)}));
    PlanNode other = conv;
    other.absorbs_moments = false;
    CHECK_FALSE(is_fused({node("conv", zero, other), node("norm", one, norm)}));
    other = with(conv, relu);
    other.absorbs_relu = false;
    CHECK_FALSE(is_fused({node("conv", zero, other), node("norm", one, norm)}));
    // A view has other channels; and somebody else reads what the layer computes.
    CHECK_FALSE(is_fused({node("conv", zero, conv), node("flatten", one, {.is_view = true}),
                          node("norm", two, norm)}));
    CHECK_FALSE(is_fused({node("conv", zero, conv), node("norm", one, norm), node("other", one)}));
}

TEST_CASE("a layer that alone reads a batch norm applies it to x, and takes its derivative") {
    const PlanNode dense{.is_trainable = true, .absorbs_relu = true, .output_activation = relu};
    const PlanNode norm{
        .is_trainable = true, .is_norm = true, .backs_through_relu = true, .backs_in_place = true};
    const PlanNode pool{.absorbs_norm = true, .backs_through_relu = true};
    const auto is_fused = [](const std::vector<PlanNode>& nodes,
                             PassKind kind = PassKind::training) {
        const Plan p = plan(nodes, kind);
        const auto at = static_cast<std::size_t>(
            std::ranges::find_if(p.steps(), [&](auto& step) { return nodes[step.node].is_norm; }) -
            p.steps().begin());
        REQUIRE(at + 1 < p.steps().size());
        const PlanStep &of_norm = p.steps()[at], &behind = p.steps()[at + 1];
        const bool fused = behind.norm == at;
        CHECK(fused == !of_norm.runs_forward);
        CHECK(fused ==
              (detail::plan_text(p, nodes).find(" + batch norm of x") != std::string::npos));
        if (fused) CHECK(behind.backward_reads_x);
        const std::size_t x = p.inputs(of_norm).front().value;
        CHECK(fused == (p.values()[of_norm.output].memory == p.values()[x].memory));
        if (fused) {
            CHECK_FALSE(of_norm.runs_backward);
            CHECK(p.values()[of_norm.output].gradient == p.values()[x].gradient);
            CHECK_FALSE(p.inputs(behind).front().adds_gradient);
            CHECK(behind.before == relu);
            CHECK_FALSE(p.steps()[1].runs_backward);
        }
        return fused;
    };
    const auto chain = [&](const PlanNode& first, const PlanNode& second, const PlanNode& third) {
        return std::vector{node("dense", zero, first), node("norm", one, second),
                           node("pool", two, third)};
    };
    CHECK(is_fused(chain(dense, norm, pool)));
    CHECK_FALSE(is_fused(chain(dense, norm, pool), PassKind::inference));
    CHECK_FALSE(is_fused(chain(dense, norm, pool), PassKind::observed));
    CHECK_FALSE(is_fused(chain(dense, norm, {.backs_through_relu = true})));
    CHECK_FALSE(is_fused(chain({}, norm, pool)));  // no gradient is wanted in front
    PlanNode other = norm;
    other.activity_regularizer = l2(1);
    CHECK_FALSE(is_fused(chain(dense, other, pool)));
    // Somebody else reads what the batch norm computes, or what it reads.
    for (const std::size_t& read : {std::cref(one), std::cref(two)}) {
        auto read_twice = chain(dense, norm, pool);
        read_twice.push_back(node("other", read));
        CHECK_FALSE(is_fused(read_twice));
    }
    // What lies in the caller's memory.
    CHECK_FALSE(is_fused({node("norm", zero, norm), node("pool", one, pool)}));
}

TEST_CASE("a loss takes the input of the last activation, unless something else sees its output") {
    const auto gives = [](const std::vector<PlanNode>& nodes) {
        for (const PassKind kind : {PassKind::inference, PassKind::training}) {
            const Plan whole = plan(nodes, kind), logits = plan(nodes, kind, true);
            CHECK(logits.gives_logits() == (whole.last_activation() != linear));
            CHECK(logits.steps().size() + logits.gives_logits() == whole.steps().size());
        }
        return plan(nodes, PassKind::training, true).gives_logits();
    };
    const PlanNode dense =
        node("dense", zero, {.is_trainable = true, .output_activation = softmax});
    CHECK(gives({dense}));
    CHECK(gives({node("dense", zero), node("softmax", one, {.as_activation = softmax})}));
    CHECK_FALSE(gives({node("dense", zero)}));
    CHECK_FALSE(gives({dense, node("reshape", one, {.is_view = true})}));
    CHECK_FALSE(gives({dense, node("dropout", one)}));
    CHECK_FALSE(gives(
        {node("dense", zero, {.output_activation = softmax, .activity_regularizer = l2(1)})}));
}

TEST_CASE("backward ends where nothing that is trained lies before") {
    const std::vector nodes{node("rescaling", zero), node("dense", one, {.is_trainable = true}),
                            node("tanh", two, {.as_activation = weft::tanh})};
    const Plan p = plan(nodes);
    CHECK_FALSE(p.steps()[0].runs_backward);
    CHECK(p.steps()[1].runs_backward);
    CHECK(p.steps()[2].runs_backward);
    CHECK_FALSE(p.values()[p.of_node(0)].needs_gradient);
    CHECK(p.values()[p.of_node(1)].needs_gradient);
}

TEST_CASE(
    "the gradient of a value that several read is written by the last and added to by others") {
    const std::size_t both[] = {2, 3};
    std::vector nodes{node("dense", zero, {.is_trainable = true}), node("left", one),
                      node("right", one), node("add", zero)};
    nodes[3].inputs = both;
    const Plan p = plan(nodes);
    CHECK(p.inputs(p.steps()[1]).front().adds_gradient);
    CHECK_FALSE(p.inputs(p.steps()[2]).front().adds_gradient);
    for (const PlanInput& input : p.inputs(p.steps()[3])) CHECK_FALSE(input.adds_gradient);
    // A layer used twice: so are those of its parameters.
    std::vector twice{node("dense", zero, {.is_trainable = true}),
                      node("dense", one, {.is_trainable = true})};
    const Plan shared = plan(twice);
    CHECK(shared.steps()[0].adds_gradients);
    CHECK_FALSE(shared.steps()[1].adds_gradients);
}

TEST_CASE("a plan is printed a line a step") {
    const Value x = input({28, 28, 1});
    const Value y = x | Conv2D{.filters = 8, .kernel_size = 3, .padding = same, .activation = relu};
    const Value sum = add(y, y | Conv2D{.filters = 8, .kernel_size = 3, .padding = same});
    const Model model(x, sum | ReLU{} | MaxPool2D{} | Flatten{} | Dense{10, softmax});
    CHECK(model.plan_text(PassKind::training) ==
          "conv2d + relu: (None, 28, 28, 1)@0 -> (None, 28, 28, 8)@1\n"
          "conv2d relu: (None, 28, 28, 8)@1 -> (None, 28, 28, 8)@1; forward is done before\n"
          "conv2d_1: (None, 28, 28, 8)@1 -> (None, 28, 28, 8)@3\n"
          "add: (None, 28, 28, 8)@1, (None, 28, 28, 8)@3 -> (None, 28, 28, 8)@4\n"
          "re_lu relu: (None, 28, 28, 8)@4 -> (None, 28, 28, 8)@4; backward is done behind\n"
          "max_pool2d: (None, 28, 28, 8)@4 -> (None, 14, 14, 8)@6; backward through relu\n"
          "dense: (None, 1568)@6 -> (None, 10)@8\n"
          "dense softmax: (None, 10)@8 -> (None, 10)@8\n");
}
