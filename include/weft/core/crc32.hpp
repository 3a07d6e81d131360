/// \file
/// Cyclic redundancy checks of 32 bits: CRC-32 of PNG, CRC-32C of TensorBoard's
/// logs and of checkpoints.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace weft::detail {

/// The check of `bytes`, for a polynomial with its bits reversed, start and end inverted. With the
/// check of preceding bytes as `before`, it is that of all of them together.
/// Source: ISO/IEC 15948 (PNG), annex D; RFC 3720, appendix B.4 (CRC-32C).
template <std::uint32_t reversed_polynomial>
constexpr std::uint32_t crc32_of(std::string_view bytes, std::uint32_t before) {
    constexpr auto table = [] {
        std::array<std::uint32_t, 256> entries{};
        for (std::uint32_t i = 0; i < 256; ++i) {
            std::uint32_t remainder = i;
            for (int bit = 0; bit < 8; ++bit) {
                remainder = remainder >> 1 ^ (remainder & 1 ? reversed_polynomial : 0);
            }
            entries[i] = remainder;
        }
        return entries;
    }();
    std::uint32_t crc = ~before;
    for (const char byte : bytes) {
        crc = crc >> 8 ^ table[(crc ^ static_cast<unsigned char>(byte)) & 0xFF];
    }
    return ~crc;
}

constexpr std::uint32_t crc32(std::string_view bytes, std::uint32_t before = 0) {
    return crc32_of<0xEDB88320>(bytes, before);
}
constexpr std::uint32_t crc32c(std::string_view bytes, std::uint32_t before = 0) {
    return crc32_of<0x82F63B78>(bytes, before);
}

}  // namespace weft::detail
