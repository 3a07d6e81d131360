/// \file
/// The names and sizes of a model's layers and parameters, and checks of its inputs' shapes.
#pragma once

#include "weft/core/contains.hpp"
#include "weft/layers/declaration.hpp"

namespace weft::detail {

/// A / would make the names of parameters ambiguous. Throws ArgumentError.
WEFT_COLD inline void require_no_slash(std::string_view name) {
    if (!contains(name, '/')) return;
    throw ArgumentError(
        join({"model: the name ", name,
              " has a /, expected none: it stands between a model and its layers"}));
}

/// "dense", then "dense_1", "dense_2", ... Throws ArgumentError if the user's name is taken or has
/// a /.
WEFT_COLD inline std::string unique_name(const std::string& name, bool is_given,
                                         const std::vector<std::string>& taken) {
    if (is_given) require_no_slash(name);
    if (!contains(taken, name)) return name;
    if (is_given) {
        throw ArgumentError(join({"model: two layers are named ", name}));
    }
    // One pass over the names: for a file's ten thousand layers, trying number after number would
    // take minutes.
    std::vector<bool> is_taken(taken.size() + 2);
    for (const std::string_view other : taken) {
        if (other.size() < name.size() + 2 || !other.starts_with(name)) continue;
        if (other[name.size()] != '_' || other[name.size() + 1] == '0') continue;
        std::size_t number = 0;
        for (const char c : other.substr(name.size() + 1)) {
            const bool is_digit = c >= '0' && c <= '9' && number < is_taken.size();
            number = is_digit ? 10 * number + static_cast<std::size_t>(c - '0') : is_taken.size();
        }
        if (number < is_taken.size()) is_taken[number] = true;
    }
    std::size_t number = 1;
    while (is_taken[number]) ++number;
    return join({name, "_", static_cast<Index>(number)});
}

/// The parameter with the given name. Throws ArgumentError, which lists all parameters.
WEFT_COLD inline const ParameterInfo& find_parameter(const std::vector<ParameterInfo>& parameters,
                                                     std::string_view name) {
    std::string known;
    for (const ParameterInfo& parameter : parameters) {
        if (parameter.name == name) return parameter;
        known += join({known.empty() ? "" : ", ", parameter.name});
    }
    throw ArgumentError(
        join({"model: no parameter is named ", name, known.empty() ? "" : "; there are ", known}));
}

/// The number of elements of the parameters that are trainable, or that are not.
WEFT_COLD inline Index count_numbers(Span<const ParameterInfo> parameters, bool trainable) {
    Index total = 0;
    for (const ParameterInfo& parameter : parameters) {
        if (parameter.slot.trainable == trainable) total += parameter.slot.shape.size();
    }
    return total;
}

/// An estimate of the multiplications by a layer's parameters for one sample: each is used once per
/// position of the output, which is one for a dense layer and all pixels for a convolution.
WEFT_COLD inline double multiplications(Span<const ParameterInfo> parameters, const Shape& output) {
    const Index places = output.size() / (std::max<Index>)(output.last(), 1);
    const Index numbers = count_numbers(parameters, true) + count_numbers(parameters, false);
    return static_cast<double>(numbers) * static_cast<double>(places);
}

WEFT_COLD [[noreturn]] inline void refuse_several(std::size_t count, std::string_view what) {
    throw ArgumentError(
        join({"model: it has ", static_cast<Index>(count), " ", what, ", expected 1; ",
              "input_shapes(), output_shapes() and lists of tensors are for several"}));
}

WEFT_COLD [[noreturn]] inline void refuse_inputs(std::size_t found, std::size_t expected,
                                                 std::string_view model = "model") {
    throw ArgumentError(join({model, ": ", static_cast<Index>(found), " inputs, expected ",
                              static_cast<Index>(expected)}));
}

WEFT_COLD [[noreturn]] inline void refuse_index(std::string_view what, std::size_t i,
                                                std::size_t count) {
    throw ArgumentError(join({"model: ", what, " ", static_cast<Index>(i), ", expected 0 to ",
                              static_cast<Index>(count) - 1}));
}

/// Throws ArgumentError unless i is below their number.
inline void require_index(std::string_view what, std::size_t i, std::size_t count) {
    if (i >= count) refuse_index(what, i, count);
}

/// The shape of the only input or output. Throws ArgumentError if there are several.
inline const Shape& only(const std::vector<Shape>& shapes, std::string_view what) {
    if (shapes.size() != 1) refuse_several(shapes.size(), what);
    return shapes.front();
}

WEFT_COLD inline void require_built(bool is_built) {
    if (is_built) return;
    throw ArgumentError("the model is not built; call build(input_shape) or fit it first");
}

/// what: "the output has"
WEFT_COLD inline void require_shape(std::string_view what, const Shape& found,
                                    const Shape& expected) {
    if (found == expected) return;
    throw ShapeError(join({"model: ", what, " shape ", found, ", expected ", expected}));
}

/// Whether x has the shape of one sample; false for a batch of samples. Throws ShapeError, which
/// names the first layer, when it is neither.
WEFT_COLD inline bool is_one_sample(const Shape& x, const Shape& sample,
                                    std::string_view first_layer) {
    if (x == sample) return true;
    if (x.rank() > 0 && x.sample() == sample) return false;
    // A batch of other samples; or of another rank, perhaps one sample, which is shown as it is.
    const bool is_batch = x.rank() == sample.rank() + 1;
    throw ShapeError(
        join({first_layer, ": input has shape ",
              is_batch ? x.sample().to_batch_string() : x.to_string(), ", expected ",
              sample.to_batch_string(), is_batch ? "" : join({", or of one sample ", sample})}));
}

}  // namespace weft::detail
