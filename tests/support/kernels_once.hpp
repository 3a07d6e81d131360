/// \file
/// The CPU's kernels, compiled once for all tests (once/float.cpp, once/double.cpp) instead of in each of them.
#pragma once

#include "weft/cpu.hpp"

#define WEFT_KERNELS_ONCE(what, Scalar)                                                            \
    what template void matmul(Cpu&, Index, Index, Index, MatrixOperand<Scalar>,                    \
                              MatrixOperand<Scalar>, Scalar*, Index, const Epilogue<Scalar>&);     \
    what template void multiply_packed(Index, Index, Index, MatrixOperand<Scalar>, const Scalar*,  \
                                       Scalar*, Index, const Epilogue<Scalar>&);                   \
    what template void dense_forward(Cpu&, TensorView<const Scalar>, TensorView<const Scalar>,     \
                                     TensorView<const Scalar>, Activation, TensorView<Scalar>);    \
    what template void dense_backward(Cpu&, TensorView<const Scalar>, TensorView<const Scalar>,    \
                                      TensorView<const Scalar>, TensorView<Scalar>,                \
                                      TensorView<Scalar>, TensorView<Scalar>);                     \
    what template void convolution_forward(Cpu&, const Convolution&, TensorView<const Scalar>,     \
                                           TensorView<const Scalar>, TensorView<const Scalar>,     \
                                           Activation, TensorView<Scalar>);                        \
    what template void convolution_input_gradient(Cpu&, const Convolution&,                        \
                                                  TensorView<const Scalar>,                        \
                                                  TensorView<const Scalar>, TensorView<Scalar>);   \
    what template void convolution_filter_gradient(                                                \
        Cpu&, const Convolution&, TensorView<const Scalar>, TensorView<const Scalar>,              \
        TensorView<Scalar>, TensorView<Scalar>);                                                   \
    what template void column_sums(Cpu&, TensorView<const Scalar>, TensorView<Scalar>);            \
    what template double total(Cpu&, TensorView<const Scalar>);                                    \
    what template bool all_finite(Cpu&, TensorView<const Scalar>);                                 \
    what template void column_moments(Cpu&, TensorView<const Scalar>, TensorView<Scalar>,          \
                                      TensorView<Scalar>);                                         \
    what template void batch_norm_apply(Cpu&, const Normalizing<Scalar>&,                          \
                                        TensorView<const Scalar>, TensorView<Scalar>);             \
    what template void batch_norm_forward(Cpu&, const Normalizing<Scalar>&,                        \
                                          TensorView<const Scalar>, TensorView<Scalar>);           \
    what template void batch_norm_inference(Cpu&, const Normalizing<Scalar>&,                      \
                                            TensorView<const Scalar>, TensorView<Scalar>);         \
    what template void batch_norm_backward(Cpu&, const Normalizing<Scalar>&,                       \
                                           TensorView<const Scalar>, TensorView<const Scalar>,     \
                                           bool, TensorView<Scalar>);                              \
    what template void activation_forward(Cpu&, Activation, TensorView<const Scalar>,              \
                                          TensorView<Scalar>);                                     \
    what template void activation_backward(Cpu&, Activation, TensorView<const Scalar>,             \
                                           TensorView<const Scalar>, TensorView<Scalar>);          \
    what template void activation_backward_from_input(                                             \
        Cpu&, Activation, TensorView<const Scalar>, TensorView<const Scalar>, TensorView<Scalar>); \
    what template void softmax_forward(Cpu&, TensorView<const Scalar>, TensorView<Scalar>);        \
    what template void softmax_backward(Cpu&, TensorView<const Scalar>, TensorView<const Scalar>,  \
                                        TensorView<Scalar>);                                       \
    what template void dropout_forward(Cpu&, const Dropping&, TensorView<const Scalar>,            \
                                       TensorView<Scalar>);                                        \
    what template void dropout_backward(Cpu&, const Dropping&, TensorView<const Scalar>,           \
                                        TensorView<Scalar>);                                       \
    what template void scale_and_offset(Cpu&, TensorView<const Scalar>, Scalar, Scalar,            \
                                        TensorView<Scalar>);                                       \
    what template void max_pool_forward(Cpu&, const Window2D&, TensorView<const Scalar>,           \
                                        TensorView<Scalar>, std::uint8_t*);                        \
    what template void max_pool_forward(Cpu&, const Window2D&, TensorView<const Scalar>,           \
                                        TensorView<Scalar>, std::int32_t*);                        \
    what template void max_pool_backward(Cpu&, const Window2D&, TensorView<const Scalar>,          \
                                         TensorView<const Scalar>, const std::uint8_t*,            \
                                         TensorView<Scalar>);                                      \
    what template void max_pool_backward(Cpu&, const Window2D&, TensorView<const Scalar>,          \
                                         TensorView<const Scalar>, const std::int32_t*,            \
                                         TensorView<Scalar>);                                      \
    what template void max_pool_forward_normalizing(                                               \
        Cpu&, const Window2D&, const Normalizing<Scalar>&, const Dropping&,                        \
        TensorView<const Scalar>, TensorView<Scalar>, std::uint8_t*, Scalar*);                     \
    what template void max_pool_backward_normalizing(                                              \
        Cpu&, const Window2D&, const Normalizing<Scalar>&, const Dropping&, bool,                  \
        TensorView<const Scalar>, TensorView<Scalar>, const std::uint8_t*, const Scalar*,          \
        TensorView<Scalar>);                                                                       \
    what template void average_pool_forward(Cpu&, const Window2D&, TensorView<const Scalar>,       \
                                            TensorView<Scalar>);                                   \
    what template void average_pool_backward(Cpu&, const Window2D&, TensorView<const Scalar>,      \
                                             TensorView<Scalar>);                                  \
    what template void sparse_softmax_crossentropy(                                                \
        Cpu&, TensorView<const Scalar>, TensorView<const Scalar>, Scalar, TensorView<Scalar>,      \
        TensorView<Scalar>, TensorView<Scalar>);                                                   \
    what template void sparse_categorical_crossentropy(Cpu&, TensorView<const Scalar>,             \
                                                       TensorView<const Scalar>, Scalar,           \
                                                       TensorView<Scalar>, TensorView<Scalar>);    \
    what template void mean_squared_error(Cpu&, TensorView<const Scalar>,                          \
                                          TensorView<const Scalar>, Scalar, TensorView<Scalar>,    \
                                          TensorView<Scalar>);                                     \
    what template void add_elements(Cpu&, TensorView<const Scalar>, TensorView<const Scalar>,      \
                                    TensorView<Scalar>);                                           \
    what template void multiply_elements(Cpu&, TensorView<const Scalar>, TensorView<const Scalar>, \
                                         TensorView<Scalar>);                                      \
    what template void transpose_samples(Cpu&, TensorView<const Scalar>, TensorView<Scalar>);      \
    what template void adam_update(Cpu&, const AdamStep<Scalar>&, TensorView<const Scalar>,        \
                                   TensorView<Scalar>, TensorView<Scalar>, TensorView<Scalar>);    \
    what template void rmsprop_update(Cpu&, const RMSpropStep<Scalar>&, TensorView<const Scalar>,  \
                                      TensorView<Scalar>, TensorView<Scalar>, TensorView<Scalar>,  \
                                      TensorView<Scalar>);                                         \
    what template void momentum_update(Cpu&, Scalar, Scalar, bool, TensorView<const Scalar>,       \
                                       TensorView<Scalar>, TensorView<Scalar>);                    \
    what template void sgd_update(Cpu&, Scalar, TensorView<const Scalar>, TensorView<Scalar>);     \
    what template double penalty(Cpu&, TensorView<const Scalar>, double, double);                  \
    what template void add_penalty_gradient(Cpu&, TensorView<const Scalar>, double, double,        \
                                            TensorView<Scalar>);                                   \
    what template void clip_values(Cpu&, TensorView<Scalar>, double);                              \
    what template void clip_norm(Cpu&, TensorView<Scalar>, double);                                \
    what template void limit_column_norms(Cpu&, TensorView<Scalar>, double, const double*);

namespace weft::kernels {
WEFT_KERNELS_ONCE(extern, float)
WEFT_KERNELS_ONCE(extern, double)
}  // namespace weft::kernels
