/// \file
/// Copies and changes of layout on a GPU. The contracts are those of kernels/cpu.
#pragma once

#include "weft/core/cuda.hpp"
#include "weft/core/tensor_view.hpp"

#include <string>

namespace weft::kernels {

inline std::string kernels_build(const Cuda& device) { return "CUDA on " + device.name(); }

template <class Scalar>
void copy_elements(Cuda& device, TensorView<const Scalar, Cuda> x, TensorView<Scalar, Cuda> y);

// The host's tensors have the name of a build in their type, so these are inline, and hand pointers
// on.

template <class Scalar>
void copy_to_device(const Cuda& device, TensorView<const Scalar> x, TensorView<Scalar, Cuda> y) {
    device.copy_to_device(x.data(), y.data(), static_cast<std::size_t>(x.size()) * sizeof(Scalar));
}

template <class Scalar>
void copy_to_host(const Cuda& device, TensorView<const Scalar, Cuda> x, TensorView<Scalar> y) {
    device.copy_to_host(x.data(), y.data(), static_cast<std::size_t>(x.size()) * sizeof(Scalar));
}

/// Runs body(), a chain of kernels. They are put on the device's stream, and nothing waits for them.
template <class Body>
void run_pass(Cuda&, double, const Body& body) {
    body();
}

template <class Scalar>
void transpose_samples(Cuda& device, TensorView<const Scalar, Cuda> x, TensorView<Scalar, Cuda> y);

template <class Scalar>
void pad_images(Cuda& device, TensorView<const Scalar, Cuda> x, Index top, Index left,
                TensorView<Scalar, Cuda> y);

template <class Scalar>
void crop_images(Cuda& device, TensorView<const Scalar, Cuda> x, Index top, Index left,
                 TensorView<Scalar, Cuda> y);

}  // namespace weft::kernels
