/// \file
/// How far products on a GPU may be from their definitions.
#pragma once

#include "tests/support/cuda.hpp"
#include "tests/support/special_values.hpp"

#include <cmath>

namespace weft {

/// The settings that products of Scalar are tested with: TF32 is for float alone.
template <class Scalar>
std::vector<CudaOptions> product_options() {
    if (sizeof(Scalar) == sizeof(double) || !has_tf32()) return {CudaOptions{}};
    return {CudaOptions{}, CudaOptions{.tf32 = true}};
}

/// The same of dense layers, whose products a library may compute.
template <class Scalar>
std::vector<CudaOptions> dense_options() {
    auto all = product_options<Scalar>();
    if (sizeof(Scalar) == sizeof(float) && Cuda::has_cublaslt()) {
        all.push_back({.cublaslt = true});
        if (has_tf32()) all.push_back({.tf32 = true, .cublaslt = true});
    }
    return all;
}

/// The same of convolutions.
template <class Scalar>
std::vector<CudaOptions> convolution_options() {
    auto all = product_options<Scalar>();
    if (sizeof(Scalar) == sizeof(float) && Cuda::has_cudnn()) {
        all.push_back({.cudnn = true});
        if (has_tf32()) all.push_back({.tf32 = true, .cudnn = true});
    }
    return all;
}

/// The bound on the error of a sum of n products, relative to the sum of their magnitudes. Running
/// sums go over 1024 products, and over what is left of them, one rounding each: below n + 2 in all.
/// TF32 rounds each factor to 11 bits, which is half a unit in the last place, 2^-11; tensor cores cut
/// sums off instead of rounding them, which is twice as far.
template <class Scalar>
double product_bound(Index n, const CudaOptions& options) {
    const auto roundings = static_cast<double>(std::min<Index>(n, 1024 + n / 1024) + 2);
    if (options.tf32) return 2 * 0x1p-11 + 0x1p-22 + roundings * eps<float>;
    return roundings * eps<Scalar> / 2;
}

/// The largest |result - expected| / (bound magnitude): at most 1 where the error is within the bound.
template <class Scalar>
Gap excess(const Tensor<Scalar>& result, const Tensor<Scalar>& expected,
           const Tensor<Scalar>& magnitude, double bound) {
    Gap worst;
    for (Index i = 0; i < result.size(); ++i) {
        const double error =
            std::abs(static_cast<double>(result[i]) - static_cast<double>(expected[i]));
        const double excess = error / (bound * static_cast<double>(magnitude[i]));
        if (!(excess <= worst.value)) worst = {excess, concat(" (element ", i, ")")};
    }
    return worst;
}

/// Whether both have NaN at the same places, and the same numbers elsewhere.
template <class Scalar>
Verdict same_numbers(const Tensor<Scalar>& result, const Tensor<Scalar>& expected) {
    for (Index i = 0; i < result.size(); ++i) {
        if (std::isnan(result[i]) && std::isnan(expected[i])) continue;
        if (!(result[i] == expected[i])) {
            return {concat("element ", i, " is ", result[i], ", expected ", expected[i])};
        }
    }
    return {};
}

/// The tensor of magnitudes.
template <class Scalar>
Tensor<Scalar> magnitudes(Tensor<Scalar> x) {
    for (Scalar& value : x) value = std::abs(value);
    return x;
}

}  // namespace weft
