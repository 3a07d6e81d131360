/// \file
/// Updates of optimisers on a GPU. The contracts are those of kernels/cpu.
#pragma once

#include "weft/core/cuda.hpp"
#include "weft/core/tensor_view.hpp"
#include "weft/kernels/optimizer.hpp"

namespace weft::kernels {

template <class Scalar>
void sgd_update(Cuda& device, const DeviceStep<SGDStep<Scalar>>& step,
                TensorView<const Scalar, Cuda> gradient, TensorView<Scalar, Cuda> parameter);

template <class Scalar>
void momentum_update(Cuda& device, const DeviceStep<SGDStep<Scalar>>& step, bool nesterov,
                     TensorView<const Scalar, Cuda> gradient, TensorView<Scalar, Cuda> velocity,
                     TensorView<Scalar, Cuda> parameter);

template <class Scalar>
void rmsprop_update(Cuda& device, const DeviceStep<RMSpropStep<Scalar>>& step,
                    TensorView<const Scalar, Cuda> gradient, TensorView<Scalar, Cuda> square,
                    TensorView<Scalar, Cuda> average, TensorView<Scalar, Cuda> velocity,
                    TensorView<Scalar, Cuda> parameter);

template <class Scalar>
void adam_update(Cuda& device, const DeviceStep<AdamStep<Scalar>>& step,
                 TensorView<const Scalar, Cuda> gradient, TensorView<Scalar, Cuda> first_moment,
                 TensorView<Scalar, Cuda> second_moment, TensorView<Scalar, Cuda> parameter);

}  // namespace weft::kernels
