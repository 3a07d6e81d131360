/// \file
/// The orders that tests run the simulator in.
#include "sim/control.hpp"
#include "tests/support/cuda.hpp"

namespace weft {

void in_each_order(const std::function<void()>& body) {
    using cuda_sim::Order;
    for (const Order order : {Order::reverse, Order::shuffled, Order::forward}) {
        cuda_sim::options().order = order;
        body();
    }
}

}  // namespace weft
