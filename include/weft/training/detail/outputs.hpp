/// \file
/// Training with several inputs and outputs: what the data have, and the scores.
#pragma once

#include "weft/core/staging.hpp"
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

/// For each output, whether its loss takes the input of its last activation.
template <class Scalar, class Device>
WEFT_COLD std::vector<bool> fused_losses(const Model<Scalar, Device>& model,
                                         const LossList<Scalar, Device>& losses) {
    std::vector<bool> fuses(losses.size());
    for (std::size_t k = 0; k < losses.size(); ++k) {
        fuses[k] = losses[k]->fuses(model.last_activation(k));
    }
    return fuses;
}

/// The elements that any output has for one sample, or its rows of losses.
WEFT_COLD inline Index largest_of(const std::vector<Shape>& shapes, Index (*size)(const Shape&)) {
    Index largest = 0;
    for (const Shape& shape : shapes) largest = (std::max)(largest, size(shape));
    return largest;
}

/// What the outputs are called in options and scores.
template <class Scalar, class Device>
WEFT_COLD std::vector<std::string> output_names(const Model<Scalar, Device>& model,
                                                const TrainerOptions<Scalar, Device>& options) {
    std::vector<std::string> names = model.output_names();
    if (options.output_names.size() != names.size()) return names;
    for (std::size_t k = 0; k < names.size(); ++k) names[k] = options.output_names[k];
    return names;
}

/// Puts what has names of outputs in their order. Throws ArgumentError for other names.
template <class Scalar, class Device>
WEFT_COLD void put_in_order(TrainerOptions<Scalar, Device>& options,
                            const Model<Scalar, Device>& model) {
    const std::vector<std::string> outputs = output_names(model, options);
    options.loss.put_in_order(outputs, "trainer: loss");
    options.loss_weights.put_in_order(outputs, "trainer: loss_weights");
    options.output_metrics.put_in_order(outputs, "trainer: output_metrics");
}

/// Which of the model's each input and target of the data is. Throws ArgumentError for names that
/// are not the model's.   of: "fit: the data"
template <class Scalar, class Device>
WEFT_COLD std::shared_ptr<const ColumnOrder> column_order(
    const Dataset<Scalar>& data, const Model<Scalar, Device>& model,
    const TrainerOptions<Scalar, Device>& options, std::string_view of) {
    return data.order(model.input_names(), output_names(model, options), of);
}

/// Samples that hold several inputs or targets, taken apart: tensors (capacity, shape...), one
/// after another, in the order of the data. Of one alone there is nothing to do, and no memory.
template <class Scalar, class Device>
class Parts {
public:
    using ConstView = TensorView<const Scalar, Device>;

    /// shapes: those of the model's; order: where those of the data are among them, null: likewise
    WEFT_COLD Parts(const std::vector<Shape>& shapes, const std::vector<std::size_t>* order,
                    Index capacity, const Device& device)
        : shapes_(shapes),
          order_(order),
          capacity_(capacity),
          all_(Shape{is_one() ? 0 : capacity * record_shape(shapes).size()}, device),
          views_(shapes.size()) {
        for (std::size_t i = 0; i < shapes.size(); ++i) shapes_[i] = shapes[place(i)];
    }

    bool is_one() const { return shapes_.size() == 1; }

    /// From records (n, all) in memory of the host's.
    WEFT_COLD void take(const Scalar* records, const Device& device, Index n) {
        for (Index i = 0; i < n; ++i) {
            Scalar* part = all_.host().data();
            for (const Shape& shape : shapes_) {
                std::copy_n(records, shape.size(), part + i * shape.size());
                records += shape.size();
                part += capacity_ * shape.size();
            }
        }
        all_.send(device, all_.host().size());
    }

    /// What a batch gathers from records on the device (all, record): whole ones, which are checked if
    /// asked for, and taken apart.
    WEFT_COLD void add_gathered(const Tensor<Scalar, Device>& records, bool is_checked,
                                StagedTensor<Scalar, Device>& whole,
                                std::vector<kernels::GatheredColumns<Scalar>>& batch) {
        const Index row = records.shape().sample().size();
        batch.push_back({records.data(), row, row, whole.data(), is_checked});
        if (is_one()) return;
        const Scalar* from = records.data();
        Scalar* part = all_.data();
        for (const Shape& shape : shapes_) {
            batch.push_back({from, row, shape.size(), part, false});
            from += shape.size();
            part += capacity_ * shape.size();
        }
    }

    /// The n samples of each, in the model's order; `whole` where there is one.
    WEFT_COLD Span<const ConstView> views(StagedTensor<Scalar, Device>& whole, Index n) {
        if (is_one()) {
            views_[0] = whole.slice(0, n);
            return {views_.data(), 1};
        }
        const Scalar* part = all_.slice(0, 0).data();
        for (std::size_t k = 0; k < shapes_.size(); ++k) {
            views_[place(k)] = ConstView(part, shapes_[k].batch(n));
            part += capacity_ * shapes_[k].size();
        }
        return views_;
    }

private:
    std::size_t place(std::size_t i) const { return order_ == nullptr ? i : (*order_)[i]; }

    std::vector<Shape> shapes_;  ///< in the order of the data
    const std::vector<std::size_t>* order_;
    Index capacity_;
    StagedTensor<Scalar, Device> all_;
    std::vector<ConstView> views_;
};

/// Their names, in Keras's order of metrics: the loss, the outputs' losses, and the metrics.
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

/// What an epoch measures, from the names of its scores: those of its validation too, if there is
/// one.
WEFT_COLD inline std::vector<std::string> with_validation(const std::vector<std::string>& names,
                                                          bool validates) {
    std::vector<std::string> all;
    for (const std::string_view prefix : {"", "val_"}) {
        if (!prefix.empty() && !validates) break;
        for (const std::string& name : names) all.push_back(join({prefix, name}));
    }
    return all;
}

/// Throws ArgumentError unless there is a loss for each output, and as many of all else as that;
/// and when two scores have one name, those of a validation counted.
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
            "trainer: metrics are those of one output; write .output_metrics = {{...}, {...}} for "
            "several");
    }
    if (outputs == 1 && !options.loss_weights.empty()) {
        throw ArgumentError("trainer: loss_weights of one output, expected several");
    }
    require_distinct("trainer", with_validation(score_names(model, options), validates));
}

/// Which of the sums is that of the first metric: the loss, and of several outputs theirs, come first.
template <class Scalar, class Device>
std::size_t first_metric_score(const TrainerOptions<Scalar, Device>& options) {
    return options.loss.size() == 1 ? 1 : options.loss.size() + 1;
}

/// How many sums the scores of a run are made of.
template <class Scalar, class Device>
std::size_t score_count(const TrainerOptions<Scalar, Device>& options) {
    std::size_t count = first_metric_score(options) + options.metrics.size();
    for (const auto& metrics : options.output_metrics) count += metrics.size();
    return count;
}

}  // namespace weft::detail
