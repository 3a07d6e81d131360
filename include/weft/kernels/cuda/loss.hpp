/// \file
/// Losses on a GPU. The contracts are those of kernels/cpu.
#pragma once

#include "weft/core/cuda.hpp"
#include "weft/core/tensor_view.hpp"
#include "weft/kernels/loss.hpp"

namespace weft::kernels {

template <class Scalar>
void sparse_softmax_crossentropy(Cuda& device, TensorView<const Scalar, Cuda> logits,
                                 TensorView<const Scalar, Cuda> labels, Scalar scale,
                                 TensorView<Scalar, Cuda> losses,
                                 TensorView<Scalar, Cuda> probabilities,
                                 TensorView<Scalar, Cuda> gradient);

template <class Scalar>
void softmax_crossentropy(Cuda& device, TensorView<const Scalar, Cuda> logits,
                          SmoothedTargets<Scalar> targets, Scalar scale,
                          TensorView<Scalar, Cuda> losses, TensorView<Scalar, Cuda> probabilities,
                          TensorView<Scalar, Cuda> gradient);

template <class Scalar>
void categorical_crossentropy(Cuda& device, TensorView<const Scalar, Cuda> probabilities,
                              SmoothedTargets<Scalar> targets, Scalar scale,
                              TensorView<Scalar, Cuda> losses, TensorView<Scalar, Cuda> gradient);

template <class Scalar>
void sparse_categorical_crossentropy(Cuda& device, TensorView<const Scalar, Cuda> probabilities,
                                     TensorView<const Scalar, Cuda> labels, Scalar scale,
                                     TensorView<Scalar, Cuda> losses,
                                     TensorView<Scalar, Cuda> gradient);

template <class Scalar>
void sigmoid_crossentropy(Cuda& device, TensorView<const Scalar, Cuda> logits,
                          SmoothedTargets<Scalar> targets, Scalar scale,
                          TensorView<Scalar, Cuda> losses, TensorView<Scalar, Cuda> probabilities,
                          TensorView<Scalar, Cuda> gradient);

template <class Scalar>
void binary_crossentropy(Cuda& device, TensorView<const Scalar, Cuda> probabilities,
                         SmoothedTargets<Scalar> targets, Scalar scale,
                         TensorView<Scalar, Cuda> losses, TensorView<Scalar, Cuda> gradient);

template <class Scalar>
void mean_squared_error(Cuda& device, TensorView<const Scalar, Cuda> predictions,
                        TensorView<const Scalar, Cuda> targets, Scalar scale,
                        TensorView<Scalar, Cuda> losses, TensorView<Scalar, Cuda> gradient);

}  // namespace weft::kernels
