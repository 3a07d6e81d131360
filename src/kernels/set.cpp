// The CPU's kernels for one instruction set. It is compiled for each.
#include "sets.hpp"
#include "weft/kernels/cpu/kernels.hpp"

namespace weft::kernels {
inline namespace WEFT_BUILD_NAMESPACE {
namespace detail {
namespace {

template <class Scalar>
constexpr CpuKernels<Scalar> compiled_kernels() {
    return {
        .copy_elements = copy_elements<Scalar>,
        .add_elements = add_elements<Scalar>,
        .multiply_elements = multiply_elements<Scalar>,
        .copy_columns = copy_columns<Scalar>,
        .gather_samples = gather_samples<Scalar>,
        .gather_samples_of_bytes = gather_samples<Scalar>,
        .copy_next_row = copy_next_row,
        .transpose_samples = transpose_samples<Scalar>,
        .pad_images = pad_images<Scalar>,
        .crop_images = crop_images<Scalar>,
        .dense_forward = dense_forward<Scalar>,
        .dense_backward = dense_backward<Scalar>,
        .convolution_forward = convolution_forward<Scalar>,
        .convolution_input_gradient = convolution_input_gradient<Scalar>,
        .convolution_filter_gradient = convolution_filter_gradient<Scalar>,
        .column_sums = column_sums<Scalar>,
        .activation_forward = activation_forward<Scalar>,
        .activation_backward = activation_backward<Scalar>,
        .activation_backward_from_input = activation_backward_from_input<Scalar>,
        .scale_and_offset = scale_and_offset<Scalar>,
        .max_pool_forward = max_pool_forward<Scalar>,
        .max_pool_forward_wide = max_pool_forward<Scalar>,
        .max_pool_backward = max_pool_backward<Scalar>,
        .max_pool_backward_wide = max_pool_backward<Scalar>,
        .max_pool_forward_normalizing = max_pool_forward_normalizing<Scalar>,
        .max_pool_backward_normalizing = max_pool_backward_normalizing<Scalar>,
        .average_pool_forward = average_pool_forward<Scalar>,
        .average_pool_backward = average_pool_backward<Scalar>,
        .batch_norm_forward = batch_norm_forward<Scalar>,
        .batch_norm_apply = batch_norm_apply<Scalar>,
        .batch_norm_inference = batch_norm_inference<Scalar>,
        .batch_norm_backward = batch_norm_backward<Scalar>,
        .dropout_forward = dropout_forward<Scalar>,
        .dropout_backward = dropout_backward<Scalar>,
        .sparse_softmax_crossentropy = sparse_softmax_crossentropy<Scalar>,
        .sparse_categorical_crossentropy = sparse_categorical_crossentropy<Scalar>,
        .softmax_crossentropy = softmax_crossentropy<Scalar>,
        .categorical_crossentropy = categorical_crossentropy<Scalar>,
        .sigmoid_crossentropy = sigmoid_crossentropy<Scalar>,
        .binary_crossentropy = binary_crossentropy<Scalar>,
        .mean_squared_error = mean_squared_error<Scalar>,
        .add_sparse_matches = add_sparse_matches<Scalar>,
        .add_categorical_matches = add_categorical_matches<Scalar>,
        .add_binary_matches = add_binary_matches<Scalar>,
        .add_top_k_matches = add_top_k_matches<Scalar>,
        .add_losses = add_losses<Scalar>,
        .score_penalties = score_penalties,
        .end_batch = end_batch,
        .check_finite = check_finite<Scalar>,
        .undo_if_wrong = undo_if_wrong<Scalar>,
        .all_finite = all_finite<Scalar>,
        .sgd_update = sgd_update<Scalar>,
        .momentum_update = momentum_update<Scalar>,
        .rmsprop_update = rmsprop_update<Scalar>,
        .adam_update = adam_update<Scalar>,
        .add_penalty = add_penalty<Scalar>,
        .add_penalty_gradient = add_penalty_gradient<Scalar>,
        .clip_values = clip_values<Scalar>,
        .clip_norm = clip_norm<Scalar>,
        .make_non_negative = make_non_negative<Scalar>,
        .limit_column_norms = limit_column_norms<Scalar>,
        .weight_rows = weight_rows<Scalar>,
    };
}

constinit const CpuKernels<float> of_float = compiled_kernels<float>();
constinit const CpuKernels<double> of_double = compiled_kernels<double>();
constinit const KernelSet set{instruction_set, build_description, &of_float, &of_double};

}  // namespace
}  // namespace detail
}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft::kernels

const weft::kernels::WEFT_BUILD_NAMESPACE::detail::KernelSet* weft_kernel_set() {
    return &weft::kernels::WEFT_BUILD_NAMESPACE::detail::set;
}
