// MaxPool2D, forward and backward, at the shapes of the tutorials' networks.
#include "weft/layers/max_pool2d.hpp"

#include "bench/support/single_layer.hpp"

namespace {

using namespace weft;

[[maybe_unused]] const bool registered = [] {
    bench::add_layer("max_pool2d:32x28x28x32", MaxPool2D{}, {28, 28, 32}, 32);
    bench::add_layer("max_pool2d:32x14x14x64", MaxPool2D{}, {14, 14, 64}, 32);
    return true;
}();

}  // namespace
