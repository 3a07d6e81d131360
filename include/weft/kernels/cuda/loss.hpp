/// \file
/// Losses on a GPU. The contracts are those of kernels/cpu, and they add to the sums that the losses ask
/// for, as those of kernels/fused.hpp.
#pragma once

#include "weft/core/cuda.hpp"
#include "weft/core/tensor_view.hpp"
#include "weft/kernels/loss.hpp"
#include "weft/kernels/score.hpp"

namespace weft::kernels {

template <class Scalar>
void sparse_softmax_crossentropy(Cuda& device, TensorView<const Scalar, Cuda> logits,
                                 TensorView<const Scalar, Cuda> labels, Scalar scale,
                                 const ScoredLosses<Scalar, Cuda>& losses,
                                 TensorView<Scalar, Cuda> probabilities,
                                 TensorView<Scalar, Cuda> gradient);

template <class Scalar>
void softmax_crossentropy(Cuda& device, TensorView<const Scalar, Cuda> logits,
                          SmoothedTargets<Scalar> targets, Scalar scale,
                          const ScoredLosses<Scalar, Cuda>& losses,
                          TensorView<Scalar, Cuda> probabilities,
                          TensorView<Scalar, Cuda> gradient);

template <class Scalar>
void categorical_crossentropy(Cuda& device, TensorView<const Scalar, Cuda> probabilities,
                              SmoothedTargets<Scalar> targets, Scalar scale,
                              const ScoredLosses<Scalar, Cuda>& losses,
                              TensorView<Scalar, Cuda> gradient);

template <class Scalar>
void sparse_categorical_crossentropy(Cuda& device, TensorView<const Scalar, Cuda> probabilities,
                                     TensorView<const Scalar, Cuda> labels, Scalar scale,
                                     const ScoredLosses<Scalar, Cuda>& losses,
                                     TensorView<Scalar, Cuda> gradient);

template <class Scalar>
void sigmoid_crossentropy(Cuda& device, TensorView<const Scalar, Cuda> logits,
                          SmoothedTargets<Scalar> targets, Scalar scale,
                          const ScoredLosses<Scalar, Cuda>& losses,
                          TensorView<Scalar, Cuda> probabilities,
                          TensorView<Scalar, Cuda> gradient);

template <class Scalar>
void binary_crossentropy(Cuda& device, TensorView<const Scalar, Cuda> probabilities,
                         SmoothedTargets<Scalar> targets, Scalar scale,
                         const ScoredLosses<Scalar, Cuda>& losses,
                         TensorView<Scalar, Cuda> gradient);

template <class Scalar>
void mean_squared_error(Cuda& device, TensorView<const Scalar, Cuda> predictions,
                        TensorView<const Scalar, Cuda> targets, Scalar scale,
                        const ScoredLosses<Scalar, Cuda>& losses,
                        TensorView<Scalar, Cuda> gradient);

template <class Scalar>
void add_score(Cuda& device, const ScoredLosses<Scalar, Cuda>& losses);

/// The kernels above have done it.
template <class Scalar>
void finish_score(Cuda&, const ScoredLosses<Scalar, Cuda>&) {}

}  // namespace weft::kernels
