/// \file
/// Kernels of kernels/cuda/dropout.hpp.
#include "weft/kernels/cuda/dropout.hpp"

#include "launch.cuh"

#include <cassert>

namespace weft::kernels {

// A thread computes one block of four random words, which are for elements 16 apart: threads side
// by side have elements side by side.
template <class Scalar>
void dropout_forward(Cuda& device, const Dropping& dropping, TensorView<const Scalar, Cuda> x,
                     TensorView<Scalar, Cuda> y) {
    assert(y.size() == x.size());
    if (x.size() == 0) return;
    const Index first = dropping.first;
    constexpr int blocks = 16, step = 4 * blocks;
    const auto threshold = static_cast<std::uint32_t>(dropping.rate * 0x1p32);
    const auto scale = static_cast<Scalar>(1 / (1 - dropping.rate));
    const int n = cuda::narrow(x.size()), skipped = static_cast<int>(first % step);
    const Index steps = (skipped + x.size() + step - 1) / step, start = first / step * blocks;
    cuda::for_each(device, steps * blocks, [=, x = x.data(), y = y.data()] __device__(int b) {
        const RandomStream random = dropping.at_step == nullptr
                                        ? dropping.random
                                        : dropping.random.at_step(*dropping.at_step);
        const auto words = random.block(static_cast<std::uint64_t>(start + b));
        for (int k = 0; k < 4; ++k) {
            const int i = b / blocks * step + k * blocks + b % blocks - skipped;
            if (i < 0 || i >= n) continue;
            const bool keeps = words[static_cast<std::size_t>(k)] >= threshold;
            const Scalar scaled = x[i] * scale;  // read by all lanes
            dropping.kept[i] = keeps ? 1 : 0;
            y[i] = keeps ? scaled : Scalar(0);
        }
    });
}

template <class Scalar>
void dropout_backward(Cuda& device, const Dropping& dropping, TensorView<const Scalar, Cuda> dy,
                      TensorView<Scalar, Cuda> dx) {
    assert(dx.size() == dy.size());
    const auto scale = static_cast<Scalar>(1 / (1 - dropping.rate));
    cuda::for_each(device, dy.size(), [=, dy = dy.data(), dx = dx.data()] __device__(int i) {
        const Scalar scaled = dy[i] * scale;  // read by all lanes
        dx[i] = dropping.kept[i] != 0 ? scaled : Scalar(0);
    });
}

template decltype(dropout_forward<float>) dropout_forward<float>;
template decltype(dropout_forward<double>) dropout_forward<double>;
template decltype(dropout_backward<float>) dropout_backward<float>;
template decltype(dropout_backward<double>) dropout_backward<double>;

}  // namespace weft::kernels
