#include "weft/data/gzip.hpp"

#include "tests/support/bytes.hpp"
#include "tests/support/io_error.hpp"
#include "tests/support/temporary_folder.hpp"

#include <doctest/doctest.h>
#include <sys/resource.h>

#include <cstdlib>

namespace {

namespace fs = std::filesystem;
using weft::Bytes;
using weft::TemporaryFolder;
using weft::operator+;

/// The bytes as one gzip member, which has a header of 10 bytes and a trailer of 8.
Bytes gzipped(Bytes bytes, int level = 9) {
    z_stream stream{};
    REQUIRE(deflateInit2(&stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    Bytes result(deflateBound(&stream, static_cast<uLong>(bytes.size())) + 32);
    stream.next_in = bytes.data();
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = result.data();
    stream.avail_out = static_cast<uInt>(result.size());
    REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
    result.resize(stream.total_out);
    deflateEnd(&stream);
    return result;
}

Bytes part(const Bytes& bytes, std::size_t first, std::size_t last) {
    return {bytes.begin() + static_cast<std::ptrdiff_t>(first),
            bytes.begin() + static_cast<std::ptrdiff_t>(last)};
}

/// The elements of those bytes, read as a uint8 file whose name says nothing.
Bytes read_back(const Bytes& bytes) {
    const TemporaryFolder folder;
    const auto tensor = weft::read_idx_any<std::uint8_t>(folder.file("data.bin", bytes));
    return {tensor.begin(), tensor.end()};
}

/// The message of the IoError that reading those bytes throws; it must start with the path, which
/// is left out here.
std::string gzip_error(const Bytes& bytes) {
    const TemporaryFolder folder;
    const fs::path path = folder.file("broken.gz", bytes);
    return weft::io_error(path, [&] { weft::read_idx_any<std::uint8_t>(path); });
}

const Bytes small_elements{1, 2, 3, 4, 5, 6};
/// uint8, shape (2, 3).
const Bytes small_plain = Bytes{0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3} + small_elements;

/// uint8, shape (300, 1000): longer than any buffer, compressible only in its first half.
Bytes large_elements() {
    Bytes elements(300'000);
    std::uint32_t state = 1;
    for (std::size_t i = elements.size() / 2; i < elements.size(); ++i) {
        state = state * 1664525 + 1013904223;
        elements[i] = static_cast<std::uint8_t>(state >> 24);
    }
    return elements;
}
const Bytes large_header{0, 0, 8, 2, 0, 0, 1, 0x2C, 0, 0, 3, 0xE8};

}  // namespace

TEST_CASE("read_idx_any reads plain and compressed files, whatever their name") {
    CHECK(read_back(small_plain) == small_elements);
    CHECK(read_back(gzipped(small_plain)) == small_elements);
    const TemporaryFolder folder;
    CHECK(weft::read_idx_any<std::uint8_t>(folder.file("plain.gz", small_plain)).shape() ==
          weft::Shape{2, 3});
    CHECK(weft::read_idx_any<std::uint8_t>(folder.file("packed", gzipped(small_plain))).shape() ==
          weft::Shape{2, 3});
}

TEST_CASE("read_idx_any reads files longer than its buffers, at every level of compression") {
    const Bytes elements = large_elements();
    for (const int level : {0, 1, 9}) {
        CAPTURE(level);
        CHECK(read_back(gzipped(large_header + elements, level)) == elements);
    }
}

TEST_CASE("read_idx_any decodes wider elements") {
    const TemporaryFolder folder;
    const auto path =
        folder.file("a", gzipped({0, 0, 0x0B, 1, 0, 0, 0, 2, 0x01, 0x02, 0xFF, 0xFE}));
    const auto tensor = weft::read_idx_any<std::int16_t>(path);
    CHECK(tensor[0] == 258);
    CHECK(tensor[1] == -2);
}

TEST_CASE("read_idx_any reads several gzip members as one file") {
    const Bytes plain = large_header + large_elements();
    const Bytes three =
        gzipped(part(plain, 0, 7)) + gzipped({}) + gzipped(part(plain, 7, plain.size()));
    CHECK(read_back(three) == large_elements());
}

TEST_CASE("read_idx_any refuses truncated gzip data") {
    const Bytes packed = gzipped(large_header + large_elements());
    const auto size = packed.size();
    CHECK(gzip_error(part(packed, 0, size - 1)) ==
          weft::concat("is truncated: its gzip data does not end within ", size - 1, " bytes"));
    CHECK(gzip_error(part(packed, 0, size / 2)) ==
          weft::concat("is truncated: its gzip data does not end within ", size / 2, " bytes"));
    const Bytes second = gzipped({9});
    CHECK(gzip_error(gzipped(part(small_plain, 0, 9)) + part(second, 0, 12))
              .starts_with("is truncated"));
}

TEST_CASE("read_idx_any refuses corrupt gzip data") {
    const Bytes packed = gzipped(small_plain);
    const auto size = packed.size();
    Bytes wrong = packed;
    wrong[size - 8] ^= 1;
    CHECK(gzip_error(wrong) == weft::concat("corrupt gzip data before byte ", size - 4, " of ",
                                            size, ": incorrect data check"));
    wrong = packed;
    wrong[size - 1] ^= 1;
    CHECK(gzip_error(wrong) == weft::concat("corrupt gzip data before byte ", size, " of ", size,
                                            ": incorrect length check"));
    wrong = packed;
    wrong[10] |= 6;  // no such type of block
    CHECK(gzip_error(wrong).ends_with(": invalid block type"));
}

TEST_CASE("read_idx_any refuses what follows the gzip data") {
    const Bytes packed = gzipped(small_plain);
    const auto expected = weft::concat("has other data after its gzip data, which ends at byte ",
                                       packed.size(), " of ");
    CHECK(gzip_error(packed + Bytes{'x', 'y'}) == weft::concat(expected, packed.size() + 2));
    CHECK(gzip_error(packed + Bytes(5, 0)) == weft::concat(expected, packed.size() + 5));
    CHECK(gzip_error(packed + Bytes{0x1F, 'y'}).ends_with(": incorrect header check"));
    CHECK(gzip_error(packed + gzipped({9})) ==
          "holds more than 6 bytes of elements, expected 6 for shape (2, 3) of uint8");
    CHECK(gzip_error(gzipped(small_plain + Bytes{9})) ==
          "holds more than 6 bytes of elements, expected 6 for shape (2, 3) of uint8");
}

TEST_CASE("read_idx_any checks the IDX data in a gzip file as in a plain one") {
    CHECK(gzip_error(gzipped({})) == "holds 0 bytes, expected an IDX header of 4 or more");
    CHECK(gzip_error(gzipped({0, 0, 0x0E, 1})) ==
          "holds elements of type double (0x0E), expected uint8 (0x08)");
    CHECK(gzip_error(gzipped(gzipped(small_plain))).starts_with("starts with 1F 8B 08 "));
    CHECK(gzip_error(gzipped(part(small_plain, 0, 16))) ==
          "holds 4 bytes of elements, expected 6 for shape (2, 3) of uint8");
}

TEST_CASE("read_idx_any allocates by what a file holds, not by what it declares") {
    const auto peak_kib = [] {
        rusage usage{};
        getrusage(RUSAGE_SELF, &usage);
        return usage.ru_maxrss;
    };
    const auto before = peak_kib();
    // 4 TiB; 3 GiB, which could be had; and 3 GiB that the ratio of deflate, 1032 to 1 at most,
    // would allow for a compressed size of 4 MiB.
    CHECK(gzip_error(gzipped({0, 0, 8, 2, 0, 0, 4, 0, 0xFF, 0xFF, 0xFF, 0xFF, 1, 2, 3})) ==
          "holds 3 bytes of elements, expected 4398046510080 for shape (1024, 4294967295) of "
          "uint8");
    const Bytes header{0, 0, 8, 1, 0xC0, 0, 0, 0};
    CHECK(gzip_error(gzipped(header + Bytes{1, 2, 3})) ==
          "holds 3 bytes of elements, expected 3221225472 for shape (3221225472,) of uint8");
    CHECK(gzip_error(gzipped(header + Bytes(4 << 20), 0)).starts_with("holds 4194304 bytes of"));
    // 256 MiB in 256 KiB, of which one byte is declared: decompression must stop.
    CHECK(gzip_error(gzipped({0, 0, 8, 1, 0, 0, 0, 1, 5}) +
                     [] {
                         Bytes members;
                         const Bytes member = gzipped(Bytes(1 << 20));
                         for (int i = 0; i < 256; ++i) members = members + member;
                         return members;
                     }())
              .starts_with("holds more than 1 bytes"));
    CHECK(peak_kib() - before < 128 * 1024);
}

TEST_CASE("read_idx_any refuses every prefix of a gzip file") {
    const Bytes packed = gzipped(small_plain);
    for (std::size_t size = 0; size < packed.size(); ++size) {
        CAPTURE(size);
        const std::string message = gzip_error(part(packed, 0, size));
        if (size >= 2) CHECK(message.starts_with("is truncated"));
    }
}

TEST_CASE("read_idx_any reads the same or refuses after any change of a byte of a gzip file") {
    const TemporaryFolder folder;
    for (const int level : {0, 9}) {
        const Bytes packed = gzipped(small_plain, level);
        for (std::size_t i = 0; i < packed.size(); ++i) {
            for (const int flip : {1, 2, 4, 8, 16, 32, 64, 128, 255}) {
                CAPTURE(level);
                CAPTURE(i);
                CAPTURE(flip);
                Bytes changed = packed;
                changed[i] = static_cast<std::uint8_t>(changed[i] ^ flip);
                const auto path = folder.file("changed.gz", changed);
                bool same = false;
                try {
                    const auto tensor = weft::read_idx_any<std::uint8_t>(path);
                    same = std::ranges::equal(tensor, small_elements);
                    CHECK(same);
                } catch (const weft::IoError& error) {
                    CHECK(std::string(error.what()).starts_with(path.string() + ": "));
                }
                // Bytes 4 to 9 are a date and hints; the last 8 check the rest.
                if (i >= 4 && i < 10) CHECK(same);
                if (i < 3 || i + 8 >= packed.size()) CHECK_FALSE(same);
            }
        }
    }
}
