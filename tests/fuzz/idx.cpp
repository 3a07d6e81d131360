// IDX files, plain and compressed by gzip, read at once and streamed.
#include "tests/fuzz/fuzz.hpp"

#include "weft/data/gzip.hpp"
#include "weft/data/stream_idx.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace weft::fuzz {

namespace {

/// A file of bytes whose elements are all of that value.
std::string idx(const Shape& shape, std::uint8_t code, std::size_t element_bytes, char value) {
    std::string file{'\0', '\0', static_cast<char>(code), static_cast<char>(shape.rank())};
    for (const Index extent : shape) {
        for (int shift = 24; shift >= 0; shift -= 8) file += static_cast<char>(extent >> shift);
    }
    return file.append(static_cast<std::size_t>(shape.size()) * element_bytes, value);
}

/// One member of a gzip file.
std::string gzip(std::string text, int level) {
    z_stream stream{};
    deflateInit2(&stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    std::string packed(deflateBound(&stream, text.size()), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(text.data());
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(packed.data());
    stream.avail_out = static_cast<uInt>(packed.size());
    deflate(&stream, Z_FINISH);
    packed.resize(stream.total_out);
    deflateEnd(&stream);
    return packed;
}

/// Samples of the file, as a data set that leaves them there gives them.
void stream(const std::filesystem::path& path, Index count) {
    static MemoryFile labels;
    const std::string classes = idx({count}, 0x08, 1, 1);
    labels.write({reinterpret_cast<const std::uint8_t*>(classes.data()), classes.size()});
    const Examples<float> examples = stream_idx<float>(path, labels.path());
    Tensor<float> x(examples->input_shape());
    float y = 0;
    for (Index i = 0; i < examples->size(); ++i) {
        examples->gather({&i, 1}, x.data(), &y);
    }
}

}  // namespace

void read(const std::filesystem::path& path, Bytes bytes) {
    switch (bytes.size() > 2 ? bytes[2] : 0) {
        case 0x09:
            read_idx<std::int8_t>(path);
            break;
        case 0x0B:
            read_idx<std::int16_t>(path);
            break;
        case 0x0C:
            read_idx<std::int32_t>(path);
            break;
        case 0x0D:
            read_idx<float>(path);
            break;
        case 0x0E:
            read_idx<double>(path);
            break;
        default: {
            const Tensor<std::uint8_t> tensor = read_idx_any<std::uint8_t>(path);
            if (tensor.size() > 0) stream(path, tensor.shape()[0]);
        }
    }
}

/// Deflate makes at most 1032 bytes of one; they are held once as a vector that grows and once as a
/// tensor.
std::size_t memory_limit(Bytes bytes) {
    const bool is_gzip = bytes.size() > 1 && bytes[0] == 0x1f && bytes[1] == 0x8b;
    return (std::size_t{256} << 10) + (is_gzip ? 4 * 1032 : 8) * bytes.size();
}

void write_seeds(const std::filesystem::path& folder) {
    const std::string images = idx({3, 4, 2}, 0x08, 1, 7);
    write_seed(folder / "uint8", images);
    write_seed(folder / "int8", idx({5}, 0x09, 1, -1));
    write_seed(folder / "int16", idx({2, 3}, 0x0B, 2, 1));
    write_seed(folder / "int32", idx({3, 1, 2, 1}, 0x0C, 4, 1));
    write_seed(folder / "float", idx({2, 2}, 0x0D, 4, 63));
    write_seed(folder / "double", idx({1, 1, 1, 1, 1, 1, 1, 2}, 0x0E, 8, 63));
    write_seed(folder / "no_elements", idx({3, 0}, 0x08, 1, 0));
    write_seed(folder / "stored.gz", gzip(images, 0));
    write_seed(folder / "packed.gz", gzip(idx({50, 8}, 0x08, 1, 7), 9));
    write_seed(folder / "two_members.gz", gzip(images.substr(0, 9), 6) + gzip(images.substr(9), 6));
}

}  // namespace weft::fuzz
