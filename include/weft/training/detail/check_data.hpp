/// \file
/// check_data: checks once, before a pass, that data fit a model and a loss.
#pragma once

#include "weft/model/sequential.hpp"
#include "weft/training/detail/outputs.hpp"

namespace weft::detail {

/// Throws ArgumentError unless there are samples.   what: "fit: the data"
template <class Scalar>
WEFT_COLD void require_samples(const Examples<Scalar>& examples, std::string_view what) {
    if (!examples || examples->size() == 0) {
        throw ArgumentError(join({what, " has no samples, expected at least 1"}));
    }
    examples->require_unchanged();
}

WEFT_COLD inline void require_count(std::size_t found, std::size_t expected, std::string_view what,
                                    std::string_view who, std::string_view of) {
    if (found == expected) return;
    throw ArgumentError(join({who, ": the data", of, " have ", static_cast<Index>(found), " ", what,
                              ", expected ", static_cast<Index>(expected)}));
}

/// Checks the targets of one output. first: their place in a sample's targets.
template <class Scalar, class Device>
WEFT_COLD void check_targets(const Dataset<Scalar>& data, const Shape& target,
                             const LossDeclaration<Scalar, Device>& loss, const Shape& output,
                             std::string_view of, Tensor<Scalar>& values, Index first) {
    const Shape expected = loss->target_shape(output);
    // As in Keras, one number per sample may come with or without an axis of its own.
    const auto with_one = [](const Shape& longer, const Shape& shorter) {
        return longer.rank() == shorter.rank() + 1 && longer.last() == 1 &&
               std::equal(shorter.begin(), shorter.end(), longer.begin());
    };
    if (target != expected && !with_one(target, expected) && !with_one(expected, target)) {
        throw ShapeError(join({loss.type(), ": targets", of, " have shape ",
                               target.to_batch_string(), ", expected ", expected.to_batch_string(),
                               " for predictions ", output.to_batch_string()}));
    }
    const TensorView<const Scalar> one(values.data() + first, expected);
    for (Index i = 0; i < data.size(); ++i) {
        data.gather({&i, 1}, nullptr, values.data());
        if (const auto complaint = loss->complaint(one, output); !complaint.empty()) {
            throw ArgumentError(
                join({loss.type(), ": target of sample ", i, of, " is ", complaint}));
        }
    }
}

/// Throws ShapeError or ArgumentError for other shapes, and for a target that the loss cannot take.
/// who: the caller, "fit". of: names data other than the call's, " of validation_data".
template <class Scalar, class Device>
WEFT_COLD void check_data(std::string_view who, const Dataset<Scalar>& data,
                          const Model<Scalar, Device>& model,
                          const TrainerOptions<Scalar, Device>& options, std::string_view of = {}) {
    const std::vector<Shape> inputs = data.input_shapes(), targets = data.target_shapes();
    require_count(inputs.size(), model.input_shapes().size(), "inputs", who, of);
    require_count(targets.size(), options.loss.size(), "targets", who, of);
    const auto order = column_order(data, model, options, join({who, ": the data", of}));
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        const std::size_t k = order ? order->inputs[i] : i;
        const Shape& expected = model.input_shapes()[k];
        if (inputs[i] == expected) continue;
        throw ShapeError(join({inputs.size() == 1 ? model.layer_name(0) : model.input_names()[k],
                               ": input", of, " has shape ", inputs[i].to_batch_string(),
                               ", expected ", expected.to_batch_string()}));
    }
    Tensor<Scalar> values(record_shape(targets));
    Index first = 0;
    for (std::size_t i = 0; i < targets.size(); ++i) {
        const std::size_t k = order ? order->targets[i] : i;
        check_targets<Scalar, Device>(data, targets[i], options.loss[k], model.output_shapes()[k],
                                      of, values, first);
        first += targets[i].size();
    }
}

}  // namespace weft::detail
