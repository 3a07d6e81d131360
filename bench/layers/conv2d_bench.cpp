// Conv2D with relu, forward and backward, at the shapes of the tutorials' networks.
#include "weft/layers/conv2d.hpp"

#include "bench/support/single_layer.hpp"

namespace {

using namespace weft;

struct Case {
    const char* name;
    Index batch, side, channels, filters, window;
};

[[maybe_unused]] const bool registered = [] {
    for (const auto& [name, batch, side, channels, filters, window] :
         {Case{"cnn-1", 32, 28, 1, 32, 3}, Case{"cnn-deep-2", 32, 14, 64, 64, 2},
          Case{"cnn-bn-2", 32, 28, 32, 32, 3}, Case{"cnn-wide-2", 32, 28, 64, 64, 3},
          Case{"cnn-wide-3", 32, 14, 64, 128, 3}}) {
        bench::add_layer(
            concat("conv2d:", name, ":", batch, "x", side, "x", channels, "-", window, "x",
                   filters),
            Conv2D{.filters = filters, .kernel_size = window, .padding = same, .activation = relu},
            {side, side, channels}, batch);
    }
    return true;
}();

}  // namespace
