// Dense with relu, forward and backward, at the shapes of the tutorials' networks.
#include "weft/layers/dense.hpp"

#include "bench/support/single_layer.hpp"

namespace {

using namespace weft;

struct Case {
    Index batch;
    Shape input;
    Index units;
};

[[maybe_unused]] const bool registered = [] {
    for (const auto& [batch, input, units] :
         {Case{1, {784}, 128}, Case{32, {784}, 128}, Case{32, {128}, 10}, Case{32, {28, 28}, 128},
          Case{32, {6272}, 128}, Case{500, {784}, 1000}, Case{500, {1000}, 800}}) {
        bench::add_layer(
            concat("dense:", batch, "x", input.rank() == 2 ? "28x28" : std::to_string(input.size()),
                   "-", units),
            Dense{.units = units, .activation = relu}, input, batch);
    }
    return true;
}();

}  // namespace
