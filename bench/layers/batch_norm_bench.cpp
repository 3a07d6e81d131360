// BatchNorm, forward and backward, at the shapes of the tutorials' networks.
#include "weft/layers/batch_norm.hpp"

#include "bench/support/single_layer.hpp"

namespace {

using namespace weft;

[[maybe_unused]] const bool registered = [] {
    bench::add_layer("batch_norm:32x28x28x32", BatchNorm{}, {28, 28, 32}, 32);
    bench::add_layer("batch_norm:32x14x14x64", BatchNorm{}, {14, 14, 64}, 32);
    return true;
}();

}  // namespace
