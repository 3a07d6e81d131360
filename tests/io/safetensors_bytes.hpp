/// \file
/// The bytes of a safetensors file, as the format lays them out.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>

namespace weft {

/// A file of that header and data.
inline std::string safetensors(const std::string& json, const std::string& data) {
    std::string file(8, '\0');
    const std::uint64_t size = json.size();
    std::memcpy(file.data(), &size, sizeof size);
    return file + json + data;
}

/// The size of a file's JSON, which begins at byte 8.
inline std::size_t header_size_of(const std::string& file) {
    std::uint64_t size = 0;
    std::memcpy(&size, file.data(), sizeof size);
    return size;
}

}  // namespace weft
