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
    std::vector<std::size_t> order;  // those that have an offset, by it
    std::vector<bool> is_placed(places.size());
    Index total = 0;
    for (Place& place : places) place.offset = 0;
    while (true) {
        std::size_t next = places.size();
        for (std::size_t i = 0; i < places.size(); ++i) {
            if (is_placed[i] || places[i].bytes == 0) continue;
            if (next == places.size() || places[i].bytes > places[next].bytes) next = i;
        }
        if (next == places.size()) return total;
        Place& place = places[next];
        // Up behind whatever is in the way, the lowest first: so it is never met again.
        for (const std::size_t i : order) {
            const Place& other = places[i];
            if (other.offset >= place.end()) break;
            if (place.meets(other) && place.offset < other.end()) place.offset = other.end();
        }
        total = (std::max)(total, place.end());
        const auto behind = std::find_if(order.begin(), order.end(), [&](std::size_t i) {
            return places[i].offset > place.offset;
        });
        order.insert(behind, next);
        is_placed[next] = true;
    }
}

}  // namespace weft
