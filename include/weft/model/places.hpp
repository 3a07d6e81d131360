/// \file
/// Places: offsets for blocks of memory that are needed at different times.
#pragma once

#include "weft/core/buffer.hpp"
#include "weft/core/shape.hpp"

#include <algorithm>
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

namespace detail {

/// Places with the same offset and disjoint lifetimes, in order of time.
struct PlaceRow {
    Index offset = 0;
    std::size_t above = 0;  ///< the row of the next offset; 0 if there is none
    std::vector<std::size_t> places = {};

    /// The first place that is needed at the given moment or later.
    std::size_t from(std::size_t moment, Span<const Place> all) const {
        const auto is_over = [&](std::size_t i) { return all[i].last < moment; };
        const auto first = std::partition_point(places.begin(), places.end(), is_over);
        return static_cast<std::size_t>(first - places.begin());
    }
};

/// Puts place i as low as it fits between the places in the rows; the first row is at offset 0.
WEFT_COLD inline void put_into_rows(Span<Place> all, std::size_t i, std::vector<PlaceRow>& rows) {
    Place& place = all[i];
    // Moves up past the lowest conflicting place, which is then never met again.
    std::size_t r = 0, below = 0;
    do {
        const PlaceRow& row = rows[r];
        if (row.offset >= place.end()) break;
        for (std::size_t k = row.from(place.first, all); k < row.places.size(); ++k) {
            const Place& other = all[row.places[k]];
            if (!place.meets(other)) break;
            place.offset = (std::max)(place.offset, other.end());
        }
        r = row.above;
    } while (r != 0);
    while (rows[below].above != 0 && rows[rows[below].above].offset <= place.offset) {
        below = rows[below].above;
    }
    if (rows[below].offset < place.offset) {
        rows.push_back({place.offset, rows[below].above});
        below = rows[below].above = rows.size() - 1;
    }
    std::vector<std::size_t>& row = rows[below].places;
    row.insert(row.begin() + static_cast<std::ptrdiff_t>(rows[below].from(place.first, all)), i);
}

}  // namespace detail

/// Gives each place an offset; places needed at the same time share no byte. Returns the bytes of
/// all. The largest come first, each as low as it fits. If many places have few offsets, as for a
/// chain in prediction, each is compared with few others.
WEFT_COLD inline Index assign_places(Span<Place> places) {
    std::vector<detail::PlaceRow> rows(1);
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < places.size(); ++i) {
        places[i].offset = 0;
        if (places[i].bytes > 0) order.push_back(i);
    }
    const auto goes_before = [&](std::size_t a, std::size_t b) {
        return places[a].bytes != places[b].bytes ? places[a].bytes > places[b].bytes : a < b;
    };
    // std::sort would compile two more algorithms.
    std::make_heap(order.begin(), order.end(), goes_before);
    std::sort_heap(order.begin(), order.end(), goes_before);
    Index total = 0;
    for (const std::size_t i : order) {
        detail::put_into_rows(places, i, rows);
        total = (std::max)(total, places[i].end());
    }
    return total;
}

}  // namespace weft
