/// \file
/// Prediction of any number of samples, a batch at a time.
#pragma once

#include "weft/model/workspace.hpp"

namespace weft::detail {

/// Samples that predict runs through the layers at once.
inline constexpr Index predict_batch = 128;

/// y = f(x), in a workspace of the pool.   x (N, input_shape...)   y (N, output_shape...), N > 0
template <class Scalar, class Device, class Model>
WEFT_COLD void predict_batches(const Model& model, WorkspacePool<Scalar, Device>& pool,
                               TensorView<const Scalar, Device> x, TensorView<Scalar, Device> y) {
    const Index samples = x.shape()[0], batch = (std::min)(samples, predict_batch);
    auto workspace = pool.take(batch);
    if (!workspace) {
        workspace = std::make_unique<Workspace<Scalar, Device>>(
            model.make_workspace(batch, PassKind::inference));
    }
    for (Index first = 0; first < samples; first += batch) {
        const Index count = (std::min)(batch, samples - first);
        run_pass(workspace->device(), model.work(count), [&] {
            const auto result = model.forward(*workspace, x.slice(first, count));
            copy_elements<Scalar>(workspace->device(), result, y.slice(first, count));
        });
    }
    pool.give_back(std::move(workspace));
}

}  // namespace weft::detail
