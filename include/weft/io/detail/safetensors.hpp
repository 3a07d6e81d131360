/// \file
/// safetensors files: named tensors, and text about them.
#pragma once

#include "weft/core/atomic_file.hpp"
#include "weft/core/file_format.hpp"
#include "weft/core/shape.hpp"
#include "weft/io/detail/json.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <span>
#include <vector>

namespace weft::detail {

static_assert(std::endian::native == std::endian::little, "safetensors files are little-endian");

/// What the format calls a number type; "F32" or "F64".
template <std::floating_point Scalar>
constexpr std::string_view safetensors_dtype() {
    return sizeof(Scalar) == 4 ? "F32" : "F64";
}

/// A tensor in memory, to be written.
struct SafetensorsSource {
    std::string name;
    std::string_view dtype;
    Shape shape;
    const void* data;
    std::uint64_t size_bytes;
};

/// Text about a file, by name.
using SafetensorsMetadata = std::vector<std::pair<std::string, std::string>>;

/// Puts tensors and text into a file, in place of the one that is there, or leaves that as it is:
///
///   size     8 bytes, little-endian: that of the JSON that follows
///   JSON     {"__metadata__": {"name": "text", ...},
///             "name": {"dtype": "F32", "shape": [3, 4], "data_offsets": [begin, end]}, ...},
///            with spaces at its end, so that the tensors start at a multiple of 8
///   tensors  one after another without a gap
///
/// Source: https://huggingface.co/docs/safetensors, section "Format". `what` says in errors who
/// writes.
WEFT_COLD inline void write_safetensors(const std::filesystem::path& path,
                                        const std::vector<SafetensorsSource>& tensors,
                                        const SafetensorsMetadata& metadata,
                                        std::string_view what) {
    Json::Object header, texts;
    for (const auto& [name, text] : metadata) texts.push_back({name, std::string_view(text)});
    header.push_back({"__metadata__", std::move(texts)});
    std::uint64_t begin = 0;
    for (const SafetensorsSource& tensor : tensors) {
        Json::Array extents, offsets;
        for (const Index extent : tensor.shape) extents.emplace_back(extent);
        offsets.emplace_back(begin);
        offsets.emplace_back(begin += tensor.size_bytes);
        Json::Object fields;
        fields.push_back({"dtype", tensor.dtype});
        fields.push_back({"shape", std::move(extents)});
        fields.push_back({"data_offsets", std::move(offsets)});
        header.push_back({tensor.name, std::move(fields)});
    }
    std::string text = to_text(std::move(header), what);
    text.resize((text.size() + 7) / 8 * 8, ' ');
    const std::uint64_t size = text.size();
    AtomicFile file(path);
    file.write(&size, sizeof size);
    file.write(text.data(), text.size());
    for (const SafetensorsSource& tensor : tensors) file.write(tensor.data, tensor.size_bytes);
    file.commit();
}

/// One tensor of a file: `size_bytes` bytes from `begin` on, counted from the end of the header.
struct SafetensorsEntry {
    std::string name;
    std::string dtype;
    Shape shape;
    std::uint64_t begin = 0;
    std::uint64_t size_bytes = 0;
};

/// A safetensors file whose header was read and holds with the file's size: every tensor lies
/// within it, they do not overlap, and there is nothing between or behind them. Throws IoError,
/// which names the file.
class SafetensorsFile {
public:
    WEFT_COLD explicit SafetensorsFile(const std::filesystem::path& path) : name_(path.string()) {
        std::error_code error;
        const std::filesystem::file_status status = std::filesystem::status(path, error);
        require(status.type() != std::filesystem::file_type::not_found, "no such file");
        require(exists(status), concat("cannot be looked at: ", error.message()));
        require(is_regular_file(status), "is not a regular file");
        file_.open(path, std::ios::binary | std::ios::ate);
        error.assign(errno, std::generic_category());
        require(file_.is_open(), concat("cannot be opened: ", error.message()));
        size_bytes_ = static_cast<std::uint64_t>(file_.tellg());
        std::uint64_t header_size = 0;
        require(size_bytes_ >= sizeof header_size, concat("holds ", size_bytes_,
                                                          " bytes, expected the header of a "
                                                          "safetensors file"));
        read(0, &header_size, sizeof header_size);
        const bool fits =
            header_size <= (std::min)(largest_header, size_bytes_ - sizeof header_size);
        std::string text(fits ? header_size : 0, '\0');
        read(sizeof header_size, text.data(), text.size());
        if (!text.starts_with('{')) require_no_other_format();
        require(fits,
                concat("declares a header of ", header_size, " bytes, but holds ", size_bytes_));
        data_begin_ = sizeof header_size + header_size;
        parse(parse_json(text, 3, concat(name_, ": its header")));
    }

    const std::string& name() const { return name_; }
    std::uint64_t size_bytes() const { return size_bytes_; }

    /// In the order of their places.
    const std::vector<SafetensorsEntry>& entries() const { return entries_; }

    /// The entry of that name; null when there is none.
    WEFT_COLD const SafetensorsEntry* find(std::string_view name) const {
        const auto found = std::ranges::find(entries_, name, &SafetensorsEntry::name);
        return found == entries_.end() ? nullptr : &*found;
    }

    /// The text of that name in the file's metadata; empty when there is none.
    WEFT_COLD std::string_view metadata(std::string_view name) const {
        const Json* text = metadata_.find(name);
        return text ? std::string_view(*text->text()) : std::string_view();
    }

    /// The numbers of an entry.
    void read(const SafetensorsEntry& entry, void* to) {
        read(data_begin_ + entry.begin, to, entry.size_bytes);
    }

    /// Throws IoError `<name>: <complaint>` unless it holds.
    WEFT_COLD void require(bool holds, std::string_view complaint) const {
        if (!holds) throw IoError(concat(name_, ": ", complaint));
    }

private:
    /// As the format's own reader has it: no header of a sane file comes near.
    static constexpr std::uint64_t largest_header = 100'000'000;

    WEFT_COLD void read(std::uint64_t from, void* to, std::size_t count) {
        file_.seekg(static_cast<std::streamoff>(from));
        file_.read(static_cast<char*>(to), static_cast<std::streamsize>(count));
        require(static_cast<bool>(file_), "cannot be read to its end");
    }

    /// Throws IoError that says what the file is, where that is known: not a safetensors file.
    WEFT_COLD void require_no_other_format() {
        std::string start((std::min<std::uint64_t>)(size_bytes_, 64), '\0');
        read(0, start.data(), start.size());
        const std::string_view format = known_file_format(start);
        require(format.empty(), concat("is ", format, ", expected a safetensors file"));
    }

    WEFT_COLD void parse(Json header) {
        require(header.object() != nullptr, "its header is not that of a safetensors file");
        for (Json::Member& member : *header.object()) {
            if (member.name != "__metadata__") {
                entries_.push_back(parse_entry(member.name, member.value));
                continue;
            }
            metadata_ = std::move(member.value);
            require(metadata_.object() != nullptr, "its metadata is no object");
            for (const Json::Member& text : *metadata_.object()) {
                require(text.value.text() != nullptr,
                        concat("its metadata ", text.name, " is no text"));
            }
        }
        std::ranges::stable_sort(entries_, {}, [](const SafetensorsEntry& entry) {
            return std::pair(entry.begin, entry.size_bytes);
        });
        std::uint64_t covered = 0;
        for (const SafetensorsEntry& entry : entries_) {
            require(entry.begin == covered,
                    concat("tensor ", entry.name, " does not start where the one before it ends"));
            covered += entry.size_bytes;
        }
        const std::uint64_t data_size = size_bytes_ - data_begin_;
        require(covered == data_size,
                concat("holds ", data_size, " bytes of numbers, expected ", covered));
    }

    WEFT_COLD SafetensorsEntry parse_entry(const std::string& name, const Json& fields) const {
        const Json* dtype = fields.find("dtype");
        const Json* extents = fields.find("shape");
        const Json* offsets = fields.find("data_offsets");
        require(dtype && dtype->text() && extents && extents->array() &&
                    extents->array()->size() <= Shape::max_rank && offsets && offsets->array() &&
                    offsets->array()->size() == 2,
                concat("tensor ", name, " has no type, shape or place"));
        const std::uint64_t data_size = size_bytes_ - data_begin_;
        const std::uint64_t begin = count((*offsets->array())[0]);
        const std::uint64_t end = count((*offsets->array())[1]);
        require(
            begin <= end && end <= data_size,
            concat("tensor ", name, " lies outside the file's ", data_size, " bytes of numbers"));
        std::vector<Index> shape;
        for (const Json& extent : *extents->array()) {
            require(count(extent) != no_count,
                    concat("tensor ", name, " has an extent that is no number of things"));
            shape.push_back(*extent.integer());
        }
        try {
            return {name, *dtype->text(), Shape(std::span<const Index>(shape)), begin, end - begin};
        } catch (const ShapeError& error) {
            throw IoError(concat(name_, ": tensor ", name, ": ", error.what()));
        }
    }

    static constexpr std::uint64_t no_count = ~std::uint64_t{0};

    static std::uint64_t count(const Json& number) {
        const auto* integer = number.integer();
        return integer && *integer >= 0 ? static_cast<std::uint64_t>(*integer) : no_count;
    }

    std::string name_;
    std::ifstream file_;
    std::uint64_t size_bytes_ = 0;
    std::uint64_t data_begin_ = 0;
    std::vector<SafetensorsEntry> entries_;
    Json metadata_;
};

}  // namespace weft::detail
