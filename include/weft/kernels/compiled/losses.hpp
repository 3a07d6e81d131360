/// \file
/// Kernels of losses, metrics and the tally on the CPU, compiled once. The contracts are those of kernels/cpu.
#pragma once

#include "weft/kernels/compiled/choice.hpp"

namespace weft::kernels {
inline namespace WEFT_BUILD_NAMESPACE {
inline namespace calls {  // so that none is taken for the kernel it calls

template <class Scalar>
void sparse_softmax_crossentropy(Cpu& cpu, TensorView<const Scalar> logits,
                                 TensorView<const Scalar> labels, Scalar scale,
                                 TensorView<Scalar> losses, TensorView<Scalar> probabilities,
                                 TensorView<Scalar> gradient) {
    detail::chosen<Scalar>().sparse_softmax_crossentropy(cpu, logits, labels, scale, losses,
                                                         probabilities, gradient);
}

template <class Scalar>
void sparse_categorical_crossentropy(Cpu& cpu, TensorView<const Scalar> probabilities,
                                     TensorView<const Scalar> labels, Scalar scale,
                                     TensorView<Scalar> losses, TensorView<Scalar> gradient) {
    detail::chosen<Scalar>().sparse_categorical_crossentropy(cpu, probabilities, labels, scale,
                                                             losses, gradient);
}

template <class Scalar>
void softmax_crossentropy(Cpu& cpu, TensorView<const Scalar> logits,
                          SmoothedTargets<Scalar> targets, Scalar scale, TensorView<Scalar> losses,
                          TensorView<Scalar> probabilities, TensorView<Scalar> gradient) {
    detail::chosen<Scalar>().softmax_crossentropy(cpu, logits, targets, scale, losses,
                                                  probabilities, gradient);
}

template <class Scalar>
void categorical_crossentropy(Cpu& cpu, TensorView<const Scalar> probabilities,
                              SmoothedTargets<Scalar> targets, Scalar scale,
                              TensorView<Scalar> losses, TensorView<Scalar> gradient) {
    detail::chosen<Scalar>().categorical_crossentropy(cpu, probabilities, targets, scale, losses,
                                                      gradient);
}

template <class Scalar>
void sigmoid_crossentropy(Cpu& cpu, TensorView<const Scalar> logits,
                          SmoothedTargets<Scalar> targets, Scalar scale, TensorView<Scalar> losses,
                          TensorView<Scalar> probabilities, TensorView<Scalar> gradient) {
    detail::chosen<Scalar>().sigmoid_crossentropy(cpu, logits, targets, scale, losses,
                                                  probabilities, gradient);
}

template <class Scalar>
void binary_crossentropy(Cpu& cpu, TensorView<const Scalar> probabilities,
                         SmoothedTargets<Scalar> targets, Scalar scale, TensorView<Scalar> losses,
                         TensorView<Scalar> gradient) {
    detail::chosen<Scalar>().binary_crossentropy(cpu, probabilities, targets, scale, losses,
                                                 gradient);
}

template <class Scalar>
void mean_squared_error(Cpu& cpu, TensorView<const Scalar> predictions,
                        TensorView<const Scalar> targets, Scalar scale, TensorView<Scalar> losses,
                        TensorView<Scalar> gradient) {
    detail::chosen<Scalar>().mean_squared_error(cpu, predictions, targets, scale, losses, gradient);
}

template <class Scalar>
void add_sparse_matches(Cpu& cpu, TensorView<const Scalar> predictions,
                        TensorView<const Scalar> labels, TensorView<double> sum) {
    detail::chosen<Scalar>().add_sparse_matches(cpu, predictions, labels, sum);
}

template <class Scalar>
void add_categorical_matches(Cpu& cpu, TensorView<const Scalar> predictions,
                             TensorView<const Scalar> targets, TensorView<double> sum) {
    detail::chosen<Scalar>().add_categorical_matches(cpu, predictions, targets, sum);
}

template <class Scalar>
void add_binary_matches(Cpu& cpu, TensorView<const Scalar> predictions,
                        TensorView<const Scalar> targets, Scalar threshold,
                        TensorView<double> sum) {
    detail::chosen<Scalar>().add_binary_matches(cpu, predictions, targets, threshold, sum);
}

template <class Scalar>
void add_top_k_matches(Cpu& cpu, TensorView<const Scalar> predictions,
                       TensorView<const Scalar> targets, bool one_hot, Index k,
                       TensorView<double> sum) {
    detail::chosen<Scalar>().add_top_k_matches(cpu, predictions, targets, one_hot, k, sum);
}

template <class Scalar>
void add_losses(Cpu& cpu, TensorView<const Scalar> losses, TensorView<double> sum, double mark,
                double* wrong) {
    detail::chosen<Scalar>().add_losses(cpu, losses, sum, mark, wrong);
}

inline void score_penalties(Cpu& cpu, const double* of_parameters, const double* of_outputs,
                            Index n, Index rows, TensorView<double> sum, double mark,
                            double* wrong) {
    detail::chosen<float>().score_penalties(cpu, of_parameters, of_outputs, n, rows, sum, mark,
                                            wrong);
}

inline void end_batch(Cpu& cpu, TensorView<double> tally) {
    detail::chosen<float>().end_batch(cpu, tally);
}

template <class Scalar>
void check_finite(Cpu& cpu, TensorView<const Scalar> x, double mark, double* wrong,
                  const double* unless = nullptr) {
    detail::chosen<Scalar>().check_finite(cpu, x, mark, wrong, unless);
}

template <class Scalar>
void undo_if_wrong(Cpu& cpu, const double* wrong, TensorView<const Scalar> before,
                   TensorView<Scalar> now) {
    detail::chosen<Scalar>().undo_if_wrong(cpu, wrong, before, now);
}

template <class Scalar>
bool all_finite(Cpu& cpu, TensorView<const Scalar> x) {
    return detail::chosen<Scalar>().all_finite(cpu, x);
}

}  // namespace calls
}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft::kernels
