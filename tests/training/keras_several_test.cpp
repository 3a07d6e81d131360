// Models of several inputs and outputs, and models as layers of others, against Keras.
#include "tests/support/compare.hpp"
#include "tests/support/keras_checks.hpp"
#include "tests/support/keras_model.hpp"
#include "tests/support/reference_checks.hpp"

#include <doctest/doctest.h>

#include <map>

using namespace weft;

namespace {

using Node = Value<double, Cpu>;
using Layer = LayerDeclaration<double, Cpu>;

/// The graph that a case tells in the order in which Keras made its nodes, under that name.
Model<double> keras_graph(const nlohmann::json& json, const std::string& name) {
    KerasFields graph("graph", json);
    std::map<std::string, std::shared_ptr<const Layer>> layers;
    std::map<std::string, Model<double>> models;
    std::vector<Node> values, inputs, outputs;
    for (const nlohmann::json& input_json : graph.at("inputs")) {
        const auto extents = input_json.at("shape").get<std::vector<Index>>();
        inputs.push_back(
            input<double, Cpu>(Shape(std::span<const Index>(extents)), input_json.at("name")));
    }
    values = inputs;
    for (const nlohmann::json& node_json : graph.at("nodes")) {
        KerasFields fields("node", node_json);
        std::string applied;
        if (fields.has("again")) {
            applied = fields.at("again");
        } else if (fields.has("layer")) {
            applied = fields.at("layer").at("name");
            layers[applied] = std::make_shared<const Layer>(keras_layer(fields.at("layer")));
        } else {
            applied = fields.at("name");
            models.emplace(applied, keras_graph(fields.at("model"), applied));
        }
        std::vector<Node> read;
        for (const std::size_t i : fields.at("inputs").get<std::vector<std::size_t>>()) {
            read.push_back(values.at(i));
        }
        fields.require_all_known();
        if (const auto model = models.find(applied); model != models.end()) {
            for (const Node& output : model->second.apply(read)) values.push_back(output);
        } else {
            values.emplace_back(layers.at(applied), read);
        }
    }
    for (const std::size_t i : graph.at("outputs").get<std::vector<std::size_t>>()) {
        outputs.push_back(values.at(i));
    }
    graph.require_all_known();
    Model<double> model(inputs, outputs);
    model.set_name(name);
    return model;
}

std::vector<Tensor<double>> tensors(const nlohmann::json& json) {
    std::vector<Tensor<double>> result;
    for (const nlohmann::json& one : json) result.push_back(reference_tensor(one));
    return result;
}

/// The names of layers as one sees them: those of a model in it are one.
std::vector<std::string> outer_layer_names(const Model<double>& model) {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < model.layer_count(); ++i) {
        const std::string& name = model.layer_name(i);
        const std::string first = name.substr(0, name.find('/'));
        if (names.empty() || names.back() != first) names.push_back(first);
    }
    return names;
}

/// "encoder/dense/kernel" as "dense/kernel": Keras's paths have no name of a Functional model.
std::string path_in_keras(const std::string& name) {
    const auto last = name.rfind('/'), before = name.rfind('/', last - 1);
    return before == name.npos ? name : name.substr(before + 1);
}

/// The outputs of a pass in training, and all gradients for r_k = dL/dy_k.
Verdict passes_of_several_as_keras(Model<double>& model, KerasFields& fields) {
    const auto inputs = tensors(fields.at("x")), r = tensors(fields.at("r")),
               outputs = tensors(fields.at("outputs"));
    const Index n = r.front().shape()[0];
    std::vector<TensorView<const double>> xs;
    for (const Tensor<double>& x : inputs) xs.push_back(x.view().slice(0, n));
    const PassOptions training{.training = true};
    auto workspace = model.make_workspace(n, PassKind::training);
    model.forward(workspace, std::span(xs), training);
    Verdict verdict;
    for (std::size_t k = 0; k < r.size(); ++k) {
        verdict.add(concat("output ", k),
                    largest_gap(model.prediction(workspace, n, k), outputs.at(k)),
                    same_in_double.gap);
        std::ranges::copy(r[k], model.output_gradient(workspace, n, k).begin());
    }
    Tensor<double> gradients(model.trainable_parameters().shape());
    model.backward(workspace, std::span(xs), training, gradients);
    add_gradients(verdict, model, gradients, fields.at("gradients"));
    return verdict;
}

/// Trains as Keras did and compares all scores, weights and predictions. By name: losses, their
/// weights and metrics of two outputs are named, in another order than the model's.
Verdict trains_several_as_keras(Model<double> model, KerasFields& fields, bool by_name) {
    std::vector<LossDeclaration<double, Cpu>> losses;
    for (const nlohmann::json& loss : fields.at("losses")) losses.push_back(keras_loss(loss));
    auto options = keras_compile(fields.at("optimizer"), fields.at("losses").front());
    options.loss = losses;
    options.loss_weights = fields.at("loss_weights").get<std::vector<double>>();
    for (const nlohmann::json& metrics : fields.at("metrics")) {
        auto& own = losses.size() == 1 ? options.metrics : options.output_metrics.emplace_back();
        if (!metrics.empty()) own.push_back(Accuracy{});
    }
    if (by_name) {
        const auto& names = model.output_names();
        const auto weights = options.loss_weights;
        const auto metrics = options.output_metrics;
        REQUIRE(losses.size() == 2);
        options.loss = {{names[1], losses[1]}, {names[0], losses[0]}};
        if (!weights.empty()) {
            options.loss_weights = {{names[1], weights[1]}, {names[0], weights[0]}};
        }
        options.output_metrics = {{names[1], metrics[1]}, {names[0], metrics[0]}};
    }
    const auto xs = tensors(fields.at("x")), ys = tensors(fields.at("y"));
    // By name, in another order than the model's.
    const auto backwards = [](const std::vector<Tensor<double>>& arrays,
                              const std::vector<std::string>& names) {
        std::vector<Column<double>> columns;
        for (std::size_t k = arrays.size(); k-- > 0;) columns.emplace_back(names.at(k), arrays[k]);
        return columns;
    };
    const auto x = backwards(xs, model.input_names()), y = backwards(ys, model.output_names());
    Trainer trainer(model, options);
    FitOptions<double> fit;
    fit.epochs = fields.at("epochs");
    fit.batch_size = fields.at("batch_size");
    fit.shuffle = false;
    fit.verbosity = Verbosity::silent;
    fit.sample_weight = fields.at("sample_weight").get<std::vector<double>>();
    const History history = trainer.fit(x, y, fit);
    // As in keras_training_test: a step adds its own gap to those of the steps before.
    const double bound = same_in_double.gap * static_cast<double>(trainer.steps());
    Verdict verdict;
    const nlohmann::json& scores = fields.at("history");
    if (scores.size() != history.epochs.front().scores.size()) {
        verdict.add("history", {"has other scores than Keras's"});
    }
    for (const auto& score : scores.items()) {
        const auto ours = history[score.key()];
        const auto expected = score.value().get<std::vector<double>>();
        verdict.add(score.key(), largest_gap(as_view(ours), as_view(expected)), bound);
    }
    add_weights(verdict, model, fields.at("final_weights"), bound);
    const auto predictions = model.predict({xs.begin(), xs.end()});
    const auto expected = tensors(fields.at("predictions"));
    for (std::size_t k = 0; k < predictions.size(); ++k) {
        verdict.add(concat("prediction ", k), largest_gap(predictions[k], expected.at(k)), bound);
    }
    return verdict;
}

}  // namespace

TEST_CASE(
    "several inputs and outputs and models in models: passes, names and training are Keras's") {
    int cases = 0, by_name = 0;
    for (const ReferenceCase& expected : reference_cases("functional_several.json")) {
        CAPTURE(expected.name());
        KerasFields fields("model", expected.fields());
        fields.at("name");
        auto model = keras_graph(fields.at("graph"), "outer");
        CHECK(outer_layer_names(model) == fields.at("layers").get<std::vector<std::string>>());
        CHECK(model.output_names() == fields.at("output_names").get<std::vector<std::string>>());
        std::vector<std::string> weights;
        for (const ParameterInfo& parameter : model.parameters()) {
            weights.push_back(path_in_keras(parameter.name));
        }
        REQUIRE(weights == fields.at("weight_names").get<std::vector<std::string>>());
        set_keras_weights(model, fields.at("initial_weights"));
        const auto fresh = model;
        CHECK(passes_of_several_as_keras(model, fields));
        CHECK(trains_several_as_keras(fresh, fields, false));
        if (model.output_names().size() == 2) {
            CHECK(trains_several_as_keras(fresh, fields, true));
            ++by_name;
        }
        fields.require_all_known();
        ++cases;
    }
    CHECK(cases == 6);
    CHECK(by_name == 3);
}
