/// \file
/// mutate_png: libFuzzer's changes, made where they lead further.
#pragma once

#include "weft/core/crc32.hpp"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace weft::fuzz {

/// Four bytes, the highest first.
inline std::uint32_t read_big_endian(const std::uint8_t* from) {
    return std::uint32_t{from[0]} << 24 | std::uint32_t{from[1]} << 16 |
           std::uint32_t{from[2]} << 8 | from[3];
}
inline void write_big_endian(std::uint32_t value, std::uint8_t* to) {
    for (int i = 3; i >= 0; --i, value >>= 8) to[i] = static_cast<std::uint8_t>(value);
}

/// For LLVMFuzzerCustomMutator: changes anything, or the name and data of one PNG chunk, whose size
/// and CRC-32 are then set right; else nearly every change would be refused for its CRC-32. The new
/// size of the file.
inline std::size_t mutate_png(std::uint8_t* data, std::size_t size, std::size_t max_size,
                              unsigned seed) {
    constexpr std::size_t signature = 8, around = 12;  // a chunk's size, name and CRC-32
    std::vector<std::size_t> chunks;
    for (std::size_t at = signature; at + around <= size;) {
        const std::size_t end = at + around + read_big_endian(data + at);
        if (end > size) break;
        chunks.push_back(at);
        at = end;
    }
    if (chunks.empty() || data[0] != 0x89 || seed % 4 == 0) {
        return LLVMFuzzerMutate(data, size, max_size);
    }
    const std::size_t at = chunks[seed / 4 % chunks.size()];
    std::size_t length = 4 + read_big_endian(data + at);  // of name and data
    const std::vector<std::uint8_t> rest(data + at + 4 + length + 4, data + size);
    std::uint8_t* const name = data + at + 4;
    length = LLVMFuzzerMutate(name, length, max_size - (at + 8) - rest.size());
    length = std::max<std::size_t>(length, 4);
    write_big_endian(static_cast<std::uint32_t>(length - 4), data + at);
    const std::string_view text(reinterpret_cast<const char*>(name), length);
    write_big_endian(detail::crc32(text), name + length);
    std::ranges::copy(rest, name + length + 4);
    return at + 8 + length + rest.size();
}

}  // namespace weft::fuzz
