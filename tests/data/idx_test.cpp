#include "weft/data/idx.hpp"

#include "tests/support/bytes.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/io_error.hpp"
#include "tests/support/temporary_folder.hpp"

#include <doctest/doctest.h>
#include <sys/resource.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <vector>

namespace {

namespace fs = std::filesystem;
using weft::Bytes;
using weft::io_error;
using weft::TemporaryFolder;
using weft::values_of;
using weft::operator+;

/// The message when those bytes are read as uint8; it must start with the path, left out here.
std::string idx_error(const Bytes& bytes) {
    const TemporaryFolder folder;
    const fs::path path = folder.file("broken.idx", bytes);
    return io_error(path, [&] { weft::read_idx<std::uint8_t>(path); });
}

/// uint8, shape (2, 3): values 1 to 6.
const Bytes small{0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6};
constexpr std::size_t small_header = 12;

}  // namespace

TEST_CASE("read_idx reads uint8") {
    const TemporaryFolder folder;
    const auto tensor = weft::read_idx<std::uint8_t>(folder.file("small.idx", small));
    CHECK(tensor.shape() == weft::Shape{2, 3});
    CHECK(values_of(tensor) == std::vector<std::uint8_t>{1, 2, 3, 4, 5, 6});
}

TEST_CASE("read_idx reads int8") {
    const TemporaryFolder folder;
    const auto path = folder.file("a", {0, 0, 9, 1, 0, 0, 0, 4, 0, 1, 0x7F, 0x80});
    CHECK(values_of(weft::read_idx<std::int8_t>(path)) ==
          std::vector<std::int8_t>{0, 1, 127, -128});
}

TEST_CASE("read_idx reads int16, high byte first") {
    const TemporaryFolder folder;
    const auto path =
        folder.file("a", {0, 0, 0x0B, 1, 0, 0, 0, 3, 0x01, 0x02, 0xFF, 0xFE, 0x80, 0x00});
    CHECK(values_of(weft::read_idx<std::int16_t>(path)) ==
          std::vector<std::int16_t>{258, -2, -32768});
}

TEST_CASE("read_idx reads int32, high byte first") {
    const TemporaryFolder folder;
    const auto path =
        folder.file("a", {0,    0,    0x0C, 2,    0,    0,    0,    1,   0, 0, 0, 2,  //
                          0x01, 0x02, 0x03, 0x04, 0xFF, 0xFF, 0xFF, 0xFE});
    const auto tensor = weft::read_idx<std::int32_t>(path);
    CHECK(tensor.shape() == weft::Shape{1, 2});
    CHECK(values_of(tensor) == std::vector<std::int32_t>{0x01020304, -2});
}

TEST_CASE("read_idx reads float, high byte first, NaN and infinity too") {
    const TemporaryFolder folder;
    const auto path = folder.file("a", {0,    0,    0x0D, 1,    0, 0, 0, 4,  //
                                        0x40, 0x49, 0x0F, 0xDB,              // pi
                                        0x80, 0x00, 0x00, 0x00,              // -0
                                        0xFF, 0x80, 0x00, 0x00,              // -infinity
                                        0x7F, 0xC0, 0x00, 0x00});            // NaN
    const auto tensor = weft::read_idx<float>(path);
    CHECK(tensor[0] == 3.14159274f);
    CHECK((tensor[1] == 0 && std::signbit(tensor[1])));
    CHECK(tensor[2] == -std::numeric_limits<float>::infinity());
    CHECK(std::isnan(tensor[3]));
}

TEST_CASE("read_idx reads double, high byte first") {
    const TemporaryFolder folder;
    const auto path = folder.file("a", {0,    0,    0x0E, 1,    0,    0,    0,    2,       //
                                        0x40, 0x09, 0x21, 0xFB, 0x54, 0x44, 0x2D, 0x18,    // pi
                                        0xBF, 0xE0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00});  // -1/2
    CHECK(values_of(weft::read_idx<double>(path)) == std::vector<double>{3.141592653589793, -0.5});
}

TEST_CASE("read_idx reads rank 8 and extents of more than one byte") {
    const TemporaryFolder folder;
    const Bytes extents{0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3,
                        0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 1};
    const auto rank_8 = folder.file("a", Bytes{0, 0, 8, 8} + extents + Bytes(12, 7));
    CHECK(weft::read_idx<std::uint8_t>(rank_8).shape() == weft::Shape{1, 2, 1, 3, 1, 1, 2, 1});

    const auto long_axis = folder.file("b", Bytes{0, 0, 8, 1, 0, 1, 2, 3} + Bytes(0x010203, 9));
    CHECK(weft::read_idx<std::uint8_t>(long_axis).shape() == weft::Shape{0x010203});
}

TEST_CASE("read_idx reads a tensor without elements") {
    const TemporaryFolder folder;
    const auto path = folder.file("a", {0, 0, 0x0D, 2, 0, 0, 0, 0, 0, 0, 0, 3});
    CHECK(weft::read_idx<float>(path).shape() == weft::Shape{0, 3});
}

TEST_CASE("read_idx names what is not a file") {
    const TemporaryFolder folder;
    const fs::path missing = folder.path() / "missing.idx";
    CHECK(io_error([&] { weft::read_idx<std::uint8_t>(missing); }) ==
          missing.string() + ": no such file");
    CHECK(io_error([&] { weft::read_idx<std::uint8_t>(folder.path()); }) ==
          folder.path().string() + ": is a directory, expected a regular file");
    CHECK(io_error([&] { weft::read_idx<std::uint8_t>("/dev/null"); }) ==
          "/dev/null: is a special file, expected a regular file");
    const fs::path loop = folder.path() / "loop";
    fs::create_symlink(loop, loop);
    CHECK(io_error([&] {
              weft::read_idx<std::uint8_t>(loop);
          }).starts_with(loop.string() + ": cannot be accessed: "));
}

TEST_CASE("read_idx refuses wrong headers and shows them") {
    CHECK(idx_error(Bytes{}) == "holds 0 bytes, expected an IDX header of 4 or more");
    CHECK(idx_error(Bytes{0, 0, 8}) == "holds 3 bytes, expected an IDX header of 4 or more");
    CHECK(idx_error(Bytes{0, 0, 8, 2, 0, 0, 0}) == "holds 7 bytes, expected an IDX header of 12");
    CHECK(idx_error(Bytes{'P', 'K', 3, 4, 0, 0}) ==
          "starts with 50 4B 03 04, expected 00 00 <type> <rank> of IDX");
    CHECK(idx_error(Bytes{0, 0, 0x0A, 1, 0, 0, 0, 1, 5}) ==
          "holds elements of type 0x0A, unknown to IDX, expected uint8 (0x08)");
    CHECK(idx_error(Bytes{0, 0, 0x0D, 1, 0, 0, 0, 1, 5, 5, 5, 5}) ==
          "holds elements of type float (0x0D), expected uint8 (0x08)");
    CHECK(idx_error(Bytes{0, 0, 8, 0, 1}) == "has rank 0, expected 1 to 8");
    CHECK(idx_error(Bytes{0, 0, 8, 9, 1}) == "has rank 9, expected 1 to 8");
    CHECK(idx_error(Bytes{0x1F, 0x8B, 8, 0}) ==
          "is compressed by gzip, expected a plain IDX file; read_idx_any of weft/data/gzip.hpp "
          "reads both");
}

TEST_CASE("read_idx refuses sizes other than the file's") {
    CHECK(idx_error(Bytes{0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5}) ==
          "holds 5 bytes of elements, expected 6 for shape (2, 3) of uint8");
    CHECK(idx_error(Bytes{0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6, 7}) ==
          "holds more than 6 bytes of elements, expected 6 for shape (2, 3) of uint8");
    CHECK(idx_error(Bytes{0, 0, 8, 1, 0, 0, 0, 0, 1}) ==
          "holds more than 0 bytes of elements, expected 0 for shape (0,) of uint8");
}

TEST_CASE("read_idx refuses sizes that overflow") {
    CHECK(idx_error(Bytes{0, 0, 8, 3} + Bytes(3 * 4, 0xFF)) ==
          "shape (4294967295, 4294967295, 4294967295) has too many elements");

    // 2^63 - 2^31 elements fit an Index, their bytes do not.
    const TemporaryFolder folder;
    const Bytes doubles{0, 0, 0x0E, 2, 0xFF, 0xFF, 0xFF, 0xFF, 0x80, 0, 0, 0};
    const auto path = folder.file("a", doubles);
    CHECK(io_error([&] { weft::read_idx<double>(path); }) ==
          path.string() + ": shape (4294967295, 2147483648) has too many elements");

    // With an extent of 0 the product is 0 in some order, and does not fit in another.
    CHECK(idx_error(Bytes{0, 0, 8, 4} + Bytes(3 * 4, 0xFF) + Bytes(4, 0))
              .ends_with("has too many elements"));
}

TEST_CASE("read_idx allocates nothing for elements that the file does not hold") {
    const auto peak_kib = [] {
        rusage usage{};
        getrusage(RUSAGE_SELF, &usage);
        return usage.ru_maxrss;
    };
    const auto before = peak_kib();
    // 4 TiB, and 3 GiB, which could be had.
    CHECK(idx_error(Bytes{0, 0, 8, 2, 0, 0, 4, 0, 0xFF, 0xFF, 0xFF, 0xFF, 1, 2, 3}) ==
          "holds 3 bytes of elements, expected 4398046510080 for shape (1024, 4294967295) of "
          "uint8");
    CHECK(idx_error(Bytes{0, 0, 8, 1, 0xC0, 0, 0, 0, 1, 2, 3}) ==
          "holds 3 bytes of elements, expected 3221225472 for shape (3221225472,) of uint8");
    CHECK(peak_kib() - before < 64 * 1024);
}

TEST_CASE("read_idx refuses every prefix of a file") {
    for (std::size_t size = 0; size < small.size(); ++size) {
        CAPTURE(size);
        CHECK(idx_error(Bytes(small.begin(), small.begin() + static_cast<std::ptrdiff_t>(size)))
                  .starts_with("holds "));
    }
}

TEST_CASE("read_idx refuses every change of a header byte and reads every change of a value") {
    const TemporaryFolder folder;
    for (std::size_t i = 0; i < small.size(); ++i) {
        for (const int flip : {1, 2, 4, 8, 16, 32, 64, 128, 255}) {
            CAPTURE(i);
            CAPTURE(flip);
            Bytes changed = small;
            changed[i] = static_cast<std::uint8_t>(changed[i] ^ flip);
            const auto path = folder.file("changed.idx", changed);
            if (i < small_header) {
                CHECK_THROWS_AS(weft::read_idx<std::uint8_t>(path), weft::IoError);
            } else {
                CHECK(values_of(weft::read_idx<std::uint8_t>(path)) ==
                      Bytes(changed.begin() + small_header, changed.end()));
            }
        }
    }
}
