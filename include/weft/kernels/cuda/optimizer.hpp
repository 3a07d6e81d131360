/// \file
/// Updates of optimisers on a GPU. The contracts are those of kernels/cpu.
#pragma once

#include "weft/core/cuda.hpp"
#include "weft/core/tensor_view.hpp"
#include "weft/kernels/optimizer.hpp"

namespace weft::kernels {

template <class Scalar>
void sgd_update(Cuda& device, Index count, const DeviceStep<SGDStep<Scalar>>& step,
                const Scalar* gradient, Scalar* parameter);

template <class Scalar>
void momentum_update(Cuda& device, Index count, const DeviceStep<SGDStep<Scalar>>& step,
                     bool nesterov, const Scalar* gradient, Scalar* velocity, Scalar* parameter);

template <class Scalar>
void rmsprop_update(Cuda& device, Index count, const DeviceStep<RMSpropStep<Scalar>>& step,
                    const Scalar* gradient, Scalar* square, Scalar* average, Scalar* velocity,
                    Scalar* parameter);

template <class Scalar>
void adam_update(Cuda& device, Index count, const DeviceStep<AdamStep<Scalar>>& step,
                 const Scalar* gradient, Scalar* first_moment, Scalar* second_moment,
                 Scalar* parameter);

}  // namespace weft::kernels
