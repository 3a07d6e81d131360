/// \file
/// save_model and load_model: a whole model in one safetensors file, on any device. Programs
/// include model_file.hpp.
#pragma once

#include "weft/io/detail/architecture.hpp"
#include "weft/io/detail/build.hpp"
#include "weft/io/detail/plausible.hpp"
#include "weft/io/weights.hpp"
#include "weft/version.hpp"

#include <filesystem>

namespace weft {

namespace detail {

/// The newest format version that this weft reads, and the one it writes.
inline constexpr int model_format_version = 1;

/// The most levels of JSON in an architecture. A model in a model adds some.
inline constexpr int deepest_architecture = 64;

/// Whether outputs of two builds agree to half of their digits. Another build or processor adds in
/// another order, and its tanh, exp and erf differ in the last digits (Eigen's and the C library's
/// are within 1 to 5 epsilon, with and without EIGEN_FAST_MATH and -ffast-math). Sums of K terms
/// then differ by about sqrt(K) epsilon, and outputs of a dozen layers of thousands of terms by
/// some 1000 epsilon. Real faults (a tensor in another's place, a damaged exponent, another
/// formula) change outputs by some percent. The bound, sqrt(epsilon), lies between: in float it is
/// 2900 epsilon.
template <class Scalar>
WEFT_COLD bool agrees(TensorView<const Scalar> y, TensorView<const Scalar> expected) {
    const auto finite_size = [](Scalar x) { return std::isfinite(x) ? std::abs(x) : Scalar(0); };
    Scalar largest = 0;
    for (const Scalar x : expected) largest = (std::max)(largest, finite_size(x));
    const Scalar bound = largest * std::sqrt(std::numeric_limits<Scalar>::epsilon());
    for (Index i = 0; i < y.size(); ++i) {
        const bool both_odd = !std::isfinite(y[i]) && !std::isfinite(expected[i]);
        if (!both_odd && !(std::abs(y[i] - expected[i]) <= bound)) return false;
    }
    return true;
}

/// The tensor with the given name in a file. Throws IoError unless it has this shape and number
/// type.
template <class Scalar>
WEFT_COLD Tensor<Scalar> read_tensor(SafetensorsFile& file, std::string_view name,
                                     const Shape& shape) {
    const SafetensorsEntry* entry = file.find(name);
    file.require(entry != nullptr, concat("has no ", name));
    file.require(
        entry->dtype == safetensors_dtype<Scalar>(),
        concat("holds numbers of type ", entry->dtype, ", not ", safetensors_dtype<Scalar>(),
               ": load_model<float> reads F32, "
               "load_model<double> F64"));
    file.require(entry->shape == shape,
                 concat(name, " has shape ", entry->shape, ", expected ", shape));
    file.require(entry->size_bytes == static_cast<std::uint64_t>(shape.size()) * sizeof(Scalar),
                 concat(name, " takes ", entry->size_bytes, " bytes"));
    Tensor<Scalar> tensor(shape);
    file.read(*entry, tensor.data());
    return tensor;
}

/// "self_test/input", then "self_test/input_1" and so on; likewise "output".
WEFT_COLD inline std::string self_test_name(std::string_view what, std::size_t k) {
    return k == 0 ? concat(self_test_prefix, what) : concat(self_test_prefix, what, "_", k);
}

/// The outputs for one sample.
template <class Scalar, class Device>
WEFT_COLD std::vector<Tensor<Scalar>> predict_one(const Model<Scalar, Device>& model,
                                                  const std::vector<Tensor<Scalar>>& inputs) {
    std::vector<Tensor<Scalar>> outputs;
    if (model.input_shapes().size() == 1 && model.output_shapes().size() == 1) {
        outputs.push_back(model.predict(inputs.front()));
        return outputs;
    }
    std::vector<TensorView<const Scalar>> batches;
    for (const Tensor<Scalar>& input : inputs) {
        batches.push_back(input.view().reshape(input.shape().batch(1)));
    }
    for (const Tensor<Scalar>& output : predict_on_host(model, batches)) {
        outputs.emplace_back(output.view().reshape(output.shape().sample()));
    }
    return outputs;
}

/// What computes the outputs of a self-test: load_model has a device without options, and the model's own
/// may round products otherwise.
template <class Device>
WEFT_COLD Device self_test_device(const Device& device) {
    if constexpr (Device::is_host) {
        return Device();
    } else {
        return device.without_options();
    }
}

/// The same, on that device.
template <class Scalar, class Device>
WEFT_COLD std::vector<Tensor<Scalar>> self_test_outputs(const Model<Scalar, Device>& model,
                                                        const Device& device,
                                                        const std::vector<Tensor<Scalar>>& inputs) {
    if constexpr (!Device::is_host) {
        Model<Scalar, Device> copy = model;
        copy.set_device(device);
        return predict_one(copy, inputs);
    } else {
        return predict_one(model, inputs);
    }
}

/// Throws IoError unless save_model wrote the file, in a version that this weft reads.
void require_model_file(const SafetensorsFile& file);

}  // namespace detail

/// Writes a built model to one safetensors file, from which load_model restores it:
///
///   tensors    every parameter by name, as save_weights writes it; self_test/input, one sample
///              of random numbers in [0, 1); and self_test/output, the model's output for it,
///              as a device without options computes it
///   metadata   format: weft, format_version: 1, build: text about the build that computed
///              self_test/output, and architecture: JSON, which Keras's model_from_json reads too
///
/// `own` lists the types of layers that are not weft's; they need a visit_fields (see LayerFields).
/// At any moment the path has the old file or the whole new one. Throws IoError when it cannot be
/// written; ArgumentError when the model is not built, has a layer of unknown type or an option
/// that is not finite.
template <class Scalar, class Device>
WEFT_COLD void save_model(const Model<Scalar, Device>& model, const std::filesystem::path& path,
                          const std::vector<LayerFormat<Scalar, Device>>& own = {}) {
    model.parameters();  // throws unless it is built
    const auto arena = on_host<Scalar>(model.device(), model.arena());
    auto tensors = detail::weights_of<Scalar, Device>(model, arena);
    for (const detail::SafetensorsSource& tensor : tensors) {
        if (tensor.name.starts_with(detail::self_test_prefix)) {
            throw ArgumentError(
                concat("save_model: files reserve the name ", tensor.name, "; rename the layer"));
        }
    }
    std::vector<Tensor<Scalar>> inputs;
    const RandomStream random(2026, RandomPurpose::user);
    std::uint64_t drawn = 0;
    for (const Shape& shape : model.input_shapes()) {
        for (Scalar& x : inputs.emplace_back(shape))
            x = static_cast<Scalar>(random.uniform(drawn++));
    }
    const std::string architecture = detail::write_architecture(model, own);
    detail::parse_json(architecture, detail::deepest_architecture,
                       "save_model: the architecture");  // throws as load_model would
    const Device device = detail::self_test_device(model.device());
    const std::vector<Tensor<Scalar>> outputs = detail::self_test_outputs(model, device, inputs);
    for (std::size_t k = 0; k < inputs.size(); ++k) {
        tensors.push_back(detail::source_of<Scalar>(detail::self_test_name("input", k), inputs[k]));
    }
    for (std::size_t k = 0; k < outputs.size(); ++k) {
        tensors.push_back(
            detail::source_of<Scalar>(detail::self_test_name("output", k), outputs[k]));
    }
    detail::write_safetensors(path, tensors,
                              {{"format", "weft"},
                               {"format_version", std::to_string(detail::model_format_version)},
                               {"build", detail::build_text<Scalar>(device)},
                               {"architecture", architecture}},
                              "save_model");
}

/// What load_model checks.
struct LoadModelOptions {
    bool self_test = true;          ///< compute self_test/output again and compare
    bool allow_non_finite = false;  ///< accept NaNs and infinities in parameters
};

/// Loads a model that save_model wrote, with its parameters. The program need not know its layers.
///
///   const Model<float> model = load_model<float>("model.safetensors");
///
/// It converts to a Sequential if it is a chain. Scalar must be that of the saved model. `own`
/// lists the types of layers that are not weft's. The self-test compares the model's output with
/// that in the file: bit for bit if the build is the same (weft, Eigen and its options, compiler,
/// instruction set, C library, and a checksum of its arithmetic), else to half of the digits.
/// Memory use is bounded by the size of the file. Throws IoError, which names the file, if it is
/// damaged or of a newer format, has a layer of unknown type or a parameter that is not finite, or
/// fails the self-test.
template <class Scalar, class Device = Cpu>
WEFT_COLD Model<Scalar, Device> load_model(const std::filesystem::path& path,
                                           const std::vector<LayerFormat<Scalar, Device>>& own = {},
                                           const LoadModelOptions& options = {}) {
    detail::SafetensorsFile file(path);
    detail::require_model_file(file);
    const detail::Json architecture =
        detail::parse_json(file.metadata("architecture"), detail::deepest_architecture,
                           concat(file.name(), ": its architecture"));
    const detail::GraphText text = detail::read_graph(architecture, file.name());
    std::vector<Shape> input_shapes;
    std::vector<Tensor<Scalar>> inputs;
    for (const detail::LayerText& input : text.inputs) {
        input_shapes.push_back(detail::read_input_layer(input));
        inputs.push_back(detail::read_tensor<Scalar>(
            file, detail::self_test_name("input", inputs.size()), input_shapes.back()));
    }

    // Checked first: the file must have as many outputs as the model.
    for (std::size_t k = 0; k < text.outputs.size(); ++k) {
        const std::string name = detail::self_test_name("output", k);
        file.require(file.find(name) != nullptr, concat("has no ", name));
    }

    Model<Scalar, Device> model;
    try {
        Graph<Scalar, Device> graph = detail::graph_of<Scalar, Device>(text, own, file.name());
        detail::require_plausible(file, graph, input_shapes);
        model = Model<Scalar, Device>(std::move(graph));
    } catch (const IoError&) {
        throw;
    } catch (const Error& error) {
        throw IoError(concat(file.name(), ": ", error.what()));
    }
    write_on_host(model.device(), model.arena(), [&](TensorView<Scalar> arena) {
        const WeightsReport report = detail::read_weights(file, model, arena.data());
        file.require(report.is_complete(), report.to_string());
        if (options.allow_non_finite) return;
        detail::require_finite<Scalar, Device>(file, model, arena.data(), report.loaded,
                                               "load_model(path, {}, {.allow_non_finite = true})");
    });
    if (options.self_test) {
        std::vector<Tensor<Scalar>> all_expected;  // before outputs are allocated
        for (const Shape& shape : model.output_shapes()) {
            all_expected.push_back(detail::read_tensor<Scalar>(
                file, detail::self_test_name("output", all_expected.size()), shape));
        }
        const std::vector<Tensor<Scalar>> outputs = detail::predict_one(model, inputs);
        const bool same_bits = detail::gives_same_bits<Scalar, Device>(file.metadata("build"));
        for (std::size_t k = 0; k < outputs.size(); ++k) {
            const Tensor<Scalar>&output = outputs[k], &expected = all_expected[k];
            const auto size_bytes = static_cast<std::size_t>(output.size()) * sizeof(Scalar);
            const bool holds = same_bits
                                   ? std::memcmp(output.data(), expected.data(), size_bytes) == 0
                                   : detail::agrees<Scalar>(output, expected);
            file.require(holds,
                         concat("fails its self-test: the output differs from that saved by ",
                                file.metadata("build"),
                                "; load_model(path, {}, {.self_test = false}) takes it"));
        }
    }
    return model;
}

// Compiled in src/io/io.cpp.
extern template void save_model(const Model<float, Cpu>&, const std::filesystem::path&,
                                const std::vector<LayerFormat<float, Cpu>>&);
extern template Model<float, Cpu> load_model<float, Cpu>(
    const std::filesystem::path&, const std::vector<LayerFormat<float, Cpu>>&,
    const LoadModelOptions&);

}  // namespace weft
