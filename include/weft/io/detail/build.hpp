/// \file
/// Text about the build and its arithmetic, which decide the last bits of a model's output.
#pragma once

#include "weft/core/crc32.hpp"
#include "weft/core/random.hpp"
#include "weft/core/system.hpp"
#include "weft/layers/average_pool2d.hpp"
#include "weft/layers/batch_norm.hpp"
#include "weft/layers/conv2d.hpp"
#include "weft/layers/dense.hpp"
#include "weft/layers/elu.hpp"
#include "weft/layers/flatten.hpp"
#include "weft/layers/gelu.hpp"
#include "weft/layers/sigmoid.hpp"
#include "weft/layers/silu.hpp"
#include "weft/layers/softmax.hpp"
#include "weft/layers/tanh.hpp"
#include "weft/model/sequential.hpp"
#include "weft/version.hpp"

namespace weft::detail {

/// A checksum over the bits of fixed computations: each kind of sum, and each function at 1024
/// places in [-8, 8). It reveals differences that the description of a build does not show:
///   a b + c rounded once or twice (-ffp-contract, and its default in -std=gnu++20 or c++20),
///   sums in another order (-fassociative-math), another mode of rounding,
///   functions that the C library chooses by the processor at run time.
template <class Scalar, class Device>
WEFT_COLD std::uint32_t compute_arithmetic_check(const Device& device = Device()) {
    std::uint32_t bits = 0;
    const auto add = [&](std::vector<LayerDeclaration<Scalar, Device>> layers, const Shape& input,
                         double low, double high) {
        Sequential<Scalar, Device> model(std::move(layers));
        model.set_device(device);
        model.build(input, 1);
        Tensor<Scalar> x(input);
        const RandomStream random(1, RandomPurpose::user);
        for (Index i = 0; i < x.size(); ++i) {
            const double u = random.uniform(static_cast<std::uint64_t>(i));
            x[i] = static_cast<Scalar>(low + (high - low) * u);
        }
        const Tensor<Scalar> y = model.predict(x);
        bits = crc32c({reinterpret_cast<const char*>(y.data()),
                       static_cast<std::size_t>(y.size()) * sizeof(Scalar)},
                      bits);
    };
    using Declaration = LayerDeclaration<Scalar, Device>;
    const Declaration functions[] = {Tanh{}, Sigmoid{}, SiLU{}, GELU{}, ELU{}, Softmax{}};
    for (const Declaration& function : functions) {
        add({function}, {1024}, -8, 8);
    }
    add({Dense{.units = 24}}, {1000}, -1, 1);
    add({Conv2D{.filters = 8, .kernel_size = 3, .padding = same}, BatchNorm{}, AveragePool2D{},
         Conv2D{.filters = 5, .kernel_size = 2}, Flatten{}},
        {12, 12, 3}, -1, 1);
    add({Conv2D{.filters = 32, .kernel_size = 3, .padding = same}}, {8, 8, 32}, -1, 1);
    return bits;
}

/// The same, computed once, unless the program changes the kernels it began with.
template <class Scalar, class Device>
WEFT_COLD std::uint32_t arithmetic_check(const Device& device) {
    static const std::string build(kernels_build(device));
    static const std::uint32_t check = compute_arithmetic_check<Scalar>(device);
    return kernels_build(device) == build ? check : compute_arithmetic_check<Scalar>(device);
}

/// The build, C library and arithmetic as text: the same text means the same bits of an output.
template <class Scalar, class Device>
WEFT_COLD std::string build_text(const Device& device = Device()) {
    const std::string library = c_library();
    return concat(
        "weft " WEFT_VERSION ", ", kernels_build(device),
        ", Eigen " WEFT_STRING(EIGEN_WORLD_VERSION.EIGEN_MAJOR_VERSION.EIGEN_MINOR_VERSION),
        ", EIGEN_FAST_MATH " WEFT_STRING(EIGEN_FAST_MATH) ", ",
        library.empty() ? "unknown C library" : library, ", arithmetic ",
        arithmetic_check<Scalar>(device));
}

/// Whether a model saved by a build with the given text gives the same bits here. False if the C
/// library is unknown, since some layers call its functions.
template <class Scalar, class Device>
WEFT_COLD bool gives_same_bits(std::string_view text) {
    return !c_library().empty() && text == build_text<Scalar, Device>();
}

}  // namespace weft::detail
