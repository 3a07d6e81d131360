/// \file
/// Kernels of kernels/cuda/dropout.hpp.
#include "weft/kernels/cuda/dropout.hpp"

#include "launch.cuh"

namespace weft::kernels {

// A thread computes one block of four random words, which are for elements 16 apart: threads side
// by side have elements side by side.
template <class Scalar>
void dropout_forward(Cuda& device, Index count, double rate, const RandomStream& stream,
                     const std::uint32_t* at_step, Index first, const Scalar* x, Scalar* y,
                     std::uint8_t* kept) {
    if (count == 0) return;
    constexpr int blocks = 16, step = 4 * blocks;
    const auto threshold = static_cast<std::uint32_t>(rate * 0x1p32);
    const auto scale = static_cast<Scalar>(1 / (1 - rate));
    const int n = cuda::narrow(count), skipped = static_cast<int>(first % step);
    const Index steps = (skipped + count + step - 1) / step, start = first / step * blocks;
    cuda::for_each(device, steps * blocks, [=] __device__(int b) {
        const RandomStream random = at_step == nullptr ? stream : stream.at_step(*at_step);
        const auto words = random.block(static_cast<std::uint64_t>(start + b));
        for (int k = 0; k < 4; ++k) {
            const int i = b / blocks * step + k * blocks + b % blocks - skipped;
            if (i < 0 || i >= n) continue;
            const bool keeps = words[static_cast<std::size_t>(k)] >= threshold;
            const Scalar scaled = x[i] * scale;  // read by all lanes
            kept[i] = keeps ? 1 : 0;
            y[i] = keeps ? scaled : Scalar(0);
        }
    });
}

template <class Scalar>
void dropout_backward(Cuda& device, Index count, double rate, const std::uint8_t* kept,
                      const Scalar* dy, Scalar* dx) {
    const auto scale = static_cast<Scalar>(1 / (1 - rate));
    cuda::for_each(device, count, [=] __device__(int i) {
        const Scalar scaled = dy[i] * scale;  // read by all lanes
        dx[i] = kept[i] != 0 ? scaled : Scalar(0);
    });
}

template decltype(dropout_forward<float>) dropout_forward<float>;
template decltype(dropout_forward<double>) dropout_forward<double>;
template decltype(dropout_backward<float>) dropout_backward<float>;
template decltype(dropout_backward<double>) dropout_backward<double>;

}  // namespace weft::kernels
