// Result files that are there as a whole or not at all.
#pragma once

#include <weft/core/error.hpp>

#include <filesystem>
#include <fstream>
#include <string>

/// Writes to a file beside the path, which write_file then puts in its place.
inline std::filesystem::path write_beside(const std::filesystem::path& path,
                                          const std::string& text) {
    // With room for what is added: names have at most 255 bytes.
    const std::string name = path.filename().string().substr(0, 250);
    const std::filesystem::path temporary = path.parent_path() / (name + ".part");
    std::ofstream file(temporary, std::ios::binary);
    file << text;
    file.close();
    if (!file) throw weft::IoError(temporary.string() + ": cannot be written");
    return temporary;
}

inline void check_writable(const std::filesystem::path& path) {
    std::filesystem::remove(write_beside(path, ""));
}

/// Writes the whole file or, on failure, leaves what was there before.
inline void write_file(const std::filesystem::path& path, const std::string& text) {
    std::filesystem::rename(write_beside(path, text), path);
}
