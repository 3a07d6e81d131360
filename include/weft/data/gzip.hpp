/// \file
/// Reading IDX files that may be compressed by gzip. Needs zlib.
#pragma once

#include "weft/data/idx.hpp"

#include <zlib.h>

#include <filesystem>
#include <vector>

namespace weft {

/// Reads an IDX file as read_idx does, plain or compressed by gzip, as its content says, not its
/// name. Decompression stops one byte after the size that the IDX header declares. Memory grows
/// with the data in the file, not with the declared size.
/// Throws IoError, which names the file, where read_idx does, and when the compressed data are
/// truncated, corrupt (checksum and length are verified) or followed by other data than a gzip
/// member.
/// Source: RFC 1952, "GZIP file format specification version 4.3".
template <IdxElement Scalar>
Tensor<Scalar> read_idx_any(const std::filesystem::path& path);

namespace detail {

/// The decompressed bytes of a gzip file.
class GzipBytes final : public ByteSource {
public:
    WEFT_COLD explicit GzipBytes(FileBytes& file) : ByteSource(file.name()), file_(file) {
        // 15 is the largest window; 16 more accepts only data with gzip's header and checksum.
        // (gzread would accept plain data, truncated data and data behind the end.)
        const int status = inflateInit2(&stream_, 15 + 16);
        if (status != Z_OK) fail(concat("cannot be decompressed: ", zError(status)));
    }
    GzipBytes(const GzipBytes&) = delete;
    GzipBytes& operator=(const GzipBytes&) = delete;
    ~GzipBytes() override { inflateEnd(&stream_); }

    WEFT_COLD std::uint64_t available(std::uint64_t enough) override {
        while (!ended_ && contents_.size() - read_ < enough) inflate_block();
        return contents_.size() - read_;
    }

    WEFT_COLD void read(void* to, std::size_t size_bytes) override {
        if (size_bytes > 0) std::memcpy(to, contents_.data() + read_, size_bytes);
        read_ += size_bytes;
    }

private:
    static constexpr std::size_t block_bytes = 1 << 15;

    WEFT_COLD void inflate_block() {
        const std::size_t before = contents_.size();
        contents_.resize(before + block_bytes);
        stream_.next_out = reinterpret_cast<Bytef*>(contents_.data() + before);
        stream_.avail_out = static_cast<uInt>(block_bytes);
        refill();
        const int status = inflate(&stream_, Z_NO_FLUSH);
        contents_.resize(contents_.size() - stream_.avail_out);
        if (status == Z_STREAM_END) {
            start_next_member();
        } else if (status == Z_BUF_ERROR) {
            fail(
                concat("is truncated: its gzip data does not end within ", file_.size(), " bytes"));
        } else if (status != Z_OK) {
            fail(concat("corrupt gzip data before byte ", position(), " of ", file_.size(), ": ",
                        stream_.msg == nullptr ? zError(status) : stream_.msg));
        }
    }

    /// A gzip file is one or more compressed streams in a row (RFC 1952, section 2.2).
    WEFT_COLD void start_next_member() {
        refill();
        ended_ = stream_.avail_in == 0;
        if (ended_) return;
        if (*stream_.next_in != 0x1f) {
            fail(concat("has other data after its gzip data, which ends at byte ", position(),
                        " of ", file_.size()));
        }
        inflateReset(&stream_);
    }

    /// Reads compressed bytes for inflate if it has none left and the file has.
    WEFT_COLD void refill() {
        if (stream_.avail_in > 0) return;
        const auto count =
            static_cast<std::size_t>((std::min<std::uint64_t>)(input_.size(), file_.left()));
        file_.read(input_.data(), count);
        stream_.next_in = reinterpret_cast<Bytef*>(input_.data());
        stream_.avail_in = static_cast<uInt>(count);
    }

    /// The number of compressed bytes that inflate has taken.
    std::uint64_t position() const { return file_.size() - file_.left() - stream_.avail_in; }

    [[noreturn]] WEFT_COLD void fail(std::string_view what) const {
        throw IoError(concat(name(), ": ", what));
    }

    FileBytes& file_;
    z_stream stream_{};
    bool ended_ = false;
    std::array<std::byte, block_bytes> input_;
    std::vector<std::byte> contents_;  // decompressed so far
    std::size_t read_ = 0;             // of the contents
};

}  // namespace detail

template <IdxElement Scalar>
WEFT_COLD Tensor<Scalar> read_idx_any(const std::filesystem::path& path) {
    detail::FileBytes file(path);
    if (!file.is_gzip()) return detail::parse_idx<Scalar>(file);
    detail::GzipBytes contents(file);
    return detail::parse_idx<Scalar>(contents);
}

}  // namespace weft
