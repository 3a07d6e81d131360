/// \file
/// Places: where blocks of memory lie that are needed at different times.
#pragma once

#include "weft/core/buffer.hpp"
#include "weft/core/shape.hpp"

#include <algorithm>
#include <span>
#include <vector>

namespace weft {

/// A block of memory that is needed from one moment to another, both included.
struct Place {
    Index bytes = 0;
    std::size_t first = 0, last = 0;
    Index offset = 0;  ///< of its first byte, a multiple of Buffer::alignment

    bool meets(const Place& other) const { return first <= other.last && other.first <= last; }
    Index end() const {
        constexpr auto alignment = static_cast<Index>(Buffer::alignment);
        return offset + (bytes + alignment - 1) / alignment * alignment;
    }
};

/// Gives each place an offset, so that two that are needed at the same time share no byte; returns
/// the bytes of all. The largest come first, each as low as it fits.
WEFT_COLD inline Index assign_places(std::span<Place> places) {
    std::vector<std::size_t> order;  // those that have an offset
    Index total = 0;
    for (std::size_t count = 0; count < places.size(); ++count) {
        std::size_t next = places.size();
        for (std::size_t i = 0; i < places.size(); ++i) {
            if (std::find(order.begin(), order.end(), i) != order.end()) continue;
            if (next == places.size() || places[i].bytes > places[next].bytes) next = i;
        }
        Place& place = places[next];
        place.offset = 0;
        // Up behind whatever is in the way, until nothing is.
        for (bool is_free = false; !is_free;) {
            is_free = true;
            for (const std::size_t i : order) {
                const Place& other = places[i];
                if (!place.meets(other) || place.offset >= other.end() ||
                    other.offset >= place.end()) {
                    continue;
                }
                place.offset = other.end();
                is_free = false;
            }
        }
        total = (std::max)(total, place.end());
        order.push_back(next);
    }
    return total;
}

}  // namespace weft
