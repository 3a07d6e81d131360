/// \file
/// IDX: the file format of MNIST and Fashion-MNIST.
#pragma once

#include "weft/core/file_name.hpp"
#include "weft/core/system.hpp"
#include "weft/core/tensor.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <limits>
#include <string>
#include <string_view>
#include <system_error>

namespace weft {

/// The number types that an IDX file can hold.
template <class T>
concept IdxElement = std::same_as<T, std::uint8_t> || std::same_as<T, std::int8_t> ||
                     std::same_as<T, std::int16_t> || std::same_as<T, std::int32_t> ||
                     std::same_as<T, float> || std::same_as<T, double>;

/// Reads an uncompressed IDX file, which is
///
///   00 00      two zero bytes
///   type       one byte: 0x08 uint8, 0x09 int8, 0x0B int16, 0x0C int32, 0x0D float, 0x0E double
///   rank       one byte, 1 to 8
///   extents    rank numbers of 32 bits, unsigned, big-endian, outermost axis first
///   elements   row-major, big-endian
///
/// and nothing after it. The extents are the shape of the tensor. Memory is allocated only if the
/// file holds exactly as many bytes as its header declares.
/// Throws IoError, which names the file, when it is missing, is not an IDX file, holds elements of
/// another type than Scalar, or is shorter or longer than its header says. gzip.hpp reads compressed
/// files.
/// Source: LeCun, Cortes and Burges, "The MNIST database of handwritten digits",
/// http://yann.lecun.com/exdb/mnist/, section "The IDX file format".
template <IdxElement Scalar>
Tensor<Scalar> read_idx(const FileName& path);

namespace detail {

struct IdxType {
    std::uint8_t code;
    std::string_view name;
};

inline constexpr std::array<IdxType, 6> idx_types{{{0x08, "uint8"},
                                                   {0x09, "int8"},
                                                   {0x0B, "int16"},
                                                   {0x0C, "int32"},
                                                   {0x0D, "float"},
                                                   {0x0E, "double"}}};

template <IdxElement T>
inline constexpr IdxType idx_type = idx_types[std::same_as<T, std::uint8_t>   ? 0
                                              : std::same_as<T, std::int8_t>  ? 1
                                              : std::same_as<T, std::int16_t> ? 2
                                              : std::same_as<T, std::int32_t> ? 3
                                              : std::same_as<T, float>        ? 4
                                                                              : 5];

/// Two hexadecimal digits.
WEFT_COLD inline std::string hex(std::uint8_t byte) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    return {digits[byte >> 4], digits[byte & 15]};
}

WEFT_COLD inline void append(std::string& text, const IdxType& type) {
    text += join({type.name, " (0x", hex(type.code), ")"});
}

template <class T>
T from_big_endian(const void* bytes) {
    std::array<std::byte, sizeof(T)> raw;
    std::memcpy(raw.data(), bytes, sizeof(T));
    if constexpr (std::endian::native == std::endian::little) std::reverse(raw.begin(), raw.end());
    return std::bit_cast<T>(raw);
}

/// Bytes that are read once, in order.
class ByteSource {
public:
    explicit ByteSource(std::string name) : name_(std::move(name)) {}
    virtual ~ByteSource() = default;

    const std::string& name() const { return name_; }

    /// The number of bytes left. A source that does not know it may stop counting at `enough`.
    virtual std::uint64_t available(std::uint64_t enough) = 0;

    /// Copies the next bytes to memory. There must be that many.
    virtual void read(void* to, std::size_t size_bytes) = 0;

private:
    std::string name_;
};

/// The bytes of a file.
class FileBytes final : public ByteSource {
public:
    /// Throws IoError when the path is not a regular file that can be opened.
    WEFT_COLD explicit FileBytes(const FileName& path) : ByteSource(path.string()) {
        const auto require = [this](bool holds, std::string_view complaint, int error) {
            if (holds) return;
            throw IoError(join({name(), complaint, std::generic_category().message(error)}));
        };
        const FileStatus status = file_status(path.native());
        if (status.error == ENOENT || status.error == ENOTDIR) {
            throw IoError(join({name(), ": no such file"}));
        }
        require(status.error == 0, ": cannot be accessed: ", status.error);
        if (!status.is_regular) {
            throw IoError(
                join({name(), ": is ", status.is_directory ? "a directory" : "a special file",
                      ", expected a regular file"}));
        }
        size_ = left_ = status.size_bytes;
        file_.rdbuf()->pubsetbuf(nullptr, 0);  // unbuffered, for reads of a few bytes
        path.open(file_, std::ios::binary);
        require(file_.is_open(), ": cannot be opened: ", errno);
    }

    std::uint64_t size() const { return size_; }
    std::uint64_t left() const { return left_; }

    std::uint64_t available(std::uint64_t) override { return left_; }

    WEFT_COLD void read(void* to, std::size_t size_bytes) override {
        file_.read(static_cast<char*>(to), static_cast<std::streamsize>(size_bytes));
        if (!file_) {
            throw IoError(
                join({name(), ": cannot be read beyond byte ",
                      size_ - left_ + static_cast<std::uint64_t>(file_.gcount()), " of ", size_}));
        }
        left_ -= size_bytes;
    }

    /// Continues at byte `position`, at most size().
    WEFT_COLD void seek(std::uint64_t position) {
        file_.clear();
        file_.seekg(static_cast<std::streamoff>(position));
        left_ = size_ - position;
    }

    /// Whether the file starts like a gzip file. Call it before the first read.
    WEFT_COLD bool is_gzip() {
        std::array<char, 2> start{};
        file_.read(start.data(), start.size());
        if (file_.bad()) throw IoError(join({name(), ": cannot be read"}));
        file_.clear();
        file_.seekg(0);
        return start == std::array<char, 2>{'\x1f', '\x8b'};
    }

private:
    std::ifstream file_;
    std::uint64_t size_ = 0;
    std::uint64_t left_ = 0;
};

/// Reads the next bytes of an IDX header; `before` bytes of it were read already.
WEFT_COLD inline void read_idx_header(ByteSource& bytes, Span<std::uint8_t> part,
                                      std::size_t before) {
    const std::uint64_t available = bytes.available(part.size());
    if (available < part.size()) {
        throw IoError(join({bytes.name(), ": holds ", before + available,
                            " bytes, expected an IDX header of ", before + part.size(),
                            before == 0 ? " or more" : ""}));
    }
    bytes.read(part.data(), part.size());
}

/// Reads the header and returns its shape. Throws IoError unless the elements have the expected
/// type and exactly their bytes are left.
WEFT_COLD inline Shape parse_idx_header(ByteSource& bytes, const IdxType& expected,
                                        Index element_bytes) {
    std::array<std::uint8_t, 4> magic;
    read_idx_header(bytes, magic, 0);
    const auto [zero, also_zero, code, rank] = magic;
    if (zero != 0 || also_zero != 0) {
        throw IoError(join({bytes.name(), ": starts with ", hex(zero), " ", hex(also_zero), " ",
                            hex(code), " ", hex(rank), ", expected 00 00 <type> <rank> of IDX"}));
    }
    if (code != expected.code) {
        const auto is_that = [found = code](const IdxType& type) { return type.code == found; };
        const auto type = std::find_if(idx_types.begin(), idx_types.end(), is_that);
        throw IoError(join(
            {bytes.name(), ": holds elements of type ",
             type == idx_types.end() ? join({"0x", hex(code), ", unknown to IDX"}) : join({*type}),
             ", expected ", expected}));
    }
    if (rank < 1 || rank > Shape::max_rank) {
        throw IoError(
            join({bytes.name(), ": has rank ", rank, ", expected 1 to ", Shape::max_rank}));
    }

    std::array<std::uint8_t, 4 * Shape::max_rank> encoded;
    read_idx_header(bytes, {encoded.data(), 4u * rank}, magic.size());
    std::array<Index, Shape::max_rank> extents;
    for (std::size_t axis = 0; axis < rank; ++axis) {
        extents[axis] = static_cast<Index>(from_big_endian<std::uint32_t>(&encoded[4 * axis]));
    }
    Shape shape;
    try {
        shape = Shape(Span<const Index>(extents.data(), rank));
    } catch (const ShapeError& error) {
        throw IoError(join({bytes.name(), ": ", error.what()}));
    }

    if (shape.size() >= (std::numeric_limits<Index>::max)() / element_bytes) {
        throw IoError(join({bytes.name(), ": shape ", shape, " has too many elements"}));
    }
    const auto declared = static_cast<std::uint64_t>(shape.size() * element_bytes);
    const std::uint64_t available = bytes.available(declared + 1);
    if (available != declared) {
        throw IoError(join({bytes.name(), ": holds ", available > declared ? "more than " : "",
                            (std::min)(available, declared), " bytes of elements, expected ",
                            declared, " for shape ", shape, " of ", expected.name}));
    }
    return shape;
}

/// Reads IDX from any source of bytes.
template <IdxElement Scalar>
WEFT_COLD Tensor<Scalar> parse_idx(ByteSource& bytes) {
    Tensor<Scalar> tensor(parse_idx_header(bytes, idx_type<Scalar>, sizeof(Scalar)));
    bytes.read(tensor.data(), sizeof(Scalar) * static_cast<std::size_t>(tensor.size()));
    if constexpr (sizeof(Scalar) > 1) {
        for (Scalar& element : tensor) element = from_big_endian<Scalar>(&element);
    }
    return tensor;
}

WEFT_COLD inline void require_not_gzip(FileBytes& file, std::string_view advice) {
    if (!file.is_gzip()) return;
    throw IoError(
        join({file.name(), ": is compressed by gzip, expected a plain IDX file; ", advice}));
}

}  // namespace detail

template <IdxElement Scalar>
Tensor<Scalar> read_idx(const FileName& path) {
    detail::FileBytes file(path);
    detail::require_not_gzip(file, "read_idx_any of weft/data/gzip.hpp reads both");
    return detail::parse_idx<Scalar>(file);
}

}  // namespace weft
