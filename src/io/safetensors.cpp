// safetensors files: a compiled part of weft::io, like io.cpp.
#include "weft/io/detail/safetensors.hpp"

#include "weft/core/atomic_file.hpp"
#include "weft/core/file_format.hpp"
#include "weft/core/file_name.hpp"

#include <algorithm>
#include <cerrno>
#include <span>

namespace weft::detail {

namespace {

/// The bound of the format's own reader; headers of real files are far smaller.
constexpr std::uint64_t largest_header = 100'000'000;

constexpr std::uint64_t no_count = ~std::uint64_t{0};

/// A whole number of at least 0; no_count for other values.
std::uint64_t count_of(const Json& number) {
    const auto* integer = number.integer();
    return integer && *integer >= 0 ? static_cast<std::uint64_t>(*integer) : no_count;
}

}  // namespace

void write_safetensors(const std::filesystem::path& path,
                       const std::vector<SafetensorsSource>& tensors,
                       const SafetensorsMetadata& metadata, std::string_view what) {
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

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path)
    : name_(FileName(path).string()) {
    std::error_code error;
    const std::filesystem::file_status status = std::filesystem::status(path, error);
    require(status.type() != std::filesystem::file_type::not_found, "no such file");
    require(exists(status), concat("cannot be accessed: ", error.message()));
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
    const bool fits = header_size <= (std::min)(largest_header, size_bytes_ - sizeof header_size);
    std::string text(fits ? header_size : 0, '\0');
    read(sizeof header_size, text.data(), text.size());
    if (!text.starts_with('{')) require_no_other_format();
    require(fits, concat("declares a header of ", header_size, " bytes, but holds ", size_bytes_));
    data_begin_ = sizeof header_size + header_size;
    parse(parse_json(text, 3, concat(name_, ": its header")));
}

const SafetensorsEntry* SafetensorsFile::find(std::string_view name) const {
    const auto found = std::ranges::find(entries_, name, &SafetensorsEntry::name);
    return found == entries_.end() ? nullptr : &*found;
}

std::string_view SafetensorsFile::metadata(std::string_view name) const {
    const Json* text = metadata_.find(name);
    return text ? std::string_view(*text->text()) : std::string_view();
}

void SafetensorsFile::require(bool holds, std::string_view complaint) const {
    if (!holds) throw IoError(concat(name_, ": ", complaint));
}

void SafetensorsFile::read(std::uint64_t from, void* to, std::size_t count) {
    file_.seekg(static_cast<std::streamoff>(from));
    file_.read(static_cast<char*>(to), static_cast<std::streamsize>(count));
    require(static_cast<bool>(file_), "cannot be read to its end");
}

void SafetensorsFile::require_no_other_format() {
    std::string start((std::min<std::uint64_t>)(size_bytes_, 64), '\0');
    read(0, start.data(), start.size());
    const std::string_view format = known_file_format(start);
    require(format.empty(), concat("is ", format, ", expected a safetensors file"));
}

void SafetensorsFile::parse(Json header) {
    require(header.object() != nullptr, "its header is not a JSON object");
    for (Json::Member& member : *header.object()) {
        if (member.name != "__metadata__") {
            entries_.push_back(parse_entry(member.name, member.value));
            continue;
        }
        metadata_ = std::move(member.value);
        require(metadata_.object() != nullptr, "its metadata is not an object");
        for (const Json::Member& text : *metadata_.object()) {
            require(text.value.text() != nullptr,
                    concat("its metadata ", text.name, " is not a text"));
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

SafetensorsEntry SafetensorsFile::parse_entry(const std::string& name, const Json& fields) const {
    const Json* dtype = fields.find("dtype");
    const Json* extents = fields.find("shape");
    const Json* offsets = fields.find("data_offsets");
    require(dtype && dtype->text() && extents && extents->array() &&
                extents->array()->size() <= Shape::max_rank && offsets && offsets->array() &&
                offsets->array()->size() == 2,
            concat("tensor ", name, " has no type, shape or place"));
    const std::uint64_t data_size = size_bytes_ - data_begin_;
    const std::uint64_t begin = count_of((*offsets->array())[0]);
    const std::uint64_t end = count_of((*offsets->array())[1]);
    require(begin <= end && end <= data_size,
            concat("tensor ", name, " lies outside the file's ", data_size, " bytes of numbers"));
    std::vector<Index> shape;
    for (const Json& extent : *extents->array()) {
        require(count_of(extent) != no_count,
                concat("tensor ", name, " has an extent that is not a whole number of at least 0"));
        shape.push_back(*extent.integer());
    }
    try {
        return {name, *dtype->text(), Shape(std::span<const Index>(shape)), begin, end - begin};
    } catch (const ShapeError& error) {
        throw IoError(concat(name_, ": tensor ", name, ": ", error.what()));
    }
}

}  // namespace weft::detail
