#include "weft/core/philox.hpp"

#include <doctest/doctest.h>

using Counter = std::array<std::uint32_t, 4>;
using Key = std::array<std::uint32_t, 2>;

// The rows "philox4x32 10" of kat_vectors in Random123, the library of the paper's authors.
TEST_CASE("philox4x32 gives the published known answers") {
    CHECK(weft::philox4x32({0, 0, 0, 0}, {0, 0}) ==
          Counter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});

    constexpr std::uint32_t ones = 0xffffffff;
    CHECK(weft::philox4x32({ones, ones, ones, ones}, {ones, ones}) ==
          Counter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});

    const Counter pi{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344};
    const Key more_pi{0xa4093822, 0x299f31d0};
    CHECK(weft::philox4x32(pi, more_pi) == Counter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("philox4x32 can be computed by the compiler") {
    static_assert(weft::philox4x32({0, 0, 0, 0}, {0, 0})[0] == 0x6627e8d5);
}
