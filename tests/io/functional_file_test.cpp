#include "tests/io/safetensors_bytes.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/functional_models.hpp"
#include "tests/support/random_tensor.hpp"
#include "tests/support/temporary_folder.hpp"
#include "weft/io/checkpoint_file.hpp"
#include "weft/io/model_checkpoint.hpp"
#include "weft/io/model_file.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <functional>
#include <set>

using namespace weft;
using nlohmann::json;

namespace {

/// The architecture in a file.
json architecture_of(const std::filesystem::path& path) {
    return json::parse(detail::SafetensorsFile(path).metadata("architecture"));
}

/// The file of the shared model with another architecture.
class Altered {
public:
    Altered() {
        save_model(shared_model(), path());
        architecture_ = architecture_of(path());
        header_ = json::parse(contents_of(path()).substr(8, header_size_of(contents_of(path()))));
    }

    json& operator[](const char* field) { return architecture_["config"][field]; }
    json& architecture() { return architecture_; }

    /// A layer by name.
    json& layer(const std::string& name) {
        for (json& layer : architecture_["config"]["layers"]) {
            if (layer["name"] == name) return layer;
        }
        throw std::runtime_error(name);
    }

    /// What load_model says of it, without the file's name.
    std::string refusal() {
        json header = header_;
        header["__metadata__"]["architecture"] = architecture_.dump();
        const std::string bytes = contents_of(path());
        const auto altered = folder_.file(
            "altered", safetensors(header.dump(), bytes.substr(8 + header_size_of(bytes))));
        try {
            load_model<float>(altered);
        } catch (const IoError& error) {
            return std::string(error.what()).substr(altered.string().size() + 2);
        }
        return "nothing was thrown";
    }

private:
    std::filesystem::path path() const { return folder_.path() / "m"; }

    TemporaryFolder folder_;
    json architecture_, header_;
};

/// As it is written.
json reference(const std::string& layer, int application) {
    return {{"class_name", "__keras_tensor__"},
            {"config", {{"keras_history", {layer, application, 0}}}}};
}

/// Checks that a run that saves after each step goes on with the same bits from each of its files.
/// fit(model, options) trains with 8 samples; the best model is that of the lowest value of a score.
template <class Fit>
void check_resumes(const Model<float>& initial, const std::string& score, const Fit& fit) {
    const TemporaryFolder folder;
    const auto best = folder.path() / "best";
    const auto run = [&](Model<float>& model, const RunStore& store) {
        ModelCheckpoint saves_best(model, best, {.monitor = score});
        return fit(model, {.epochs = 3,
                           .batch_size = 2,
                           .verbosity = Verbosity::silent,
                           .callbacks = {saves_best},
                           .checkpoint = store});
    };
    std::vector<RunState> states;
    Model<float> through = initial;
    const auto save = [&](const RunState& state) { states.push_back(state); };
    const History whole = run(through, run_store([] { return std::nullopt; }, save, 1));
    const std::string best_of_all = contents_of(best);
    Model<float> loaded = initial;
    load_weights(loaded, best);
    CHECK_FALSE(identical(std::as_const(loaded).arena(), initial.arena()));
    // At the start, and behind each of the four steps of an epoch.
    CHECK(states.size() == 1 + 3 * 4);
    for (std::size_t i = 0; i < states.size(); ++i) {
        CAPTURE(i);
        const std::filesystem::path file = folder.path() / std::to_string(i);
        detail::write_checkpoint(file, states[i]);
        Model<float> resumed = initial;
        const History history = run(resumed, checkpoint_file(file));
        CHECK(identical(std::as_const(resumed).arena(), std::as_const(through).arena()));
        CHECK(history["loss"] == whole["loss"]);
        CHECK(history[score] == whole[score]);
        CHECK(contents_of(best) == best_of_all);
    }
}

}  // namespace

TEST_CASE("models that are no chain come back: layers, names, order, every bit") {
    for (const auto& entry : functional_models()) {
        CAPTURE(entry.first);
        const Model<float>& model = entry.second;
        const TemporaryFolder folder;
        save_model(model, folder.path() / "a");
        CHECK(architecture_of(folder.path() / "a")["class_name"] == "Functional");
        const Model<float> copy = load_model<float>(folder.path() / "a");
        CHECK(copy.summary() == model.summary());
        CHECK(identical(copy.arena(), model.arena()));
        const auto x = random_normal<float>(model.input_shape().batch(4), 1);
        CHECK(identical(copy.predict(x), model.predict(x)));
        save_model(copy, folder.path() / "b");
        CHECK(contents_of(folder.path() / "a") == contents_of(folder.path() / "b"));
        CHECK_THROWS_WITH_AS(Sequential<float>{load_model<float>(folder.path() / "a")},
                             "sequential: the layers of the model are not a chain; call it a Model",
                             ArgumentError);
    }
}

TEST_CASE("models of several inputs and outputs and models in models come back, folded too") {
    auto models = multi_models();
    for (std::size_t i = 0, count = models.size(); i < count; ++i) {
        models.emplace_back("folded " + models[i].first, fold_batch_norm(models[i].second));
    }
    // What is left of it is a chain.
    const auto x = input({3});
    const Sequential<float> inner{Dense{3}, BatchNorm{}};
    models.emplace_back("folded chain", fold_batch_norm(Model(x, inner(x) | Dense{3} | Dense{2})));
    const auto named = input({3}, "pixels");
    models.emplace_back("a chain with a named input", Model(named, named | Dense{2} | ReLU{}));
    models.emplace_back("sequential_2", Model(x, x | Dense{2} | ReLU{}));
    models.back().second.set_name("sequential_2");
    auto deep = x | Dense{3};
    for (int i = 0; i < 12; ++i) {
        const auto z = input({3});
        const auto inside = i == 0 ? z | Dense{3} : Model(z, add(z, z | Dense{3}))(z);
        const Model level(z, {add(z, inside)});
        deep = level(deep);
    }
    models.emplace_back("twelve models", Model(x, deep));
    for (const auto& entry : models) {
        CAPTURE(entry.first);
        const Model<float>& model = entry.second;
        const TemporaryFolder folder;
        save_model(model, folder.path() / "a");
        const Model<float> copy = load_model<float>(folder.path() / "a");
        CHECK(copy.summary() == model.summary());
        CHECK(copy.name() == model.name());
        CHECK(copy.input_names() == model.input_names());
        CHECK(copy.output_names() == model.output_names());
        CHECK(identical(copy.arena(), model.arena()));
        save_model(copy, folder.path() / "b");
        CHECK(contents_of(folder.path() / "a") == contents_of(folder.path() / "b"));
    }
}

TEST_CASE("models inside each other come back as deep as save_model takes them") {
    const TemporaryFolder folder;
    Model<float> model(Sequential<float>{Input{{2}}, Dense{2}});
    bool is_refused = false;
    for (int depth = 1; depth < 40 && !is_refused; ++depth) {
        const auto x = input({2});
        model = Model<float>(x, add(x, model(x)));
        try {
            save_model(model, folder.path() / "m");
        } catch (const Error& error) {
            CHECK(std::string(error.what()) ==
                  "save_model: the architecture cannot be read as JSON: it nests deeper than "
                  "64 "
                  "levels");
            CHECK(depth > 12);
            is_refused = true;
            continue;
        }
        CHECK(load_model<float>(folder.path() / "m").summary() == model.summary());
    }
    CHECK(is_refused);
}

TEST_CASE("a model that is a layer and has an input for an output is not saved") {
    const auto x = input({2}), y = input({2});
    const Model<float> inner({x, y}, {add(x, y), y});
    const auto values = inner.apply(std::vector{x, y});
    const Model<float> model({x, y}, {values[0] | Dense{1}, values[1] | Dense{1}});
    const TemporaryFolder folder;
    CHECK_THROWS_WITH_AS(save_model(model, folder.path() / "m"),
                         "save_model: functional, a model used as a layer, has an input as an "
                         "output, which files cannot express",
                         ArgumentError);
    CHECK(!std::filesystem::exists(folder.path() / "m"));
}

TEST_CASE("models in models that are none are refused, and those that explode") {
    const TemporaryFolder folder;
    save_model(nested_model(), folder.path() / "m");
    const std::string bytes = contents_of(folder.path() / "m");
    const json header = json::parse(bytes.substr(8, header_size_of(bytes)));
    const json architecture = architecture_of(folder.path() / "m");
    const auto refusal = [&](const auto& alter) {
        json altered_header = header, altered = architecture;
        std::map<std::string, json*> layers;
        for (json& layer : altered["config"]["layers"]) layers[layer["name"]] = &layer;
        alter(altered["config"], layers);
        altered_header["__metadata__"]["architecture"] = altered.dump();
        const auto file = folder.file(
            "altered", safetensors(altered_header.dump(), bytes.substr(8 + header_size_of(bytes))));
        try {
            load_model<float>(file);
        } catch (const IoError& error) {
            return std::string(error.what()).substr(file.string().size() + 2);
        }
        return std::string("nothing was thrown");
    };
    using Layers = std::map<std::string, json*>;
    CHECK(refusal([](json&, Layers&) {}) == "nothing was thrown");
    CHECK(refusal([](json& config, Layers&) { config["output_layers"][1][2] = 1; }) ==
          "output_layers of its architecture: reads output 1 of distance, which has 1");
    CHECK(refusal([](json& config, Layers&) { config["input_layers"][1] = {"a", 0, 0}; }) ==
          "its architecture has an input twice");
    CHECK(refusal([](json& config, Layers&) { config["input_layers"].erase(1); }) ==
          "its architecture has an InputLayer that is not among its input_layers");
    CHECK(refusal([](json&, Layers& layers) {
              json& args = (*layers.at("encoder"))["inbound_nodes"][0]["args"];
              args = json::array({json::array({args[0], args[0]})});
          }).ends_with("encoder, Functional: is applied to 2 values, expected 1"));
    CHECK(refusal([](json&, Layers& layers) {
              (*layers.at("encoder"))["config"]["layers"][1]["class_name"] = "Nothing";
          }).find("encoder, Functional: layer 1, dense, Nothing: ") != std::string::npos);
    CHECK(refusal([](json&, Layers& layers) {
              (*layers.at("encoder"))["config"]["layers"][0]["config"]["batch_shape"] = {nullptr,
                                                                                         5};
          }) == "encoder: input 0 has shape (None, 4), expected (None, 5)");
    // Three models in each other, each applied two hundred times: 8 million nodes.
    CHECK(refusal([](json& config, Layers& layers) {
              json relu = {{"class_name", "ReLU"}, {"config", json::object()}};
              for (int depth = 0; depth < 3; ++depth) {
                  json input = *layers.at("a"), calls = json::array();
                  for (int i = 0; i < 200; ++i) {
                      json read = i == 0 ? reference("a", 0) : reference("inner", i - 1);
                      calls.push_back({{"args", json::array({read})}, {"kwargs", json::object()}});
                  }
                  relu["name"] = "inner";
                  relu["inbound_nodes"] = calls;
                  json layers_of = json::array({input, relu});
                  relu = {{"class_name", "Functional"},
                          {"config",
                           {{"name", "x"},
                            {"layers", layers_of},
                            {"input_layers", {{"a", 0, 0}}},
                            {"output_layers", {{"inner", 199, 0}}}}}};
              }
              config = relu["config"];
          }).ends_with("its architecture has more than 100000 connections"));
}

TEST_CASE("a loaded model goes on training as the one that was saved, dropouts included") {
    const TemporaryFolder folder;
    Model<float> model = residual_model();
    save_model(model, folder.path() / "m");
    Model<float> copy = load_model<float>(folder.path() / "m");
    const auto x = random_normal<float>(model.input_shape().batch(8), 1);
    const std::vector<int> y{0, 1, 2, 0, 1, 2, 0, 1};
    for (Model<float>* trained : {&model, &copy}) {
        Trainer trainer(*trained, {.loss = SparseCategoricalCrossentropy{}});
        trainer.fit(x, y, {.epochs = 2, .batch_size = 4, .verbosity = Verbosity::silent});
    }
    CHECK(identical(std::as_const(copy).arena(), std::as_const(model).arena()));
}

TEST_CASE("a chain is a Sequential's, however it was declared") {
    const TemporaryFolder folder;
    const auto x = input({4});
    const Model<float> model(x, x | Dense{3, relu} | Dense{2});
    save_model(model, folder.path() / "m");
    const Sequential<float> copy = load_model<float>(folder.path() / "m");
    Sequential<float> assigned;
    assigned = load_model<float>(folder.path() / "m");
    CHECK(architecture_of(folder.path() / "m")["class_name"] == "Sequential");
    CHECK(identical(copy.arena(), model.arena()));
    CHECK(identical(std::as_const(assigned).arena(), model.arena()));
}

TEST_CASE("an input's name is none of the layers'") {
    const auto x = input({2});
    const Model<float> model(x, add(x, x | Dense{.units = 2, .name = "input_layer"}));
    const TemporaryFolder folder;
    save_model(model, folder.path() / "m");
    CHECK(load_model<float>(folder.path() / "m").summary() == model.summary());
    CHECK(model.summary().find("input_layer_1 (InputLayer)") != std::string::npos);
}

TEST_CASE("a run of a model that is no chain goes on from each step, to the bit") {
    const auto x = random_normal<float>({8, 6, 5, 2}, 1);
    const std::vector<int> y{0, 1, 2, 0, 1, 2, 0, 1};
    check_resumes(residual_model(), "loss", [&](Model<float>& model, FitOptions<float> options) {
        Trainer trainer(model, {.loss = SparseCategoricalCrossentropy{}});
        return trainer.fit(x, y, options);
    });
}

TEST_CASE("a run of several outputs and nested models goes on from each step, to the bit") {
    const auto a = random_normal<float>({8, 4}, 1), b = random_normal<float>({8, 4}, 2),
               distance = random_normal<float>({8, 2}, 3);
    const std::vector<int> kinds{0, 1, 2, 0, 1, 2, 0, 1};
    check_resumes(
        nested_model(), "distance_loss", [&](Model<float>& model, FitOptions<float> options) {
            Trainer trainer(model, {.loss = {SparseCategoricalCrossentropy{}, MeanSquaredError{}},
                                    .loss_weights = {1, 0.5},
                                    .output_metrics = {{Accuracy{}}, {}}});
            return trainer.fit({a, b}, {kinds, distance}, options);
        });
}

TEST_CASE("a graph's text with a value of another kind, or without one, is refused") {
    Altered file;
    const json whole = file.architecture();
    std::set<std::string> taken;
    const auto try_with = [&](const json& altered, const std::string& name) {
        file.architecture() = altered;
        if (file.refusal() == "nothing was thrown") taken.insert(name);
    };
    std::size_t places = 0;
    const std::function<void(const json::json_pointer&)> try_at =
        [&](const json::json_pointer& at) {
            const json& here = whole.at(at);
            ++places;
            for (const json& other :
                 {json(), json(7), json(2.5), json("text"), json::array(), json::object()}) {
                if (other.type() == here.type() && !other.empty()) continue;
                if (other == here) continue;
                json altered = whole;
                altered.at(at) = other;
                try_with(altered, at.back());
            }
            if (!here.is_structured()) return;
            std::size_t i = 0;
            for (const auto& [key, value] : here.items()) {
                json altered = whole;
                if (here.is_array()) {
                    altered.at(at).erase(i++);
                } else {
                    altered.at(at).erase(key);
                }
                try_with(altered, "without " + key);
                try_at(here.is_array() ? at / (i - 1) : at / key);
            }
        };
    for (const char* part : {"/class_name", "/config"}) try_at(json::json_pointer(part));
    CHECK(places > 100);
    // What is not of the graph may have a default, and an initializer no options.
    for (const std::string name : {"class_name", "layers", "inbound_nodes", "args", "kwargs",
                                   "keras_history", "input_layers", "output_layers"}) {
        CAPTURE(name);
        CHECK_FALSE(taken.contains(name));
        CHECK_FALSE(taken.contains("without " + name));
    }
    CHECK(taken.contains("name"));
}

TEST_CASE("graphs that are none are refused by name") {
    CHECK(Altered().refusal() == "nothing was thrown");
    const auto refusal = [](const auto& alter) {
        Altered file;
        alter(file);
        return file.refusal();
    };
    CHECK(refusal([&](Altered& file) {
              file["output_layers"] = json::array({file["output_layers"]});
          }) == "nothing was thrown");  // Keras writes both
    const auto arguments = [](Altered& file, const char* layer, int node = 0) -> json& {
        return file.layer(layer)["inbound_nodes"].at(static_cast<std::size_t>(node))["args"];
    };
    CHECK(refusal([&](Altered& file) {
              arguments(file, "dense") = json::array({reference("dense_1", 0)});
          }) == "model: a layer reads what is computed from its own output");
    CHECK(refusal([&](Altered& file) {
              arguments(file, "tower") = json::array({reference("tower", 0)});
          }) == "model: a layer reads what is computed from its own output");
    CHECK(refusal([&](Altered& file) {
              arguments(file, "dense") = json::array({reference("nobody", 0)});
          }) == "layer 1, dense, Dense: reads nobody, which is not the name of a layer");
    CHECK(refusal([&](Altered& file) {
              arguments(file, "dense") = json::array({reference("tower", 3)});
          }) == "layer 1, dense, Dense: reads application 3 of tower, which has 3");
    CHECK(refusal([&](Altered& file) {
              arguments(file, "dense") = json::array({reference("tower", -1)});
          }) == "layer 1, dense, Dense: reads application -1 of tower, which has 3");
    CHECK(refusal([&](Altered& file) {
              arguments(file, "dense") = json::array({reference("input_layer", 1)});
          }) == "layer 1, dense, Dense: reads application 1 of input_layer, which has 1");
    CHECK(refusal([&](Altered& file) {
              arguments(file, "dense") = json::array({json::array()});
          }) == "layer 1, dense, Dense: is applied to an empty list");
    CHECK(refusal([&](Altered& file) { file.layer("dense")["inbound_nodes"] = json::array(); }) ==
          "layer 1, dense: is applied to nothing");
    CHECK(refusal([&](Altered& file) {
              file.layer("dense")["name"] = "tower";
          }).ends_with("has the name of another layer"));
    CHECK(refusal([&](Altered& file) {
              file.layer("dense")["class_name"] = "InputLayer";
          }).ends_with("is an input and has inbound nodes"));
    CHECK(refusal([&](Altered& file) {
              file["output_layers"] = {file["output_layers"], {"dense", 0, 0}};
          }) == "has no self_test/output_1");
    // Nothing is computed for outputs that the file does not hold.
    CHECK(refusal([&](Altered& file) {
              json outputs = json::array();
              for (int i = 0; i < 1'000; ++i) outputs.push_back(file["output_layers"]);
              file["output_layers"] = outputs;
          }) == "has no self_test/output_1");
    CHECK(refusal([&](Altered& file) {
              json outputs = json::array();
              for (int i = 0; i < 1'001; ++i) outputs.push_back(file["output_layers"]);
              file["output_layers"] = outputs;
          }) == "its architecture has more than 1000 outputs");
    CHECK(refusal([&](Altered& file) { file["output_layers"] = {"input_layer", 0, 0}; }) ==
          "its architecture has its input as its output");
    CHECK(refusal([&](Altered& file) { file["input_layers"] = {{"dense", 0, 0}}; }) ==
          "its architecture has a layer's output as its input, expected that of its "
          "InputLayer");
    CHECK(refusal([&](Altered& file) { file["output_layers"] = {{"dense", 0, 0}}; }) ==
          "its architecture has layers that do not lead to its output");
    CHECK(refusal([&](Altered& file) { file["layers"].erase(0); }) ==
          "its architecture has no InputLayer, expected one");
    // A shared layer at another shape, a layer of one input applied to two.
    CHECK(refusal([&](Altered& file) { file.layer("dense_1")["config"]["units"] = 5; }) ==
          "tower: input has shape (None, 2, 5), expected (None, 2, 3) as where it was before");
    CHECK(refusal([&](Altered& file) {
              arguments(file, "dense") =
                  json::array({{reference("input_layer", 0), reference("input_layer", 0)}});
          }) == "dense: the layer has one input, not 2");
}

TEST_CASE("thousands of nodes are read in a moment, and no more than the file pays for") {
    // Each of them adds the two values before, so that nearly all of them have to be kept.
    Altered file;
    json layers = json::array({file.layer("input_layer")});
    const auto append = [&](int i, const json& values) {
        layers.push_back({{"module", "keras.layers"},
                          {"class_name", "Concatenate"},
                          {"config", {{"axis", 1}}},
                          {"name", concat("n", i)},
                          {"inbound_nodes", json::array({{{"args", json::array({values})},
                                                          {"kwargs", json::object()}}})}});
    };
    append(0, {reference("input_layer", 0)});
    for (int i = 1; i < 3'000; ++i) {
        append(i, {reference(concat("n", i - 1), 0), reference(concat("n", i - 1), 0)});
    }
    file["layers"] = layers;
    file["output_layers"] = json::array({{"n2999", 0, 0}});
    CHECK(file.refusal().find("is too small for the outputs of layer ") != std::string::npos);
    for (json& layer : layers) {
        if (layer["class_name"] == "Concatenate") {
            layer["class_name"] = "Add";
            layer["config"] = json::object();
        }
    }
    file["layers"] = layers;
    // All that is wrong with it is that it is another model than the file's weights are for.
    CHECK(file.refusal().find("tower/kernel, which the model does not have") != std::string::npos);
}
