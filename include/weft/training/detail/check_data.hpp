/// \file
/// Whether data fit a model and a loss, checked once before a pass over them.
#pragma once

#include "weft/data/dataset.hpp"
#include "weft/losses/loss.hpp"
#include "weft/model/sequential.hpp"

namespace weft::detail {

/// Throws ArgumentError unless there are samples.   what: "fit: the data"
template <class Scalar>
WEFT_COLD void require_samples(const Examples<Scalar>& examples, std::string_view what) {
    if (!examples || examples->size() == 0) {
        throw ArgumentError(join({what, " has no samples, expected at least 1"}));
    }
}

/// Throws ShapeError or ArgumentError that names what does not fit: other shapes, a target that the
/// loss cannot take. For other data than those of the call, `of` says so: " of validation_data".
template <class Scalar, class Device>
WEFT_COLD void check_data(const Dataset<Scalar>& data, const Model<Scalar, Device>& model,
                          const LossDeclaration<Scalar, Device>& loss, std::string_view of = {}) {
    const Shape input = data.input_shape(), target = data.target_shape();
    if (input != model.input_shape()) {
        throw ShapeError(
            join({model.layer_name(0), ": input", of, " has shape ", input.to_batch_string(),
                  ", expected ", model.input_shape().to_batch_string()}));
    }
    const Shape& output = model.output_shape();
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
    Tensor<Scalar> values(expected);
    for (Index i = 0; i < data.size(); ++i) {
        data.gather({&i, 1}, nullptr, values.data());
        if (const auto complaint = loss->complaint(values, output); !complaint.empty()) {
            throw ArgumentError(
                join({loss.type(), ": target of sample ", i, of, " is ", complaint}));
        }
    }
}

}  // namespace weft::detail
