/// \file
/// The header of a safetensors file.
#pragma once

#include "weft/core/shape.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <vector>

namespace weft::detail {

static_assert(std::endian::native == std::endian::little, "safetensors files are little-endian");

/// One tensor of a file: `size_bytes` bytes from `begin` on, counted from the end of the header.
struct SafetensorsEntry {
    std::string name;
    std::string dtype;
    Shape shape;
    std::uint64_t begin = 0;
    std::uint64_t size_bytes = 0;
};

/// What the format calls a number type; "F32" or "F64".
template <std::floating_point Scalar>
constexpr std::string_view safetensors_dtype() {
    return sizeof(Scalar) == 4 ? "F32" : "F64";
}

/// The bytes before the first tensor, for entries one after another without a gap:
///
///   size     8 bytes, little-endian: that of the JSON that follows
///   JSON     {"name": {"dtype": "F32", "shape": [3, 4], "data_offsets": [begin, end]}, ...},
///            with spaces at its end, so that the tensors start at a multiple of 8
///
/// Source: https://huggingface.co/docs/safetensors, section "Format".
inline std::string safetensors_header(const std::vector<SafetensorsEntry>& entries) {
    auto json = nlohmann::ordered_json::object();
    json["__metadata__"] = {{"format", "weft"}};
    for (const SafetensorsEntry& entry : entries) {
        json[entry.name] = {
            {"dtype", entry.dtype},
            {"shape", std::vector<Index>(entry.shape.begin(), entry.shape.end())},
            {"data_offsets", {entry.begin, entry.begin + entry.size_bytes}},
        };
    }
    std::string text;
    try {
        text = json.dump();
    } catch (const nlohmann::json::exception&) {
        throw ArgumentError("save_weights: a layer's name is not UTF-8 text");
    }
    text.resize((text.size() + 7) / 8 * 8, ' ');
    const auto size = static_cast<std::uint64_t>(text.size());
    std::string header(sizeof size, '\0');
    std::memcpy(header.data(), &size, sizeof size);
    return header += text;
}

/// A safetensors file whose header was read and holds with the file's size: every tensor lies
/// within it, they do not overlap, and there is nothing between or behind them. Throws IoError,
/// which names the file.
class SafetensorsFile {
public:
    explicit SafetensorsFile(const std::filesystem::path& path) : name_(path.string()) {
        std::error_code ignored;
        require(std::filesystem::exists(path, ignored), "no such file");
        require(std::filesystem::is_regular_file(path, ignored), "is not a regular file");
        file_.open(path, std::ios::binary | std::ios::ate);
        require(file_.is_open(), "cannot be opened");
        const auto file_size = static_cast<std::uint64_t>(file_.tellg());
        std::uint64_t header_size = 0;
        require(file_size >= sizeof header_size,
                concat("holds ", file_size, " bytes, expected the header of a safetensors file"));
        read(0, &header_size, sizeof header_size);
        data_begin_ = sizeof header_size + header_size;
        require(header_size <= largest_header && data_begin_ <= file_size,
                concat("declares a header of ", header_size, " bytes, but holds ", file_size));
        std::string text(header_size, '\0');
        read(sizeof header_size, text.data(), text.size());
        try {
            parse(parse_json(text), file_size - data_begin_);
        } catch (const nlohmann::json::exception&) {
            require(false, "its header is not that of a safetensors file");
        }
    }

    const std::string& name() const { return name_; }
    const std::vector<SafetensorsEntry>& entries() const { return entries_; }

    /// The numbers of an entry.
    void read(const SafetensorsEntry& entry, void* to) {
        read(data_begin_ + entry.begin, to, entry.size_bytes);
    }

private:
    /// As the format's own reader has it: no header of a sane file comes near.
    static constexpr std::uint64_t largest_header = 100'000'000;

    void require(bool holds, std::string_view complaint) const {
        if (!holds) throw IoError(concat(name_, ": ", complaint));
    }

    void read(std::uint64_t from, void* to, std::size_t count) {
        file_.seekg(static_cast<std::streamoff>(from));
        file_.read(static_cast<char*>(to), static_cast<std::streamsize>(count));
        require(static_cast<bool>(file_), "cannot be read to its end");
    }

    /// Refuses JSON that is deeper than a header is, which would take far more memory than the
    /// file, and two tensors of one name.
    nlohmann::json parse_json(const std::string& text) const {
        using Event = nlohmann::json::parse_event_t;
        std::set<std::string> names;
        return nlohmann::json::parse(text, [&](int depth, Event event, nlohmann::json& parsed) {
            const bool opens = event == Event::object_start || event == Event::array_start;
            require(!opens || depth < 3, "its header is not that of a safetensors file");
            if (depth == 1 && event == Event::key) {
                const auto [name, is_new] = names.insert(parsed.get<std::string>());
                require(is_new, concat("has two tensors ", *name));
            }
            return true;
        });
    }

    void parse(const nlohmann::json& json, std::uint64_t data_size) {
        require(json.is_object(), "its header is not that of a safetensors file");
        for (const auto& [name, fields] : json.items()) {
            if (name == "__metadata__") continue;
            const auto& extents = fields.at("shape");
            const auto& offsets = fields.at("data_offsets");
            require(extents.is_array() && extents.size() <= Shape::max_rank && offsets.size() == 2,
                    concat("tensor ", name, " has no shape or place"));
            SafetensorsEntry entry{name, fields.at("dtype"), {}, offsets[0], 0};
            const std::uint64_t end = offsets[1];
            require(
                std::ranges::all_of(offsets, is_count) && entry.begin <= end && end <= data_size,
                concat("tensor ", name, " lies outside the file's ", data_size,
                       " bytes of numbers"));
            entry.size_bytes = end - entry.begin;
            require(std::ranges::all_of(extents, is_count),
                    concat("tensor ", name, " has an extent that is no number of things"));
            const std::vector<Index> shape = extents;
            try {
                entry.shape = Shape(std::span<const Index>(shape));
            } catch (const ShapeError& error) {
                require(false, concat("tensor ", name, ": ", error.what()));
            }
            entries_.push_back(std::move(entry));
        }
        std::ranges::sort(entries_, {}, [](const SafetensorsEntry& entry) {
            return std::pair(entry.begin, entry.size_bytes);
        });
        std::uint64_t covered = 0;
        for (const SafetensorsEntry& entry : entries_) {
            require(entry.begin == covered,
                    concat("tensor ", entry.name, " does not start where the one before it ends"));
            covered += entry.size_bytes;
        }
        require(covered == data_size,
                concat("holds ", data_size, " bytes of numbers, expected ", covered));
    }

    static bool is_count(const nlohmann::json& number) { return number.is_number_unsigned(); }

    std::string name_;
    std::ifstream file_;
    std::uint64_t data_begin_ = 0;
    std::vector<SafetensorsEntry> entries_;
};

}  // namespace weft::detail
