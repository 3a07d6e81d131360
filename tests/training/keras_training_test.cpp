#include "tests/support/compare.hpp"
#include "tests/support/keras_model.hpp"
#include "tests/support/reference_checks.hpp"
#include "weft/metrics/accuracy.hpp"

#include <doctest/doctest.h>

using namespace weft;

namespace {

/// The weights of the samples in the order in which a run without shuffling scores them: epoch by
/// epoch those it trains on, then those it validates with.
struct SampleWeights {
    std::vector<double> of_an_epoch;
    std::size_t next = 0;

    double take() {
        const double weight = of_an_epoch[next];
        next = (next + 1) % of_an_epoch.size();
        return weight;
    }
};

/// Keras's accuracy among weighted_metrics, sum w_i right_i / sum w_i, as a metric of a user's own.
struct WeightedAccuracy {
    std::shared_ptr<SampleWeights> weights;
    std::string name = "weighted_accuracy";

    template <class Scalar, class Device>
    class Function;
};

template <class Scalar, class Device>
class WeightedAccuracy::Function final : public Metric<Scalar, Device> {
public:
    explicit Function(const WeightedAccuracy& options) : weights_(options.weights) {}

    void evaluate(Device& device, TensorView<const Scalar, Device> predictions,
                  TensorView<const Scalar, Device> targets,
                  TensorView<double, Device> sum) const override {
        for (Index i = 0; i < targets.size(); ++i) {
            const auto matches =
                count_sparse_matches<Scalar>(device, predictions.slice(i, 1), targets.slice(i, 1));
            const double weight = weights_->take();
            sum[0] += weight * static_cast<double>(matches);
            sum[1] += weight;
        }
    }

private:
    std::shared_ptr<SampleWeights> weights_;
};

/// Trains as Keras did and compares every number that it left. Throws when the case has something
/// that is not understood here.
Verdict trains_as_keras(const nlohmann::json& expected) {
    KerasFields fields("run", expected);
    fields.at("name");
    const auto tensor = [&](const char* field) { return reference_tensor(fields.at(field)); };
    const auto numbers = [&](const char* field) {
        const auto values = reference_tensor(fields.at(field));
        return std::vector<double>(values.begin(), values.end());
    };
    const auto x = tensor("x"), y = tensor("y"), x_val = tensor("x_val"), y_val = tensor("y_val");
    auto model = keras_model(fields.at("layers"), fields.at("initial_weights"), x.shape().sample());
    auto compiled = keras_compile(fields.at("optimizer"), fields.at("loss"));
    FitOptions<double> options{
        .epochs = fields.at("epochs"),
        .batch_size = fields.at("batch_size"),
        .gradient_accumulation_steps = fields.value("gradient_accumulation_steps", 1),
        .shuffle = false,
        .validation_split = fields.value("validation_split", 0.0),
        .verbosity = Verbosity::silent};
    if (options.validation_split == 0) options.validation_data = {x_val, y_val};

    // What Keras was asked for with weights, where it was.
    const bool weighs_metrics = fields.at("history").contains("weighted_accuracy");
    const auto weights = std::make_shared<SampleWeights>();
    if (fields.at("history").contains("accuracy")) compiled.metrics.emplace_back(Accuracy{});
    if (fields.has("class_weight")) {
        options.class_weight = fields.at("class_weight").get<std::vector<double>>();
        for (Index i = 0; weighs_metrics && i < y.size(); ++i) {
            weights->of_an_epoch.push_back(options.class_weight[static_cast<std::size_t>(y[i])]);
        }
    }
    if (fields.has("sample_weight")) {
        options.sample_weight = numbers("sample_weight");
        if (weighs_metrics) weights->of_an_epoch = options.sample_weight;
    }
    std::vector<double> val_weights(static_cast<std::size_t>(y_val.shape()[0]), 1.0);
    if (fields.has("val_sample_weight")) {
        options.validation_sample_weight = val_weights = numbers("val_sample_weight");
    }
    if (weighs_metrics) {
        weights->of_an_epoch.insert(weights->of_an_epoch.end(), val_weights.begin(),
                                    val_weights.end());
        compiled.metrics.emplace_back(WeightedAccuracy{weights});
    }
    Trainer trainer(model, compiled);

    EarlyStopping stopping;
    ReduceLROnPlateau plateau;
    for (const auto& callback : fields.value("callbacks", nlohmann::json::array())) {
        KerasFields callback_fields("callback", callback);
        const std::string type = callback_fields.at("type");
        if (type == "EarlyStopping") {
            stopping = keras_early_stopping(callback_fields);
            options.callbacks.emplace_back(stopping);
        } else if (type == "ReduceLROnPlateau") {
            plateau = keras_reduce_lr_on_plateau(callback_fields);
            options.callbacks.emplace_back(plateau);
        } else {
            callback_fields.refuse("is of unknown type", type);
        }
        callback_fields.require_all_known();
    }
    History history = trainer.fit(x, y, options);
    for (int fit = 1; fit < fields.value("fits", 1); ++fit) {
        const History more = trainer.fit(x, y, options);
        history.epochs.insert(history.epochs.end(), more.epochs.begin(), more.epochs.end());
        history.non_finite = more.non_finite;
    }

    // Of the same numbers, a layer's results and gradients are Keras's to that gap. A step is one
    // pass, and adds its own gap to those of the steps before.
    const double bound = same_in_double.gap * static_cast<double>(trainer.steps());
    Verdict verdict;
    const auto require = [&](bool holds, const std::string& complaint) {
        if (!holds) verdict.add("run", {complaint});
    };
    require(!history.non_finite, "a number went wrong");
    require(history.epochs.size() == fields.at("epochs_run").get<std::size_t>(),
            concat("it ran ", history.epochs.size(), " epochs"));
    if (fields.has("best_epoch")) {
        // Keras counts epochs from 0.
        require(stopping.best_epoch() == fields.at("best_epoch").get<Index>() + 1,
                concat("the best epoch is ", stopping.best_epoch()));
        require((stopping.stopped_epoch() > 0) == fields.at("stopped_early").get<bool>(),
                concat("it stopped in epoch ", stopping.stopped_epoch()));
    }

    for (const auto& item : fields.at("history").items()) {
        std::vector<double> ours;
        if (item.key() == "learning_rate") {
            for (const EpochRecord& epoch : history.epochs) ours.push_back(epoch.learning_rate);
        } else {
            ours = history[item.key()];
        }
        const auto theirs = item.value().get<std::vector<double>>();
        verdict.add(item.key(), largest_gap(as_view(ours), as_view(theirs)), bound);
    }

    const auto& final_weights = fields.at("final_weights");
    const auto& parameters = model.parameters();
    require(final_weights.size() == parameters.size(), "another number of final weights");
    for (std::size_t p = 0; p < parameters.size(); ++p) {
        const std::string& name = parameters[p].name;
        if (fields.has("weight_names")) {
            require(name.ends_with("/" + fields.at("weight_names").at(p).get<std::string>()),
                    concat("weight ", p, " is named ", name));
        }
        verdict.add(
            name,
            largest_gap(model.view(parameters[p].slot), reference_tensor(final_weights.at(p))),
            bound);
    }
    if (fields.has("predictions")) {
        verdict.add("predictions", largest_gap(model.predict(x_val), tensor("predictions")), bound);
    }
    *weights = {.of_an_epoch = {1.0}};
    const Scores scores = trainer.evaluate(x_val, y_val, options.batch_size);
    for (const auto& item : fields.at("evaluate").items()) {
        const Gap gap{relative_gap(scores[item.key()], item.value().get<double>())};
        verdict.add(concat("evaluate: ", item.key()), gap, bound);
    }
    fields.require_all_known();
    return verdict;
}

/// Checks the runs of a file, whose first case is their data. Returns their number.
std::size_t train_as_keras(const char* file) {
    const auto cases = reference_cases(file);
    const nlohmann::json& data = cases.at(0).fields();
    for (const ReferenceCase& expected : std::span(cases).subspan(1)) {
        CAPTURE(expected.name());
        nlohmann::json run = expected.fields();
        run.update(data.at("targets").at(run.at("data").get<std::string>()));
        run["x"] = data.at("x");
        run["x_val"] = data.at("x_val");
        run.erase("data");
        CHECK(trains_as_keras(run));
    }
    return cases.size() - 1;
}

}  // namespace

TEST_CASE("whole training runs equal Keras's, to rounding") {
    SUBCASE("of dense networks, with every loss") {
        int cases = 0;
        for (const ReferenceCase& expected : reference_cases("training.json")) {
            CAPTURE(expected.name());
            // These cases say what differs in their network; all were to run all epochs.
            nlohmann::json run = expected.fields();
            run["layers"] = {
                {{"type", "Flatten"}},
                {{"type", "Dense"}, {"units", 7}, {"activation", "relu"}},
                {{"type", "Dense"}, {"units", run["units"]}, {"activation", run["activation"]}}};
            run["epochs_run"] = run["epochs"];
            run.erase("units");
            run.erase("activation");
            CHECK(trains_as_keras(run));
            ++cases;
        }
        CHECK(cases == 4);
    }
    SUBCASE("of convolutional networks, with weights, penalties, schedules and callbacks") {
        int cases = 0;
        for (const ReferenceCase& expected : reference_cases("training2.json")) {
            CAPTURE(expected.name());
            CHECK(trains_as_keras(expected.fields()));
            ++cases;
        }
        CHECK(cases == 13);
    }
    SUBCASE("in which every two options of compile and fit meet") {
        CHECK(train_as_keras("training_pairs.json") == 35);
    }
    SUBCASE("in which gradients of several batches are added, with each other option") {
        CHECK(train_as_keras("accumulation.json") == 12);
    }
}

TEST_CASE("what a reference run has that is unknown here is refused") {
    const nlohmann::json known = reference_cases("training2.json").at(0).fields();
    const auto refused = [&](const char* pointer, const nlohmann::json& value,
                             const char* complaint) {
        nlohmann::json run = known;
        run[nlohmann::json::json_pointer(pointer)] = value;
        CHECK_THROWS_WITH(trains_as_keras(run), complaint);
    };
    refused("/shuffle", true, "Keras's run has an unknown field shuffle");
    refused("/layers/0/groups", 2, "Keras's layer has an unknown field groups");
    refused("/layers/3/type", "GRU", "Keras's layer is of unknown type GRU");
    refused("/layers/4/activation", "mish", "Keras's activation mish is unknown here");
    refused("/layers/4/kernel_constraint", {{"type", "MaxNorm"}, {"max_value", 1.0}, {"axis", 1}},
            "Keras's kernel_constraint has a norm over other axes: [1]");
    refused("/loss/axis", 1, "Keras's loss has an unknown field axis");
    refused("/optimizer/type", "Lion", "Keras's optimizer is of unknown type Lion");
    refused("/optimizer/options/clipnorm", 1, "Keras's Adam has an unknown field clipnorm");
    refused("/callbacks", {{{"type", "TerminateOnNaN"}}},
            "Keras's callback is of unknown type TerminateOnNaN");
    refused("/callbacks", {{{"type", "EarlyStopping"}, {"monitor", "loss"}}},
            "Keras's callback has no field patience");
}
