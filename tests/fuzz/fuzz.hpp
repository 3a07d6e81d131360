/// \file
/// What a fuzz target defines: a reader of files, run by libFuzzer through fuzz.cpp.
#pragma once

#include "weft/core/error.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>
#include <string_view>

namespace weft::fuzz {

/// A file's bytes.
using Bytes = std::span<const std::uint8_t>;

/// Reads the file at that path, which holds these bytes. A weft::Error is one of its results; any
/// other exception, a sanitizer's report or an assertion is a finding.
void read(const std::filesystem::path& path, Bytes bytes);

/// The memory that read may hold at one time, in bytes, for a file of that size.
std::size_t memory_limit(Bytes bytes);

/// Writes files that are well-formed, or nearly so, into a folder: what libFuzzer starts from.
void write_seeds(const std::filesystem::path& folder);

/// For write_seeds: writes one file.
inline void write_seed(const std::filesystem::path& path, std::string_view bytes) {
    std::ofstream file(path, std::ios::binary);
    file << bytes;
}

/// For read: goes on after a weft::Error.
template <class Read>
void try_to(const Read& read) {
    try {
        read();
    } catch (const Error&) {
    }
}

/// A file in memory, of which there is a path but no entry in any folder.
class MemoryFile {
public:
    MemoryFile();
    MemoryFile(const MemoryFile&) = delete;
    MemoryFile& operator=(const MemoryFile&) = delete;
    ~MemoryFile();

    /// Replaces the contents.
    void write(Bytes bytes);
    const std::filesystem::path& path() const { return path_; }

private:
    int descriptor_;
    std::filesystem::path path_;
};

}  // namespace weft::fuzz
