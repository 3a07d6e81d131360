// Dropout, forward and backward, at the shapes of the tutorials' networks.
#include "weft/layers/dropout.hpp"

#include "bench/support/single_layer.hpp"

namespace {

using namespace weft;

[[maybe_unused]] const bool registered = [] {
    bench::add_layer("dropout:32x14x14x32", Dropout{0.25}, {14, 14, 32}, 32);
    bench::add_layer("dropout:500x1000", Dropout{0.2}, {1000}, 500);
    return true;
}();

}  // namespace
