// Dropout, forward and backward: the layer after cnn-bn's first pool, and a small one.
#include "weft/kernels/cpu/dropout.hpp"

#include "bench/support/measure.hpp"
#include "bench/support/random_tensor.hpp"

#include <vector>

namespace {

using namespace weft;
using namespace weft::bench;

void add_count(Index count) {
    const Work work{.bytes = 9.0 * static_cast<double>(count)};  // x, y and a byte for the mask
    for (const bool forward : {true, false}) {
        add(concat("dropout/", forward ? "forward/" : "backward/", count, "/weft"),
            [=](benchmark::State& state) {
                Cpu cpu;
                const Tensor<float> x = random_tensor({count});
                Tensor<float> y(x.shape());
                std::vector<std::uint8_t> kept(static_cast<std::size_t>(count));
                const kernels::Dropping dropping{
                    .rate = 0.3, .random{1, RandomPurpose::layer}, .kept = kept.data()};
                dropout_forward<float>(cpu, dropping, x, y);
                measure(state, work, [&] {
                    if (forward) {
                        dropout_forward<float>(cpu, dropping, x, y);
                    } else {
                        dropout_backward<float>(cpu, dropping, x, y);
                    }
                });
            });
    }
}

[[maybe_unused]] const bool registered = [] {
    add_count(32 * 14 * 14 * 32);
    add_count(500 * 1000);
    return true;
}();

}  // namespace
