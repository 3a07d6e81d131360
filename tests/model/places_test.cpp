#include "weft/model/places.hpp"

#include "weft/core/random.hpp"
#include "weft/cpu.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>

using namespace weft;

namespace {

/// Whether no two places that are needed at the same time share a byte.
bool are_apart(const std::vector<Place>& places) {
    for (std::size_t i = 0; i < places.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            const Place &a = places[i], &b = places[j];
            const bool share = a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes;
            if (a.meets(b) && share) return false;
        }
    }
    return true;
}

/// Where a place goes that is put behind those before it: the lowest offset at which it is apart.
Index lowest_offset(Place place, const std::vector<Place>& before) {
    for (place.offset = 0;; place.offset += 64) {
        const auto is_in_the_way = [&](const Place& other) {
            return place.meets(other) && place.offset < other.end() && other.offset < place.end();
        };
        if (std::ranges::none_of(before, is_in_the_way)) return place.offset;
    }
}

}  // namespace

TEST_CASE("places of a chain take two buffers in turn") {
    std::vector<Place> places{{640, 0, 1}, {64, 1, 2}, {320, 2, 3}, {128, 3, 4}};
    CHECK(assign_places(places) == 640 + 64);
    CHECK(are_apart(places));
    CHECK(places[0].offset == 0);
    CHECK(places[1].offset == 640);
    CHECK(places[2].offset == 0);
    CHECK(places[3].offset == 320);
}

TEST_CASE("a place fits into a gap between others") {
    // The second is over when the fourth and fifth begin.
    std::vector<Place> places{{256, 0, 9}, {192, 0, 3}, {128, 0, 9}, {100, 4, 9}, {28, 4, 9}};
    CHECK(assign_places(places) == 256 + 192 + 128);
    CHECK(are_apart(places));
    CHECK(places[3].offset == places[1].offset);
    CHECK(places[4].offset == places[1].offset + 128);
}

TEST_CASE("offsets are multiples of a cache line, also behind odd sizes") {
    std::vector<Place> places{{1, 0, 0}, {65, 0, 0}, {0, 0, 0}, {63, 0, 0}};
    CHECK(assign_places(places) == 64 + 128 + 64);
    for (const Place& place : places) CHECK(place.offset % 64 == 0);
    CHECK(are_apart(places));
}

TEST_CASE("no places take no bytes") { CHECK(assign_places({}) == 0); }

TEST_CASE(
    "random places are apart, and take no more than all of them and no less than any moment") {
    const RandomStream random(1, RandomPurpose::layer);
    std::uint32_t drawn = 0;
    const auto draw = [&](std::size_t below) {
        return static_cast<std::size_t>(random.uniform(drawn++) * static_cast<double>(below));
    };
    for (int round = 0; round < 200; ++round) {
        std::vector<Place> places(1 + draw(40));
        Index all = 0;
        for (Place& place : places) {
            place.bytes = static_cast<Index>(64 * draw(20));
            place.first = draw(30);
            place.last = place.first + draw(10);
            all += place.bytes;
        }
        const Index bytes = assign_places(places);
        CHECK(are_apart(places));
        CHECK(bytes <= all);
        std::vector<Place> before, largest_first;
        for (const Place& place : places) {
            if (place.bytes > 0) largest_first.push_back(place);
        }
        std::ranges::stable_sort(largest_first, std::greater(), &Place::bytes);
        bool are_lowest = true;
        for (const Place& place : largest_first) {
            are_lowest &= place.offset == lowest_offset(place, before);
            before.push_back(place);
        }
        CHECK(are_lowest);
        for (std::size_t moment = 0; moment < 40; ++moment) {
            Index needed = 0;
            for (const Place& place : places) {
                if (place.first <= moment && moment <= place.last) needed += place.bytes;
            }
            CHECK(bytes >= needed);
        }
    }
}
