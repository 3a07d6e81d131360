/// \file
/// safetensors files: named tensors and metadata. Compiled in src/io/safetensors.cpp.
#pragma once

#include "weft/core/shape.hpp"
#include "weft/io/detail/json.hpp"

#include <bit>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weft::detail {

static_assert(std::endian::native == std::endian::little, "safetensors files are little-endian");

/// The format's name of a number type: "F32" or "F64".
template <std::floating_point Scalar>
constexpr std::string_view safetensors_dtype() {
    return sizeof(Scalar) == 4 ? "F32" : "F64";
}

/// A tensor in memory to write.
struct SafetensorsSource {
    std::string name;
    std::string_view dtype;
    Shape shape;
    const void* data;
    std::uint64_t size_bytes;
};

/// Texts of the metadata, by name.
using SafetensorsMetadata = std::vector<std::pair<std::string, std::string>>;

/// Writes tensors and metadata to a file, replacing an old file as a whole or not at all:
///
///   size     8 bytes, little-endian: the size of the JSON
///   JSON     {"__metadata__": {"name": "text", ...},
///             "name": {"dtype": "F32", "shape": [3, 4], "data_offsets": [begin, end]}, ...},
///            padded with spaces: the tensors start at a multiple of 8
///   tensors  one after another without a gap
///
/// Source: https://huggingface.co/docs/safetensors, section "Format". `what` starts error messages.
void write_safetensors(const std::filesystem::path& path,
                       const std::vector<SafetensorsSource>& tensors,
                       const SafetensorsMetadata& metadata, std::string_view what);

/// One tensor of a file: `size_bytes` bytes from `begin` on, counted from the end of the header.
struct SafetensorsEntry {
    std::string name;
    std::string dtype;
    Shape shape;
    std::uint64_t begin = 0;
    std::uint64_t size_bytes = 0;
};

/// A safetensors file with a checked header: every tensor lies within the file, tensors do not
/// overlap, and there is nothing between or behind them. Throws IoError, which names the file.
class SafetensorsFile {
public:
    explicit SafetensorsFile(const std::filesystem::path& path);

    const std::string& name() const { return name_; }
    std::uint64_t size_bytes() const { return size_bytes_; }

    /// Entries in the order of their places.
    const std::vector<SafetensorsEntry>& entries() const { return entries_; }

    /// The entry with the given name; null if there is none.
    const SafetensorsEntry* find(std::string_view name) const;

    /// The text with the given name in the metadata; empty if there is none.
    std::string_view metadata(std::string_view name) const;

    /// Reads the numbers of an entry.
    void read(const SafetensorsEntry& entry, void* to) {
        read(data_begin_ + entry.begin, to, entry.size_bytes);
    }

    /// Throws IoError `<name>: <complaint>` unless `holds`.
    void require(bool holds, std::string_view complaint) const;

private:
    void read(std::uint64_t from, void* to, std::size_t count);

    /// Throws IoError that names the file's format, if it is a known one other than safetensors.
    void require_no_other_format();

    void parse(Json header);

    SafetensorsEntry parse_entry(const std::string& name, const Json& fields) const;

    std::string name_;
    std::ifstream file_;
    std::uint64_t size_bytes_ = 0;
    std::uint64_t data_begin_ = 0;
    std::vector<SafetensorsEntry> entries_;
    Json metadata_;
};

}  // namespace weft::detail
