/// \file
/// Models, losses, optimisers and callbacks from the JSON in which the reference files describe
/// Keras's.
#pragma once

#include "tests/support/reference.hpp"
#include "weft/weft.hpp"

#include <numeric>
#include <set>

namespace weft {

/// A JSON object, every field of which has to be asked for: what is missing throws when it is
/// asked for, what nobody knew of throws at the end.
///
///   KerasFields fields("layer", json);
///   Dense dense{.units = fields.at("units")};
///   fields.require_all_known();
class KerasFields {
public:
    KerasFields(std::string what, const nlohmann::json& json)
        : what_(std::move(what)), json_(json) {}

    bool has(const std::string& name) {
        known_.insert(name);
        return json_.contains(name);
    }

    const nlohmann::json& at(const std::string& name) {
        if (!has(name)) refuse("has no field", name);
        return json_[name];
    }

    template <class T>
    T value(const std::string& name, const T& otherwise) {
        return has(name) ? json_[name].get<T>() : otherwise;
    }

    void require_all_known() const {
        for (const auto& item : json_.items()) {
            if (!known_.contains(item.key())) refuse("has an unknown field", item.key());
        }
    }

    [[noreturn]] void refuse(std::string_view complaint, std::string_view name) const {
        throw std::runtime_error(concat("Keras's ", what_, " ", complaint, " ", name));
    }

private:
    std::string what_;
    const nlohmann::json& json_;
    std::set<std::string> known_;
};

inline Activation keras_activation(const std::string& name) {
    for (const Activation activation : {linear, relu, sigmoid, softmax, tanh, silu}) {
        if (to_string(activation) == name) return activation;
    }
    throw std::runtime_error(concat("Keras's activation ", name, " is unknown here"));
}

/// layer[name]; none if there is no such field.
inline Regularizer keras_regularizer(KerasFields& layer, const std::string& name) {
    if (!layer.has(name)) return {};
    KerasFields fields(name, layer.at(name));
    const std::string type = fields.at("type");
    Regularizer regularizer;
    if (type == "L1" || type == "L1L2") regularizer.l1 = fields.at("l1");
    if (type == "L2" || type == "L1L2") regularizer.l2 = fields.at("l2");
    if (!regularizer) fields.refuse("is of unknown type", type);
    fields.require_all_known();
    return regularizer;
}

/// layer[name], of a parameter of that rank; none if there is no such field.
inline Constraint keras_constraint(KerasFields& layer, const std::string& name, int rank) {
    if (!layer.has(name)) return {};
    KerasFields fields(name, layer.at(name));
    const std::string type = fields.at("type");
    Constraint constraint = non_negative;
    if (type == "MaxNorm" || type == "UnitNorm") {
        constraint = type == "UnitNorm" ? unit_norm : max_norm(fields.at("max_value"));
        nlohmann::json axes = fields.at("axis");
        if (!axes.is_array()) axes = nlohmann::json::array({axes});
        std::vector<int> all_but_the_last(static_cast<std::size_t>(rank - 1));
        std::iota(all_but_the_last.begin(), all_but_the_last.end(), 0);
        if (axes != all_but_the_last) fields.refuse("has a norm over other axes:", axes.dump());
    } else if (type != "NonNeg") {
        fields.refuse("is of unknown type", type);
    }
    fields.require_all_known();
    return constraint;
}

/// With Keras's name if the layer says it, and not if `counted`.
inline LayerDeclaration<double, Cpu> keras_layer(const nlohmann::json& json, bool counted = false) {
    KerasFields fields("layer", json);
    const std::string type = fields.at("type");
    const std::string given_name = fields.value("name", std::string());
    const auto checked = [&](auto layer) -> LayerDeclaration<double, Cpu> {
        fields.require_all_known();
        if (!counted) layer.name = given_name;
        return layer;
    };
    const auto extent = [&](const char* field) -> Extent2D {
        const nlohmann::json& value = fields.at(field);
        if (value.is_array()) return {value.at(0).get<Index>(), value.at(1).get<Index>()};
        return value.get<Index>();
    };
    const auto padding = [&] {
        const std::string name = fields.value("padding", std::string("valid"));
        if (name != "same" && name != "valid") fields.refuse("has an unknown padding", name);
        return name == "same" ? same : valid;
    };
    const auto pool = [&]<class Pool>(Pool layer) {
        layer.pool_size = extent("pool_size");
        layer.strides = fields.has("strides") ? extent("strides") : layer.pool_size;
        layer.padding = padding();
        return checked(layer);
    };
    if (type == "Flatten") return checked(Flatten{});
    if (type == "ReLU") return checked(ReLU{});
    if (type == "Add") return checked(Add{});
    if (type == "Multiply") return checked(Multiply{});
    if (type == "Concatenate") return checked(Concatenate{.axis = fields.at("axis")});
    if (type == "Dropout") return checked(Dropout{.rate = fields.at("rate")});
    if (type == "GlobalAveragePooling2D") return checked(GlobalAveragePool2D{});
    if (type == "BatchNormalization") return checked(BatchNorm{.momentum = fields.at("momentum")});
    if (type == "MaxPooling2D") return pool(MaxPool2D{});
    if (type == "AveragePooling2D") return pool(AveragePool2D{});
    if (type == "Reshape") {
        return checked(Reshape{fields.at("target_shape").get<std::vector<Index>>()});
    }
    if (type == "Activation") {
        const std::string activation = fields.at("activation");
        if (activation == "tanh") return checked(Tanh{});
        if (activation == "silu") return checked(SiLU{});
        fields.refuse("has an unknown activation", activation);
    }
    if (type == "Dense") {
        return checked(
            Dense{.units = fields.at("units"),
                  .activation = keras_activation(fields.at("activation")),
                  .kernel_regularizer = keras_regularizer(fields, "kernel_regularizer"),
                  .bias_regularizer = keras_regularizer(fields, "bias_regularizer"),
                  .activity_regularizer = keras_regularizer(fields, "activity_regularizer"),
                  .kernel_constraint = keras_constraint(fields, "kernel_constraint", 2),
                  .bias_constraint = keras_constraint(fields, "bias_constraint", 1)});
    }
    if (type != "Conv2D") fields.refuse("is of unknown type", type);
    return checked(Conv2D{.filters = fields.at("filters"),
                          .kernel_size = extent("kernel_size"),
                          .strides = fields.has("strides") ? extent("strides") : Extent2D(1),
                          .padding = padding(),
                          .activation = keras_activation(fields.at("activation")),
                          .kernel_regularizer = keras_regularizer(fields, "kernel_regularizer"),
                          .activity_regularizer = keras_regularizer(fields, "activity_regularizer"),
                          .kernel_constraint = keras_constraint(fields, "kernel_constraint", 4)});
}

inline LossDeclaration<double, Cpu> keras_loss(const nlohmann::json& json) {
    KerasFields fields("loss", json);
    const std::string type = fields.at("type");
    const bool from_logits = fields.value("from_logits", false);
    const bool smooths = type == "BinaryCrossentropy" || type == "CategoricalCrossentropy";
    const double smoothing = smooths ? fields.value("label_smoothing", 0.0) : 0;
    fields.require_all_known();
    if (type == "MeanSquaredError" && !from_logits) return MeanSquaredError{};
    if (type == "BinaryCrossentropy") {
        return BinaryCrossentropy{.from_logits = from_logits, .label_smoothing = smoothing};
    }
    if (type == "CategoricalCrossentropy") {
        return CategoricalCrossentropy{.from_logits = from_logits, .label_smoothing = smoothing};
    }
    if (type != "SparseCategoricalCrossentropy") fields.refuse("is of unknown type", type);
    return SparseCategoricalCrossentropy{.from_logits = from_logits};
}

/// The schedule that {"type": ..., "options": {...}} stands for.
inline Schedule keras_schedule(const nlohmann::json& json) {
    KerasFields fields("schedule", json);
    const std::string type = fields.at("type");
    KerasFields options(type, fields.at("options"));
    fields.require_all_known();
    const auto checked = [&](const auto& schedule) -> Schedule {
        options.require_all_known();
        return schedule;
    };
    if (type == "PiecewiseConstantDecay") {
        return checked(PiecewiseConstantDecay{
            .boundaries = options.at("boundaries").get<std::vector<std::int64_t>>(),
            .values = options.at("values").get<std::vector<double>>()});
    }
    const double initial = options.at("initial_learning_rate");
    const std::int64_t steps = options.at("decay_steps");
    if (type == "ExponentialDecay") {
        return checked(ExponentialDecay{.initial_learning_rate = initial,
                                        .decay_steps = steps,
                                        .decay_rate = options.at("decay_rate"),
                                        .staircase = options.at("staircase")});
    }
    if (type == "CosineDecay") {
        CosineDecay cosine{.initial_learning_rate = initial,
                           .decay_steps = steps,
                           .alpha = options.at("alpha"),
                           .warmup_steps = options.at("warmup_steps")};
        if (options.has("warmup_target")) cosine.warmup_target = options.at("warmup_target");
        return checked(cosine);
    }
    if (type != "PolynomialDecay") fields.refuse("is of unknown type", type);
    if (options.at("cycle") == true) fields.refuse("starts over again:", type);
    return checked(PolynomialDecay{.initial_learning_rate = initial,
                                   .decay_steps = steps,
                                   .end_learning_rate = options.at("end_learning_rate"),
                                   .power = options.at("power")});
}

/// Optimiser, schedule and limits of gradients that {"type": ..., "options": {...}} stands for,
/// with the loss.
inline TrainerOptions<double, Cpu> keras_compile(const nlohmann::json& optimizer,
                                                 const nlohmann::json& loss) {
    KerasFields fields("optimizer", optimizer);
    const std::string type = fields.at("type");
    KerasFields options(type, fields.at("options"));
    fields.require_all_known();
    TrainerOptions<double, Cpu> result{.loss = keras_loss(loss)};
    double learning_rate = 1;
    if (const auto& rate = options.at("learning_rate"); rate.is_object()) {
        result.learning_rate_schedule = keras_schedule(rate);
    } else {
        learning_rate = rate;
    }
    if (type == "Adam") {
        result.optimizer = Adam{.learning_rate = learning_rate,
                                .beta_1 = options.at("beta_1"),
                                .beta_2 = options.at("beta_2"),
                                .epsilon = options.at("epsilon")};
    } else if (type == "AdamW") {
        result.optimizer = AdamW{.learning_rate = learning_rate,
                                 .weight_decay = options.at("weight_decay"),
                                 .beta_1 = options.at("beta_1"),
                                 .beta_2 = options.at("beta_2"),
                                 .epsilon = options.at("epsilon")};
    } else if (type == "RMSprop") {
        result.optimizer = RMSprop{.learning_rate = learning_rate,
                                   .rho = options.at("rho"),
                                   .momentum = options.at("momentum"),
                                   .epsilon = options.at("epsilon"),
                                   .centered = options.at("centered")};
    } else if (type == "SGD") {
        result.optimizer = SGD{.learning_rate = learning_rate,
                               .momentum = options.at("momentum"),
                               .nesterov = options.value("nesterov", false)};
    } else {
        fields.refuse("is of unknown type", type);
    }
    result.clipping = {.value = options.value("clipvalue", 0.0),
                       .global_norm = options.value("global_clipnorm", 0.0)};
    options.require_all_known();
    return result;
}

/// Keras's mode, which is auto where there is none.
inline Better keras_better(KerasFields& fields) {
    if (!fields.has("mode")) return Better::automatic;
    return fields.at("mode") == "max" ? Better::higher : Better::lower;
}

inline EarlyStopping keras_early_stopping(KerasFields& fields) {
    return {.monitor = fields.at("monitor"),
            .patience = fields.at("patience"),
            .min_delta = fields.at("min_delta"),
            .better = keras_better(fields),
            .restore_best_weights = fields.at("restore_best_weights")};
}

inline ReduceLROnPlateau keras_reduce_lr_on_plateau(KerasFields& fields) {
    return {.monitor = fields.at("monitor"),
            .factor = fields.at("factor"),
            .patience = fields.at("patience"),
            .min_delta = fields.at("min_delta"),
            .cooldown = fields.at("cooldown"),
            .min_learning_rate = fields.at("min_lr"),
            .better = keras_better(fields)};
}

/// Gives all parameters those values, in Keras's order.
inline void set_keras_weights(Model<double>& model, const nlohmann::json& weights) {
    if (weights.size() != model.parameters().size()) {
        throw std::runtime_error(concat("Keras's model has ", weights.size(), " weights, expected ",
                                        model.parameters().size()));
    }
    for (std::size_t p = 0; p < weights.size(); ++p) {
        const ParameterInfo& parameter = model.parameters()[p];
        const auto values = reference_tensor(weights[p]);
        if (values.shape() != parameter.slot.shape) {
            throw std::runtime_error(concat(parameter.name, " has shape ", parameter.slot.shape,
                                            ", Keras's weight ", p, " has ", values.shape()));
        }
        std::ranges::copy(values, model.view(parameter.slot).begin());
    }
}

/// A model of those layers, with those weights, in Keras's order.
inline Sequential<double> keras_model(const nlohmann::json& layers, const nlohmann::json& weights,
                                      const Shape& input_shape) {
    Sequential<double> model;
    for (const auto& layer : layers) model.add(keras_layer(layer));
    model.build(input_shape);
    set_keras_weights(model, weights);
    return model;
}

}  // namespace weft
