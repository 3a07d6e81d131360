/// \file
/// Prediction of any number of samples, in batches.
#pragma once

#include "weft/model/detail/names.hpp"
#include "weft/model/workspace.hpp"

namespace weft::detail {

/// The batch size of predict: small enough for the caches, or large enough to keep a device busy
/// that is not the host.
template <class Device>
inline constexpr Index predict_batch = Device::is_host ? 128 : 1024;

/// ys = f(xs), in a workspace of the pool.   xs[k] (N, input k...)   ys[k] (N, output k...), N > 0
template <class Scalar, class Device, class Model>
WEFT_COLD void predict_batches(const Model& model, WorkspacePool<Scalar, Device>& pool,
                               Span<const TensorView<const Scalar, Device>> xs,
                               Span<const TensorView<Scalar, Device>> ys) {
    const Index samples = xs.front().shape()[0], batch = (std::min)(samples, predict_batch<Device>);
    auto workspace = pool.take(batch);
    if (!workspace) {
        workspace.reset(
            new Workspace<Scalar, Device>(model.make_workspace(batch, PassKind::inference)));
    }
    const Span part(workspace->graph_inputs(), xs.size());
    for (Index first = 0; first < samples; first += batch) {
        const Index count = (std::min)(batch, samples - first);
        for (std::size_t k = 0; k < xs.size(); ++k) part[k] = xs[k].slice(first, count);
        run_pass(workspace->device(), model.work(count), [&] {
            model.forward(*workspace, Span<const TensorView<const Scalar, Device>>(part));
            for (std::size_t k = 0; k < ys.size(); ++k) {
                copy_elements<Scalar>(workspace->device(), model.prediction(*workspace, count, k),
                                      ys[k].slice(first, count));
            }
        });
    }
    pool.give_back(std::move(workspace));
}

/// The number of samples in batches of all inputs. Throws ArgumentError or ShapeError, which names
/// the input, unless the batches fit the model.
template <class View, class Model>
WEFT_COLD Index require_inputs(const std::vector<Shape>& expected, Span<const View> xs,
                               const Model& model) {
    if (xs.size() != expected.size()) refuse_inputs(xs.size(), expected.size());
    const Index samples = xs.front().shape().rank() == 0 ? 0 : xs.front().shape()[0];
    for (std::size_t k = 0; k < xs.size(); ++k) {
        const Shape& shape = xs[k].shape();
        if (shape.rank() == 0 || shape.sample() != expected[k]) {
            throw ShapeError(join({"model: input ", k, ", ", model.input_names()[k], ", has shape ",
                                   shape, ", expected ", expected[k].to_batch_string()}));
        }
        if (shape[0] != samples) {
            throw ShapeError(join({"model: input ", k, ", ", model.input_names()[k], ", has ",
                                   shape[0], " samples, the first has ", samples}));
        }
    }
    return samples;
}
template <class View, class Model>
Index require_inputs(const std::vector<Shape>& expected, const std::vector<View>& xs,
                     const Model& model) {
    return require_inputs(expected, Span<const View>(xs), model);
}

/// Throws likewise for the memory of all outputs.
template <class View, class Model>
WEFT_COLD void require_outputs(const std::vector<Shape>& expected, Span<const View> ys,
                               Index samples, const Model& model) {
    if (ys.size() != expected.size()) {
        throw ArgumentError(
            join({"model: memory for ", ys.size(), " outputs, expected ", expected.size()}));
    }
    for (std::size_t k = 0; k < ys.size(); ++k) {
        if (ys[k].shape() == expected[k].batch(samples)) continue;
        throw ShapeError(join({"model: output ", k, ", ", model.output_names()[k], ", has shape ",
                               ys[k].shape(), ", expected ", expected[k].batch(samples)}));
    }
}

}  // namespace weft::detail
