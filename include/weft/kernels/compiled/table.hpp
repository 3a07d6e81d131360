/// \file
/// CpuKernels: the functions of kernels compiled once for each instruction set.
#pragma once

#include "weft/core/random.hpp"
#include "weft/kernels/activation.hpp"
#include "weft/kernels/convolution.hpp"
#include "weft/kernels/loss.hpp"
#include "weft/kernels/normalizing.hpp"
#include "weft/kernels/optimizer.hpp"

#include <cstddef>
#include <cstdint>

namespace weft::kernels {
inline namespace WEFT_BUILD_NAMESPACE {
namespace detail {

/// The CPU's kernels for one instruction set: those of device.hpp, from kernels/cpu.
template <class Scalar>
struct CpuKernels {
    using In = TensorView<const Scalar>;
    using Out = TensorView<Scalar>;

    // ---- Numbers are moved and merged

    void (*copy_elements)(Cpu&, In x, Out y);
    void (*add_elements)(Cpu&, In x, In z, Out y);
    void (*multiply_elements)(Cpu&, In x, In z, Out y);
    void (*copy_columns)(Cpu&, In x, Index from, Index columns, Out y, Index to);
    void (*gather_samples)(Cpu&, Index rows, Index columns, const Scalar* x, Index x_row,
                           const std::int32_t* samples, const std::int32_t* first, Scalar* y);
    void (*gather_samples_of_bytes)(Cpu&, Index rows, Index columns, const std::uint8_t* x,
                                    Index x_row, const std::int32_t* samples,
                                    const std::int32_t* first, Scalar* y);
    void (*copy_next_row)(Cpu&, Index row_bytes, const std::byte* rows, std::int32_t* taken,
                          std::byte* row);
    void (*transpose_samples)(Cpu&, In x, Out y);
    void (*pad_images)(Cpu&, In x, Index top, Index left, Out y);
    void (*crop_images)(Cpu&, In x, Index top, Index left, Out y);

    // ---- Layers

    void (*dense_forward)(Cpu&, In x, In w, In b, Activation activation, Out y);
    void (*dense_backward)(Cpu&, In x, In w, In dz, Out dw, Out db, Out dx);
    void (*convolution_forward)(Cpu&, const Convolution& c, In x, In w, In b, Activation activation,
                                Out y);
    void (*convolution_input_gradient)(Cpu&, const Convolution& c, In g, In w, Out dx);
    void (*convolution_filter_gradient)(Cpu&, const Convolution& c, In x, In g, Out dw, Out db);
    void (*column_sums)(Cpu&, In x, Out sums);
    void (*activation_forward)(Cpu&, Activation activation, In x, Out y);
    void (*activation_backward)(Cpu&, Activation activation, In y, In dy, Out dx);
    void (*activation_backward_from_input)(Cpu&, Activation activation, In x, In dy, Out dx);
    void (*scale_and_offset)(Cpu&, In x, Scalar scale, Scalar offset, Out y);
    void (*max_pool_forward)(Cpu&, const Window2D& window, In x, Out y, std::uint8_t* taps);
    void (*max_pool_forward_wide)(Cpu&, const Window2D& window, In x, Out y, std::int32_t* taps);
    void (*max_pool_backward)(Cpu&, const Window2D& window, In y, In dy, const std::uint8_t* taps,
                              Out dx);
    void (*max_pool_backward_wide)(Cpu&, const Window2D& window, In y, In dy,
                                   const std::int32_t* taps, Out dx);
    void (*max_pool_forward_normalizing)(Cpu&, const Window2D& window,
                                         const Normalizing<Scalar>& norm, const Dropping& dropping,
                                         In x, Out y, std::uint8_t* taps, Scalar* chosen);
    void (*max_pool_backward_normalizing)(Cpu&, const Window2D& window,
                                          const Normalizing<Scalar>& norm, const Dropping& dropping,
                                          bool x_is_relu, In x, Out dy, const std::uint8_t* taps,
                                          const Scalar* chosen, Out dx);
    void (*average_pool_forward)(Cpu&, const Window2D& window, In x, Out y);
    void (*average_pool_backward)(Cpu&, const Window2D& window, In dy, Out dx);
    void (*batch_norm_forward)(Cpu&, const Normalizing<Scalar>& norm, In x, Out y);
    void (*batch_norm_apply)(Cpu&, const Normalizing<Scalar>& norm, In x, Out y);
    void (*batch_norm_inference)(Cpu&, const Normalizing<Scalar>& norm, In x, Out y);
    void (*batch_norm_backward)(Cpu&, const Normalizing<Scalar>& norm, In x, In dy, bool x_is_relu,
                                Out dx);
    void (*dropout_forward)(Cpu&, const Dropping& dropping, In x, Out y);
    void (*dropout_backward)(Cpu&, const Dropping& dropping, In dy, Out dx);

    // ---- Losses, metrics and the tally

    void (*sparse_softmax_crossentropy)(Cpu&, In logits, In labels, Scalar scale, Out losses,
                                        Out probabilities, Out gradient);
    void (*sparse_categorical_crossentropy)(Cpu&, In probabilities, In labels, Scalar scale,
                                            Out losses, Out gradient);
    void (*softmax_crossentropy)(Cpu&, In logits, SmoothedTargets<Scalar> targets, Scalar scale,
                                 Out losses, Out probabilities, Out gradient);
    void (*categorical_crossentropy)(Cpu&, In probabilities, SmoothedTargets<Scalar> targets,
                                     Scalar scale, Out losses, Out gradient);
    void (*sigmoid_crossentropy)(Cpu&, In logits, SmoothedTargets<Scalar> targets, Scalar scale,
                                 Out losses, Out probabilities, Out gradient);
    void (*binary_crossentropy)(Cpu&, In probabilities, SmoothedTargets<Scalar> targets,
                                Scalar scale, Out losses, Out gradient);
    void (*mean_squared_error)(Cpu&, In predictions, In targets, Scalar scale, Out losses,
                               Out gradient);
    void (*add_sparse_matches)(Cpu&, In predictions, In labels, TensorView<double> sum);
    void (*add_categorical_matches)(Cpu&, In predictions, In targets, TensorView<double> sum);
    void (*add_binary_matches)(Cpu&, In predictions, In targets, Scalar threshold,
                               TensorView<double> sum);
    void (*add_top_k_matches)(Cpu&, In predictions, In targets, bool one_hot, Index k,
                              TensorView<double> sum);
    void (*add_losses)(Cpu&, In losses, TensorView<double> sum, double mark, double* wrong);
    void (*score_penalties)(Cpu&, const double* of_parameters, const double* of_outputs, Index n,
                            Index rows, TensorView<double> sum, double mark, double* wrong);
    void (*end_batch)(Cpu&, TensorView<double> tally);
    void (*check_finite)(Cpu&, In x, double mark, double* wrong, const double* unless);
    void (*undo_if_wrong)(Cpu&, const double* wrong, In before, Out now);
    bool (*all_finite)(Cpu&, In x);

    // ---- Updates of parameters

    void (*sgd_update)(Cpu&, const DeviceStep<SGDStep<Scalar>>& step, In gradient, Out parameter);
    void (*momentum_update)(Cpu&, const DeviceStep<SGDStep<Scalar>>& step, bool nesterov,
                            In gradient, Out velocity, Out parameter);
    void (*rmsprop_update)(Cpu&, const DeviceStep<RMSpropStep<Scalar>>& step, In gradient,
                           Out square, Out average, Out velocity, Out parameter);
    void (*adam_update)(Cpu&, const DeviceStep<AdamStep<Scalar>>& step, In gradient,
                        Out first_moment, Out second_moment, Out parameter);
    void (*add_penalty)(Cpu&, In x, double l1, double l2, bool adds, double* sum);
    void (*add_penalty_gradient)(Cpu&, In x, double l1, double l2, Out gradient);
    void (*clip_values)(Cpu&, Out x, double limit);
    void (*clip_norm)(Cpu&, Out x, double limit);
    void (*make_non_negative)(Cpu&, Out w, const double* wrong);
    void (*limit_column_norms)(Cpu&, Out w, double limit, const double* wrong);
    void (*weight_rows)(Cpu&, In weights, Out losses, Out gradient);
};

/// The kernels for float and double, and their build.
struct KernelSet {
    const char* instruction_set;
    const char* build;
    const CpuKernels<float>* of_float;
    const CpuKernels<double>* of_double;
};

}  // namespace detail
}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft::kernels
