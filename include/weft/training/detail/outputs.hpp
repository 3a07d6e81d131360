/// \file
/// Training with several inputs and outputs: their data, names and scores.
#pragma once

#include "weft/data/dataset.hpp"
#include "weft/kernels/step.hpp"
#include "weft/model/model.hpp"
#include "weft/training/fit_options.hpp"

namespace weft::detail {

/// The shapes of the targets of all outputs.
template <class Scalar, class Device>
WEFT_COLD std::vector<Shape> target_shapes(const Model<Scalar, Device>& model,
                                           const LossList<Scalar, Device>& losses) {
    std::vector<Shape> shapes(losses.size());
    for (std::size_t k = 0; k < losses.size(); ++k) {
        shapes[k] = losses[k]->target_shape(model.output_shapes()[k]);
    }
    return shapes;
}

/// For each output, whether its loss takes the logits, the input of the last activation.
template <class Scalar, class Device>
WEFT_COLD std::vector<bool> fused_losses(const Model<Scalar, Device>& model,
                                         const LossList<Scalar, Device>& losses) {
    std::vector<bool> fuses(losses.size());
    for (std::size_t k = 0; k < losses.size(); ++k) {
        fuses[k] = losses[k]->fuses(model.last_activation(k));
    }
    return fuses;
}

/// The largest number of elements per sample of any output, or of its rows of losses.
WEFT_COLD inline Index largest_of(const std::vector<Shape>& shapes, Index (*size)(const Shape&)) {
    Index largest = 0;
    for (const Shape& shape : shapes) largest = (std::max)(largest, size(shape));
    return largest;
}

/// The names of the outputs in options and scores.
template <class Scalar, class Device>
WEFT_COLD std::vector<std::string> output_names(const Model<Scalar, Device>& model,
                                                const TrainerOptions<Scalar, Device>& options) {
    std::vector<std::string> names = model.output_names();
    if (options.output_names.size() != names.size()) return names;
    for (std::size_t k = 0; k < names.size(); ++k) names[k] = options.output_names[k];
    return names;
}

/// Puts options by name into the order of the outputs. Throws ArgumentError for unknown names.
template <class Scalar, class Device>
WEFT_COLD void put_in_order(TrainerOptions<Scalar, Device>& options,
                            const Model<Scalar, Device>& model) {
    const std::vector<std::string> outputs = output_names(model, options);
    options.loss.put_in_order(outputs, "trainer: loss");
    options.loss_weights.put_in_order(outputs, "trainer: loss_weights");
    options.output_metrics.put_in_order(outputs, "trainer: output_metrics");
}

/// The model's input or output for each input and target of the data. Throws ArgumentError for
/// names that the model does not have.   of: "fit: the data"
template <class Scalar, class Device>
WEFT_COLD std::shared_ptr<const ColumnOrder> column_order(
    const Dataset<Scalar>& data, const Model<Scalar, Device>& model,
    const TrainerOptions<Scalar, Device>& options, std::string_view of) {
    return data.order(model.input_names(), output_names(model, options), of);
}

/// The inputs or targets of a batch: (n, shape...) of each, one after another in the order of the
/// data.
template <class Scalar, class Device>
class Parts {
public:
    using ConstView = TensorView<const Scalar, Device>;

    /// shapes: the model's. order: the place of each of the data's among them; null: the same
    /// order.
    WEFT_COLD Parts(const std::vector<Shape>& shapes, const std::vector<std::size_t>* order)
        : shapes_(shapes), order_(order), views_(shapes.size()) {
        for (std::size_t i = 0; i < shapes.size(); ++i) shapes_[i] = shapes[place(i)];
    }

    bool is_one() const { return shapes_.size() == 1; }

    /// Adds the columns of which a batch of n is made. all: the same of `count` samples, as Scalars
    /// or as bytes.
    template <class X>
    WEFT_COLD void add_columns(const X* all, Index count, bool is_checked, Scalar* batch, Index n,
                               std::vector<kernels::GatheredColumns<Scalar>>& columns) const {
        for (const Shape& shape : shapes_) {
            columns.push_back({nullptr, shape.size(), shape.size(), batch, is_checked});
            if constexpr (std::same_as<X, Scalar>) {
                columns.back().x = all;
            } else {
                columns.back().bytes = all;
            }
            all += count * shape.size();
            batch += n * shape.size();
        }
    }

    /// The n samples of each, in the model's order.
    WEFT_COLD Span<const ConstView> views(const Scalar* batch, Index n) {
        for (std::size_t i = 0; i < shapes_.size(); ++i) {
            views_[place(i)] = ConstView(batch, shapes_[i].batch(n));
            batch += n * shapes_[i].size();
        }
        return views_;
    }

private:
    std::size_t place(std::size_t i) const { return order_ == nullptr ? i : (*order_)[i]; }

    std::vector<Shape> shapes_;  ///< in the order of the data
    const std::vector<std::size_t>* order_;
    std::vector<ConstView> views_;
};

/// The names of the scores, in Keras's order: the loss, the outputs' losses, the metrics.
template <class Scalar, class Device>
WEFT_COLD std::vector<std::string> score_names(const Model<Scalar, Device>& model,
                                               const TrainerOptions<Scalar, Device>& options) {
    std::vector<std::string> names{"loss"}, outputs;
    const bool are_several = options.loss.size() > 1;
    if (are_several || !options.output_names.empty()) outputs = output_names(model, options);
    const auto of_output = [&](std::size_t k, std::string_view score) {
        return outputs.empty() ? std::string(score) : join({outputs[k], "_", score});
    };
    for (std::size_t k = 0; k < options.loss.size() && are_several; ++k) {
        names.push_back(of_output(k, "loss"));
    }
    for (const auto& metric : options.metrics) names.push_back(metric.name());
    for (std::size_t k = 0; k < options.output_metrics.size(); ++k) {
        for (const auto& metric : options.output_metrics[k]) {
            names.push_back(of_output(k, metric.name()));
        }
    }
    return names;
}

/// The names of an epoch's scores, including its validation's if there is one.
WEFT_COLD inline std::vector<std::string> with_validation(const std::vector<std::string>& names,
                                                          bool validates) {
    std::vector<std::string> all;
    for (const std::string_view prefix : {"", "val_"}) {
        if (!prefix.empty() && !validates) break;
        for (const std::string& name : names) all.push_back(join({prefix, name}));
    }
    return all;
}

/// Throws ArgumentError unless each option has one entry per output, and if two scores, including
/// the validation's, have the same name.
template <class Scalar, class Device>
WEFT_COLD void check_outputs(const Model<Scalar, Device>& model,
                             const TrainerOptions<Scalar, Device>& options,
                             bool validates = false) {
    const std::size_t outputs = model.graph().outputs.size();
    const auto require = [&](std::string_view option, std::size_t found, bool may_be_none) {
        if (found == outputs || (may_be_none && found == 0)) return;
        throw ArgumentError(join({"trainer: ", option, " has ", found, " entries, expected ",
                                  outputs, ", one for each output of the model"}));
    };
    require("loss", options.loss.size(), false);
    require("loss_weights", options.loss_weights.size(), true);
    require("output_metrics", options.output_metrics.size(), true);
    require("output_names", options.output_names.size(), true);
    const std::vector<std::string> names = output_names(model, options);
    if (!options.loss.are_for(names) || !options.loss_weights.are_for(names) ||
        !options.output_metrics.are_for(names)) {
        throw ArgumentError(
            "trainer: its options name the outputs of the model that it was made with, but the "
            "model has others now; make another Trainer");
    }
    if (outputs > 1 && !options.metrics.empty()) {
        throw ArgumentError(
            "trainer: metrics is for one output; write .output_metrics = {{...}, {...}} for "
            "several");
    }
    if (outputs == 1 && !options.loss_weights.empty()) {
        throw ArgumentError("trainer: loss_weights needs several outputs, but the model has one");
    }
    require_distinct("trainer", with_validation(score_names(model, options), validates));
}

/// The index of the first metric's sum: those of the loss, and of several outputs' losses, come
/// first.
template <class Scalar, class Device>
std::size_t first_metric_score(const TrainerOptions<Scalar, Device>& options) {
    return options.loss.size() == 1 ? 1 : options.loss.size() + 1;
}

/// The number of sums of a run's scores.
template <class Scalar, class Device>
std::size_t score_count(const TrainerOptions<Scalar, Device>& options) {
    std::size_t count = first_metric_score(options) + options.metrics.size();
    for (const auto& metrics : options.output_metrics) count += metrics.size();
    return count;
}

}  // namespace weft::detail
