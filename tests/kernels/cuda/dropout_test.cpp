#include "weft/kernels/cuda/dropout.hpp"

#include "tests/support/cuda.hpp"
#include "tests/support/random_tensor.hpp"
#include "weft/cpu.hpp"

#include <doctest/doctest.h>

using namespace weft;

namespace {

struct Dropped {
    Tensor<float> y, dx;
    Tensor<std::uint8_t> kept;
};

/// y, which elements are kept, and dx of ones; of x in place, from that element and step on.
template <class Device>
Dropped drop(const Tensor<float>& x, double rate, Index first, std::uint32_t step) {
    Device device;
    const Shape shape = x.shape();
    Tensor<float, Device> y(shape, device), dy(shape, device), dx(shape, device);
    Tensor<float> ones(shape);
    std::ranges::fill(ones, 1.0F);
    Tensor<std::uint8_t, Device> kept(shape, device);
    Tensor<std::uint32_t, Device> at_step({1}, device);
    kernels::copy_to_device<float>(device, x, y);
    kernels::copy_to_device<float>(device, ones, dy);
    kernels::copy_to_device<std::uint32_t>(device, Tensor<std::uint32_t>({1}, {step}), at_step);
    const RandomStream random(3, RandomPurpose::layer, 5, 7);
    const kernels::Dropping dropping{rate, random, step == 7 ? nullptr : at_step.data(), first,
                                     kept.data()};
    kernels::dropout_forward<float>(device, dropping, y, y);
    kernels::dropout_backward<float>(device, dropping, dy, dx);
    Dropped result{Tensor<float>(shape), Tensor<float>(shape), Tensor<std::uint8_t>(shape)};
    const auto fetch = [&]<class T>(const Tensor<T, Device>& from, Tensor<T>& to) {
        kernels::copy_to_host<T>(device, from, to);
    };
    fetch(y, result.y);
    fetch(dx, result.dx);
    fetch(kept, result.kept);
    return result;
}

}  // namespace

TEST_CASE("dropout on a GPU has the CPU's bits, from any element and step on") {
    for (const Index count : {1, 63, 64, 65, 1000, 5003}) {
        for (const Index first : {0, 64, 77, 1000003}) {
            CAPTURE(count);
            CAPTURE(first);
            const auto x = random_normal<float>({count}, 1);
            for (const std::uint32_t step : {7u, 8u}) {
                const Dropped expected = drop<Cpu>(x, 0.3, first, step);
                in_each_order([&] {
                    const Dropped result = drop<Cuda>(x, 0.3, first, step);
                    CHECK(identical(result.kept, expected.kept));
                    CHECK(identical(result.y, expected.y));
                    CHECK(identical(result.dx, expected.dx));
                });
            }
        }
    }
}
