#include "tests/support/compare.hpp"
#include "tests/support/keras_checks.hpp"
#include "tests/support/keras_model.hpp"
#include "tests/support/reference_checks.hpp"

#include <doctest/doctest.h>

#include <map>

using namespace weft;

namespace {

/// The graph that a case tells in the order in which Keras made its nodes. With counted names,
/// those that layers have where nobody names them.
Model<double> keras_graph(const nlohmann::json& nodes, const Shape& input_shape,
                          bool counted = false) {
    using Node = Value<double, Cpu>;
    using Layer = LayerDeclaration<double, Cpu>;
    std::map<std::string, std::shared_ptr<const Layer>> layers;
    std::vector<Node> values{input<double, Cpu>(input_shape)};
    for (const nlohmann::json& json : nodes) {
        KerasFields fields("node", json);
        std::string name;
        if (fields.has("again")) {
            name = fields.at("again");
        } else {
            name = fields.at("layer").at("name");
            layers[name] = std::make_shared<const Layer>(keras_layer(fields.at("layer"), counted));
        }
        std::vector<Node> inputs;
        for (const std::size_t i : fields.at("inputs").get<std::vector<std::size_t>>()) {
            inputs.push_back(values.at(i));
        }
        fields.require_all_known();
        values.emplace_back(layers.at(name), inputs);
    }
    return {values.front(), values.back()};
}

std::vector<std::string> layer_names(const Model<double>& model) {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < model.layer_count(); ++i) names.push_back(model.layer_name(i));
    return names;
}

/// Keras's name of a layer with weft's word for its type.
std::string weft_name(std::string name) {
    for (const auto& [keras, weft] :
         {std::pair<std::string, std::string>{"normalization", "norm"}, {"pooling", "pool"}}) {
        if (const auto at = name.find(keras); at != std::string::npos) {
            name.replace(at, keras.size(), weft);
        }
    }
    return name;
}

/// The output of a pass in training, and all gradients for r = dL/dy.
Verdict passes_as_keras(Model<double>& model, KerasFields& fields) {
    const auto x = reference_tensor(fields.at("x"));
    const auto r = reference_tensor(fields.at("r"));
    const Index n = r.shape()[0];
    const PassOptions training{.training = true};
    auto workspace = model.make_workspace(n, PassKind::training);
    const auto batch = x.view().slice(0, n);
    Verdict verdict;
    const auto output = model.forward(workspace, batch, training);
    verdict.add("output", largest_gap(output, reference_tensor(fields.at("output"))),
                same_in_double.gap);
    std::ranges::copy(r, model.output_gradient(workspace, n).begin());
    Tensor<double> gradients(model.trainable_parameters().shape());
    model.backward(workspace, batch, training, gradients);
    add_gradients(verdict, model, gradients, fields.at("gradients"));
    return verdict;
}

/// Trains as Keras did and compares losses, weights and predictions.
Verdict trains_as_keras(Model<double>& model, KerasFields& fields) {
    const auto x = reference_tensor(fields.at("x")), y = reference_tensor(fields.at("y"));
    Trainer trainer(model, keras_compile(fields.at("optimizer"), fields.at("loss")));
    const History history = trainer.fit(x, y,
                                        {.epochs = fields.at("epochs"),
                                         .batch_size = fields.at("batch_size"),
                                         .shuffle = false,
                                         .verbosity = Verbosity::silent});
    // As in keras_training_test: a step adds its own gap to those of the steps before.
    const double bound = same_in_double.gap * static_cast<double>(trainer.steps());
    Verdict verdict;
    const auto losses = history["loss"];
    const auto expected = fields.at("history").at("loss").get<std::vector<double>>();
    verdict.add("loss", largest_gap(as_view(losses), as_view(expected)), bound);
    add_weights(verdict, model, fields.at("final_weights"), bound);
    verdict.add("predictions",
                largest_gap(model.predict(x), reference_tensor(fields.at("predictions"))), bound);
    return verdict;
}

}  // namespace

TEST_CASE("models that are no chain: order, names, outputs, gradients and training are Keras's") {
    int cases = 0, counted = 0;
    for (const ReferenceCase& expected : reference_cases("functional.json")) {
        CAPTURE(expected.name());
        KerasFields fields("model", expected.fields());
        fields.at("name");
        const Shape input = reference_tensor(fields.at("x")).shape().sample();
        auto model = keras_graph(fields.at("nodes"), input);
        CHECK(layer_names(model) == fields.at("layers").get<std::vector<std::string>>());
        std::vector<std::string> weights;
        for (const ParameterInfo& parameter : model.parameters()) weights.push_back(parameter.name);
        REQUIRE(weights == fields.at("weight_names").get<std::vector<std::string>>());
        // Where Keras's layers were created in the order that the model has them in.
        const auto names = layer_names(keras_graph(fields.at("nodes"), input, true));
        bool are_same = true;
        for (std::size_t i = 0; i < names.size(); ++i) {
            are_same = are_same && names[i] == weft_name(fields.at("layers").at(i));
        }
        counted += are_same;
        set_keras_weights(model, fields.at("initial_weights"));
        auto fresh = model;
        CHECK(passes_as_keras(model, fields));
        CHECK(trains_as_keras(fresh, fields));
        fields.require_all_known();
        ++cases;
    }
    CHECK(cases == 17);
    // The others declare a branch before one that comes first in the order.
    CHECK(counted == 10);
}
