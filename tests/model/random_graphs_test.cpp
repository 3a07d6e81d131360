/// Random graphs: what a plan fuses, against the sum of its parts, and what is folded, against what
/// was there before.

#include "tests/support/apart.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/random_tensor.hpp"
#include "weft/weft.hpp"

#include <doctest/doctest.h>

#include <cmath>

using namespace weft;

namespace {

/// Makes a graph whose values all have one shape. A seed gives the same graph with layers that fuse
/// and with layers that do not.
class RandomGraph {
public:
    using Node = Value<double, Cpu>;
    using Declaration = LayerDeclaration<double, Cpu>;

    RandomGraph(std::uint32_t seed, bool is_apart)
        : random_(seed, RandomPurpose::user), is_apart_(is_apart) {
        std::vector<Layer> shared;
        for (std::size_t i = 0; i < 5; ++i) shared.push_back(layer(i));
        const std::size_t count = 3 + below(9);
        while (values_.size() <= count) {
            // Mostly chains.
            const std::size_t i = below(3) > 0 ? values_.size() - 1 : below(values_.size());
            const Node& x = values_[i];
            is_read_[i] = true;
            const std::size_t choice = below(20);
            if (choice < 12) {
                put({layer(choice), {x}});
            } else if (choice < 17) {
                put({shared[choice - 12], {x}});
            } else {
                const std::size_t j = below(values_.size());
                is_read_[j] = true;
                const Node& other = values_[j];
                if (choice == 17) put(add(x, other));
                if (choice == 18) put(multiply(x, other));
                if (choice == 19) put({layer(2), {concatenate(x, other)}});
            }
        }
    }

    /// Outputs are all values that nothing reads, and some others. With heads, layers that change
    /// the shape stand in front of some.
    Model<double> model(bool has_heads = false) {
        std::vector<Node> outputs;
        for (std::size_t i = 1; i < values_.size(); ++i) {
            if (!is_read_[i] || below(8) == 0) outputs.push_back(values_[i]);
        }
        for (Node& output : outputs) {
            if (has_heads) output = head(output);
        }
        if (below(4) == 0) outputs.push_back(outputs.back());
        if (below(6) == 0) outputs.push_back({apart(Flatten{}), {outputs.back()}});
        if (below(6) == 0) outputs.push_back(values_.front());
        return {std::vector{values_.front()}, outputs};
    }

private:
    using Layer = std::shared_ptr<const Declaration>;

    /// Those that may be shared are the first five.
    Layer layer(std::size_t i) const {
        Conv2D conv{.filters = 3, .kernel_size = 2, .padding = same};
        if (i == 5) return apart(conv);
        conv.activation = relu;
        if (i == 0) return apart(conv);
        conv.activity_regularizer = l2(0.1);
        const Declaration others[]{BatchNorm{},
                                   Conv2D{.filters = 3, .kernel_size = 1},
                                   Dropout{0.3},
                                   MaxPool2D{.pool_size = 2, .strides = 1, .padding = same},
                                   Tanh{},
                                   ReLU{},
                                   SiLU{},
                                   conv,
                                   Dense{.units = 3, .activation = relu},
                                   Reshape{{5, 4, 3}},
                                   AveragePool2D{.pool_size = 2, .strides = 1, .padding = same}};
        return apart(others[i < 5 ? i - 1 : i - 2]);
    }

    Layer apart(const Declaration& declaration) const {
        if (!is_apart_) return std::make_shared<const Declaration>(declaration);
        return std::make_shared<const Declaration>(Apart<double>{declaration});
    }

    Node head(const Node& x) {
        switch (below(6)) {
            case 0:
                return x | GlobalAveragePool2D{} | Dense{2};
            case 1:
                return x | BatchNorm{} | Reshape{{5, 12}} | Dense{2};
            case 2:
                return x | BatchNorm{} | MaxPool2D{} | Flatten{} | Dropout{0.2} | Dense{2, relu};
            case 3:
                return x | BatchNorm{} | GlobalMaxPool2D{} | Dense{.units = 2, .use_bias = false};
            case 4:
                return x | BatchNorm{} | Conv2D{.filters = 4, .kernel_size = 2, .strides = 2};
            default:
                return x;
        }
    }

    void put(const Node& value) {
        values_.push_back(value);
        is_read_.push_back(false);
    }

    std::size_t below(std::size_t n) {
        return static_cast<std::size_t>(random_.uniform(drawn_++) * static_cast<double>(n));
    }

    RandomStream random_;
    std::uint64_t drawn_ = 0;
    bool is_apart_;
    std::vector<Node> values_{Node(Shape{5, 4, 3})};
    std::vector<bool> is_read_{false};
};

/// What two training passes leave, and predictions behind them.
struct GraphPasses {
    std::vector<Tensor<double>> outputs, predictions;
    Tensor<double> gradients, arena;
    double penalty;

    GraphPasses(Model<double> model, PassKind kind, std::uint32_t seed) {
        constexpr Index samples = 3;
        const auto parameters = model.trainable_parameters();
        std::ranges::copy(random_normal(parameters.shape(), 2, 0.6), parameters.begin());
        const auto x = random_normal(model.input_shape().batch(samples), seed);
        const std::vector<TensorView<const double>> xs{x};
        const PassOptions options{.training = true, .seed = 4, .step = 5};
        auto workspace = model.make_workspace(samples + 1, kind);
        for (int pass = 0; pass < 2; ++pass) {
            model.forward(workspace, xs, options);
            outputs.clear();
            for (std::size_t k = 0; k < model.output_shapes().size(); ++k) {
                const auto y = model.prediction(workspace, samples, k);
                outputs.emplace_back(y);
            }
            penalty = workspace.activity_penalty()[0];
            for (std::size_t k = 0; k < outputs.size(); ++k) {
                const auto dy = random_normal(outputs[k].shape(), 3 + static_cast<unsigned>(k));
                std::ranges::copy(dy, model.output_gradient(workspace, samples, k).begin());
            }
            gradients = Tensor<double>(parameters.shape());
            model.backward(workspace, xs, options, gradients);
        }
        arena = Tensor<double>(std::as_const(model).arena());
        predictions = model.predict(xs);
    }
};

}  // namespace

TEST_CASE("the plan of a random graph computes what its layers do one by one") {
    // Sums of a hundred terms, one behind another up to a dozen times, relative to at least 1.
    constexpr double bound = 1e-9;
    int graphs = 0;
    for (std::uint32_t seed = 0; seed < 250; ++seed) {
        CAPTURE(seed);
        auto fused = RandomGraph(seed, false).model();
        const auto apart = RandomGraph(seed, true).model();
        if (fused.trainable_parameters().size() == 0) continue;
        ++graphs;
        const GraphPasses expected(apart, PassKind::observed, seed);
        for (const PassKind kind : {PassKind::training, PassKind::observed}) {
            INFO(fused.plan_text(kind));
            const GraphPasses found(fused, kind, seed);
            REQUIRE(found.outputs.size() == expected.outputs.size());
            for (std::size_t k = 0; k < found.outputs.size(); ++k) {
                CAPTURE(k);
                CHECK(largest_gap(found.outputs[k], expected.outputs[k], 1) < bound);
                CHECK(largest_gap(found.predictions[k], expected.predictions[k], 1) < bound);
            }
            CHECK(largest_gap(found.gradients, expected.gradients, 1) < bound);
            CHECK(largest_gap(found.arena, expected.arena, 1) < bound);
            CHECK(relative_gap(found.penalty, expected.penalty, 1) < bound);
        }
    }
    CHECK(graphs > 200);
}

TEST_CASE("a random graph predicts the same when its batch norms are folded") {
    int smaller = 0;
    for (std::uint32_t seed = 0; seed < 250; ++seed) {
        CAPTURE(seed);
        Model<double> model = RandomGraph(seed, false).model(true);
        INFO(model.summary());
        std::ranges::copy(random_normal(model.arena().shape(), seed, 0.6), model.arena().begin());
        for (const ParameterInfo& parameter : model.parameters()) {
            if (!parameter.name.ends_with("/moving_variance")) continue;
            for (double& variance : model.view(parameter.slot)) variance = 0.5 + std::abs(variance);
        }
        const Model<double> folded = fold_batch_norm(model);
        smaller += folded.layer_count() < model.layer_count();
        const auto x = random_normal(model.input_shape().batch(3), seed);
        const auto expected = model.predict({x}), found = folded.predict({x});
        REQUIRE(found.size() == expected.size());
        for (std::size_t k = 0; k < found.size(); ++k) {
            CAPTURE(k);
            CHECK(largest_gap(found[k], expected[k], 1) < 1e-9);
        }
    }
    CHECK(smaller > 100);
}
