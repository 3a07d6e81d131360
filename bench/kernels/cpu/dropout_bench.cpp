// Dropout, forward and backward: the layer after cnn-bn's first pool, and a small one.
#include "weft/kernels/cpu/dropout.hpp"

#include "bench/support/checked.hpp"
#include "bench/support/random_tensor.hpp"
#include "tests/support/reference/dropout.hpp"

#include <cstdint>

namespace {

using namespace weft;
using namespace weft::bench;

template <class Device>
struct Arrays {
    explicit Arrays(Index count) : x(random_tensor<Device>({count})), y({count}), kept({count}) {}

    kernels::Dropping dropping() {
        return {.rate = 0.3, .random{1, RandomPurpose::layer}, .kept = kept.data()};
    }

    Tensor<float, Device> x, y;
    Tensor<std::uint8_t, Device> kept;
};

void add_count(Index count) {
    const Work work{.bytes = 9.0 * static_cast<double>(count)};  // x, y and a byte for the mask
    const auto results = [](const auto& a) { return std::tie(a.y, a.kept); };
    const auto forward = [](auto& device, auto& a) {
        dropout_forward<float>(device, a.dropping(), a.x, a.y);
    };
    const auto backward = [](auto& device, auto& a) {
        dropout_backward<float>(device, a.dropping(), a.x, a.y);
    };
    const auto make = [=]<class Device>(Device&) { return Arrays<Device>(count); };
    const auto make_forward = [=](auto& device) {
        auto a = make(device);
        forward(device, a);
        std::ranges::fill(a.y, 0.0f);
        return a;
    };
    add_weft(concat("dropout/forward/", count), Task{work, make, forward, results});
    add_weft(concat("dropout/backward/", count), Task{work, make_forward, backward, results});
}

[[maybe_unused]] const bool registered = [] {
    add_count(32 * 14 * 14 * 32);
    add_count(500 * 1000);
    return true;
}();

}  // namespace
