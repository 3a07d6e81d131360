/// \file
/// Models and what trains them, compiled once for all tests (once/models.cpp) instead of in each of them.
#pragma once

#include "tests/support/kernels_once.hpp"
#include "weft/testing/single_layer.hpp"
#include "weft/weft.hpp"

#define WEFT_MODELS_ONCE(what, Scalar)                                        \
    what template class Model<Scalar, Cpu>;                                   \
    what template class ModelPasses<Scalar, Cpu>;                             \
    what template class ModelLayers<Scalar, Cpu>;                             \
    what template class Sequential<Scalar, Cpu>;                              \
    what template struct BuiltGraph<Scalar, Cpu>;                             \
    what template struct Graph<Scalar, Cpu>;                                  \
    what template class Parameters<Scalar, Cpu>;                              \
    what template class Workspace<Scalar, Cpu>;                               \
    what template class LayerDeclaration<Scalar, Cpu>;                        \
    what template class SingleLayer<Scalar, Cpu>;                             \
    what template class detail::PassRun<Scalar, Cpu>;                         \
    what template class BatchNorm::Layer<Scalar, Cpu>;                        \
    what template class Conv2D::Layer<Scalar, Cpu>;                           \
    what template class Dense::Layer<Scalar, Cpu>;                            \
    what template class Dropout::Layer<Scalar, Cpu>;                          \
    what template class BinaryCrossentropy::Function<Scalar, Cpu>;            \
    what template class CategoricalCrossentropy::Function<Scalar, Cpu>;       \
    what template class MeanSquaredError::Function<Scalar, Cpu>;              \
    what template class SparseCategoricalCrossentropy::Function<Scalar, Cpu>; \
    what template class Trainer<Scalar, Cpu>;                                 \
    what template class detail::EpochBatches<Scalar>;                         \
    what template class detail::FitRun<Scalar, Cpu>;                          \
    what template class detail::GatheringReader<Scalar>;                      \
    what template class detail::ModelRun<Scalar, Cpu>;                        \
    what template class detail::NonFiniteGuard<Scalar, Cpu>;                  \
    what template class detail::StepTable<Scalar, Cpu>;                       \
    what template class detail::TrainingStep<Scalar, Cpu>;                    \
    what template struct detail::TrainingState<Scalar, Cpu>;

namespace weft {
WEFT_MODELS_ONCE(extern, float)
WEFT_MODELS_ONCE(extern, double)
}  // namespace weft
