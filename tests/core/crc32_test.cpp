#include "weft/core/crc32.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace weft;

TEST_CASE("CRC-32 and CRC-32C of published texts") {
    CHECK(detail::crc32("123456789") == 0xCBF43926);
    CHECK(detail::crc32("IEND") == 0xAE426082);
    CHECK(detail::crc32("") == 0);
    // RFC 3720, B.4.
    CHECK(detail::crc32c("123456789") == 0xE3069283);
    CHECK(detail::crc32c(std::string(32, '\0')) == 0x8A9136AA);
    CHECK(detail::crc32c(std::string(32, '\xFF')) == 0x62A8AB43);
    std::string rising;
    for (char c = 0; c < 32; ++c) rising += c;
    CHECK(detail::crc32c(rising) == 0x46DD794E);
}

TEST_CASE("a check goes on where another stopped") {
    CHECK(detail::crc32("6789", detail::crc32("12345")) == detail::crc32("123456789"));
    CHECK(detail::crc32c("6789", detail::crc32c("12345")) == detail::crc32c("123456789"));
}
