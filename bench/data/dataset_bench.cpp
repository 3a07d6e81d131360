// Gathering shuffled batches of 28 x 28 pictures out of 20,000, from floats and from bytes.
#include "weft/data/dataset.hpp"

#include "bench/support/measure.hpp"
#include "bench/support/random_tensor.hpp"
#include "weft/core/random.hpp"
#include "weft/data/examples.hpp"

#include <numeric>

namespace {

using namespace weft;
using namespace weft::bench;

template <class Pixel>
void add_gather(const std::string& pixel, Index batch) {
    add(concat("dataset/gather/", pixel, "-batch-", batch, "/weft"), [=](benchmark::State& state) {
        constexpr Index count = 20'000, size = 28 * 28;
        const Tensor<float> numbers = random_tensor({count, size});
        Tensor<Pixel> x(numbers.shape());
        std::ranges::transform(numbers, x.begin(),
                               [](float v) { return static_cast<Pixel>(127 * (v + 1)); });
        const std::vector<std::uint8_t> labels(count, 3);
        const Examples<float> examples(x, labels);
        std::vector<Index> order(count);
        std::iota(order.begin(), order.end(), Index{0});
        RandomStream(1, RandomPurpose::shuffle).shuffle(std::span<Index>(order));
        Tensor<float> batch_x({batch, size}), batch_y({batch});
        Index first = 0;
        const double bytes_per_pixel = sizeof(Pixel) + sizeof(float);
        measure(state,
                {.bytes = bytes_per_pixel * static_cast<double>(batch * size),
                 .images = static_cast<double>(batch)},
                [&] {
                    const auto samples = std::span<const Index>(order).subspan(
                        static_cast<std::size_t>(first), static_cast<std::size_t>(batch));
                    examples->gather(samples, batch_x.data(), batch_y.data());
                    first = first + 2 * batch > count ? 0 : first + batch;
                });
    });
}

[[maybe_unused]] const bool registered = [] {
    for (const Index batch : {32, 500}) {
        add_gather<float>("float", batch);
        add_gather<std::uint8_t>("uint8", batch);
    }
    return true;
}();

}  // namespace
