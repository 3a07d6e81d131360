/// \file
/// The kernels that a device needs for weft's models to compute and train on it.
#pragma once

#include "weft/core/tensor.hpp"
#include "weft/kernels/activation.hpp"
#include "weft/kernels/convolution.hpp"
#include "weft/kernels/loss.hpp"
#include "weft/kernels/normalizing.hpp"
#include "weft/kernels/optimizer.hpp"
#include "weft/kernels/tally.hpp"

namespace weft::kernels {

/// Arguments of kernels, one of each type, for the concepts below.
template <class D, class Scalar>
struct KernelArguments {
    D& device;
    TensorView<const Scalar, D> in;
    TensorView<Scalar, D> out;
    const Scalar* from;
    Scalar* to;
    const std::uint8_t* bytes;
    Scalar number;
    Index count;
    double real;
};

/// Memory, and copies to and from it. A copy of a device is the same device, for passes of its own.
/// Two devices whose memory is not the host's are equal if they share it; without_options() is one on
/// the same processor, as a default-constructed device computes.
template <class D>
concept DeviceMemory =
    std::default_initializable<D> && std::copyable<D> &&
    (D::is_host || (std::equality_comparable<D> && requires(const D& device) {
         { device.without_options() } -> std::same_as<D>;
     })) && requires(const D& device, std::size_t size_bytes, typename D::Memory memory) {
        { D::is_host } -> std::convertible_to<bool>;
        { device.allocate(size_bytes) } -> std::same_as<typename D::Memory>;
        { memory.data() } -> std::same_as<std::byte*>;
        requires std::copyable<typename D::Memory>;
    };

template <class D, class Scalar>
concept MovesNumbers = requires(KernelArguments<D, Scalar> a, TensorView<const Scalar> host,
                                TensorView<Scalar> to_host, const std::int32_t* samples,
                                std::int32_t* taken, std::byte* row, void (*body)()) {
    std::string(kernels_build(a.device));
    copy_to_device<Scalar>(a.device, host, a.out);
    copy_to_host<Scalar>(a.device, a.in, to_host);
    copy_elements<Scalar>(a.device, a.in, a.out);
    add_elements<Scalar>(a.device, a.in, a.in, a.out);
    multiply_elements<Scalar>(a.device, a.in, a.in, a.out);
    copy_columns<Scalar>(a.device, a.in, a.count, a.count, a.out, a.count);
    gather_samples(a.device, a.count, a.count, a.from, a.count, samples, samples, a.to);
    gather_samples(a.device, a.count, a.count, a.bytes, a.count, samples, samples, a.to);
    copy_next_row(a.device, a.count, row, taken, row);
    transpose_samples<Scalar>(a.device, a.in, a.out);
    pad_images<Scalar>(a.device, a.in, a.count, a.count, a.out);
    crop_images<Scalar>(a.device, a.in, a.count, a.count, a.out);
    run_pass(a.device, a.real, body);
};

template <class D, class Scalar>
concept ComputesLayers =
    requires(KernelArguments<D, Scalar> a, Activation activation, const Convolution& convolution,
             const Window2D& window, std::uint8_t* taps, std::int32_t* wide_taps,
             const Normalizing<Scalar>& norm, const Dropping& dropping, bool flag) {
        dense_forward<Scalar>(a.device, a.in, a.in, a.in, activation, a.out);
        dense_backward<Scalar>(a.device, a.in, a.in, a.out, a.out, a.out, a.out);
        convolution_forward<Scalar>(a.device, convolution, a.in, a.in, a.in, activation, a.out);
        convolution_input_gradient<Scalar>(a.device, convolution, a.in, a.in, a.out);
        convolution_filter_gradient<Scalar>(a.device, convolution, a.in, a.in, a.out, a.out);
        column_sums<Scalar>(a.device, a.in, a.out);
        activation_forward<Scalar>(a.device, activation, a.in, a.out);
        activation_backward<Scalar>(a.device, activation, a.in, a.in, a.out);
        activation_backward_from_input<Scalar>(a.device, activation, a.in, a.in, a.out);
        scale_and_offset<Scalar>(a.device, a.in, a.number, a.number, a.out);
        max_pool_forward<Scalar>(a.device, window, a.in, a.out, taps);
        max_pool_forward<Scalar>(a.device, window, a.in, a.out, wide_taps);
        max_pool_backward<Scalar>(a.device, window, a.in, a.in, taps, a.out);
        max_pool_backward<Scalar>(a.device, window, a.in, a.in, wide_taps, a.out);
        average_pool_forward<Scalar>(a.device, window, a.in, a.out);
        average_pool_backward<Scalar>(a.device, window, a.in, a.out);
        batch_norm_forward<Scalar>(a.device, norm, a.in, a.out);
        batch_norm_apply<Scalar>(a.device, norm, a.in, a.out);
        batch_norm_inference<Scalar>(a.device, norm, a.in, a.out);
        batch_norm_backward<Scalar>(a.device, norm, a.in, a.in, flag, a.out);
        dropout_forward<Scalar>(a.device, dropping, a.in, a.out);
        dropout_backward<Scalar>(a.device, dropping, a.in, a.out);
    };

template <class D, class Scalar>
concept ComputesLosses =
    requires(KernelArguments<D, Scalar> a, const SmoothedTargets<Scalar>& targets, bool flag,
             TensorView<double, D> sum, double* slot) {
        sparse_softmax_crossentropy<Scalar>(a.device, a.in, a.in, a.number, a.out, a.out, a.out);
        sparse_categorical_crossentropy<Scalar>(a.device, a.in, a.in, a.number, a.out, a.out);
        softmax_crossentropy<Scalar>(a.device, a.in, targets, a.number, a.out, a.out, a.out);
        categorical_crossentropy<Scalar>(a.device, a.in, targets, a.number, a.out, a.out);
        sigmoid_crossentropy<Scalar>(a.device, a.in, targets, a.number, a.out, a.out, a.out);
        binary_crossentropy<Scalar>(a.device, a.in, targets, a.number, a.out, a.out);
        mean_squared_error<Scalar>(a.device, a.in, a.in, a.number, a.out, a.out);
        add_sparse_matches<Scalar>(a.device, a.in, a.in, sum);
        add_categorical_matches<Scalar>(a.device, a.in, a.in, sum);
        add_binary_matches<Scalar>(a.device, a.in, a.in, a.number, sum);
        add_top_k_matches<Scalar>(a.device, a.in, a.in, flag, a.count, sum);
        add_losses<Scalar>(a.device, a.in, sum, a.real, slot);
        score_penalties(a.device, slot, slot, a.count, a.count, sum, a.real, slot);
        end_batch(a.device, sum);
        check_finite<Scalar>(a.device, a.in, a.real, slot, slot);
        undo_if_wrong<Scalar>(a.device, slot, a.in, a.out);
        { all_finite<Scalar>(a.device, a.in) } -> std::same_as<bool>;
    };

template <class D, class Scalar>
concept UpdatesParameters =
    requires(KernelArguments<D, Scalar> a, const DeviceStep<SGDStep<Scalar>>& sgd,
             const DeviceStep<AdamStep<Scalar>>& adam,
             const DeviceStep<RMSpropStep<Scalar>>& rmsprop, bool flag, double* slot) {
        sgd_update<Scalar>(a.device, sgd, a.in, a.out);
        momentum_update<Scalar>(a.device, sgd, flag, a.in, a.out, a.out);
        rmsprop_update<Scalar>(a.device, rmsprop, a.in, a.out, a.out, a.out, a.out);
        adam_update<Scalar>(a.device, adam, a.in, a.out, a.out, a.out);
        add_penalty<Scalar>(a.device, a.in, a.real, a.real, flag, slot);
        add_penalty_gradient<Scalar>(a.device, a.in, a.real, a.real, a.out);
        clip_values<Scalar>(a.device, a.out, a.real);
        clip_norm<Scalar>(a.device, a.out, a.real);
        make_non_negative<Scalar>(a.device, a.out, slot);
        limit_column_norms<Scalar>(a.device, a.out, a.real, slot);
        weight_rows<Scalar>(a.device, a.in, a.out, a.out);
    };

/// All kernels. Their contracts are beside the CPU's, in kernels/cpu. Tensors are views. Pointers are
/// single numbers, what a pass keeps for backward, and tables of records, whose rows lie apart.
template <class D, class Scalar>
concept Device = DeviceMemory<D> && MovesNumbers<D, Scalar> && ComputesLayers<D, Scalar> &&
                 ComputesLosses<D, Scalar> && UpdatesParameters<D, Scalar>;

/// Does not compile for a device that lacks a kernel; the compiler's note names it. Of the CPU,
/// which the tests look after, only whether its kernels are included.
template <class D, class Scalar>
constexpr void require_device() {
    if constexpr (std::same_as<D, Cpu>) {
        static_assert(
            requires(KernelArguments<D, Scalar> a) {
                add_elements<Scalar>(a.device, a.in, a.in, a.out);
            }, "the kernels of the CPU are in weft/weft.hpp and weft/cpu.hpp");
    } else {
        static_assert(DeviceMemory<D>, "the device lacks the memory of kernels/device.hpp");
        static_assert(MovesNumbers<D, Scalar>, "the device lacks a kernel");
        static_assert(ComputesLayers<D, Scalar>, "the device lacks a kernel of layers");
        static_assert(ComputesLosses<D, Scalar>, "the device lacks a kernel of losses or metrics");
        static_assert(UpdatesParameters<D, Scalar>, "the device lacks a kernel of training");
    }
}

}  // namespace weft::kernels
