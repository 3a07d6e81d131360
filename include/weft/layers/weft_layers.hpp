/// \file
/// The list of weft's layers. A new layer is added here, to weft.hpp and to cmake/weft_headers.cmake.
#pragma once

#include "weft/layers/add.hpp"
#include "weft/layers/average_pool2d.hpp"
#include "weft/layers/batch_norm.hpp"
#include "weft/layers/concatenate.hpp"
#include "weft/layers/conv2d.hpp"
#include "weft/layers/dense.hpp"
#include "weft/layers/dropout.hpp"
#include "weft/layers/elu.hpp"
#include "weft/layers/flatten.hpp"
#include "weft/layers/gelu.hpp"
#include "weft/layers/global_average_pool2d.hpp"
#include "weft/layers/global_max_pool2d.hpp"
#include "weft/layers/leaky_relu.hpp"
#include "weft/layers/max_pool2d.hpp"
#include "weft/layers/multiply.hpp"
#include "weft/layers/relu.hpp"
#include "weft/layers/rescaling.hpp"
#include "weft/layers/reshape.hpp"
#include "weft/layers/sigmoid.hpp"
#include "weft/layers/silu.hpp"
#include "weft/layers/softmax.hpp"
#include "weft/layers/tanh.hpp"
#include "weft/layers/zero_padding2d.hpp"

namespace weft::detail {

/// Calls visit(example, example, ...) with a declaration of each of weft's layers. Their fields are
/// the defaults for those missing in a file.
template <class Visit>
WEFT_COLD auto visit_weft_layers(const Visit& visit) {
    return visit(Dense{.units = 0}, Conv2D{.filters = 0, .kernel_size = 0}, MaxPool2D{},
                 AveragePool2D{}, GlobalMaxPool2D{}, GlobalAveragePool2D{}, BatchNorm{}, Dropout{0},
                 Flatten{}, Reshape{}, Rescaling{1}, ZeroPadding2D{}, ReLU{}, LeakyReLU{}, ELU{},
                 GELU{}, SiLU{}, Sigmoid{}, Tanh{}, Softmax{}, Add{}, Multiply{}, Concatenate{});
}

}  // namespace weft::detail
