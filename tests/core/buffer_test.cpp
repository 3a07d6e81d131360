#include "weft/core/buffer.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <utility>

using weft::Buffer;

namespace {

bool all_equal(const Buffer& buffer, std::byte value) {
    return std::all_of(buffer.data(), buffer.data() + buffer.size(),
                       [&](std::byte b) { return b == value; });
}

Buffer filled(std::size_t size_bytes, std::byte value) {
    Buffer buffer(size_bytes);
    std::fill_n(buffer.data(), size_bytes, value);
    return buffer;
}

}  // namespace

TEST_CASE("Buffer is aligned and zeroed") {
    for (const std::size_t size : {1u, 7u, 63u, 64u, 65u, 1000u, 100000u}) {
        filled(size, std::byte{0xAB});  // leaves dirty memory behind for the next one
        const Buffer buffer(size);
        CAPTURE(size);
        CHECK(buffer.size() == size);
        CHECK(reinterpret_cast<std::uintptr_t>(buffer.data()) % Buffer::alignment == 0);
        CHECK(all_equal(buffer, std::byte{0}));
    }
}

TEST_CASE("Buffer may be empty") {
    const Buffer none;
    CHECK(none.size() == 0);
    CHECK(none.data() == nullptr);
    const Buffer zero(0), copy = zero;
    CHECK(zero.size() == 0);
    CHECK(copy.size() == 0);
}

TEST_CASE("a copy of a Buffer is deep") {
    Buffer a = filled(100, std::byte{1});
    Buffer b = a;
    Buffer c = filled(3, std::byte{9});
    c = a;
    std::fill_n(a.data(), a.size(), std::byte{2});
    for (const Buffer* copy : {&b, &c}) {
        CHECK(copy->data() != a.data());
        CHECK(copy->size() == 100);
        CHECK(all_equal(*copy, std::byte{1}));
    }
    CHECK(b.data() != c.data());
    CHECK(all_equal(a, std::byte{2}));
}

TEST_CASE("a Buffer assigned to itself keeps its bytes") {
    Buffer a = filled(100, std::byte{5});
    const Buffer& itself = a;
    a = itself;
    CHECK(a.size() == 100);
    CHECK(all_equal(a, std::byte{5}));
}

TEST_CASE("a move of a Buffer hands the memory over") {
    Buffer a = filled(100, std::byte{3});
    const std::byte* const memory = a.data();
    Buffer b = std::move(a);
    CHECK(b.data() == memory);
    CHECK(b.size() == 100);
    CHECK(a.data() == nullptr);  // NOLINT(bugprone-use-after-move): what is left is specified
    CHECK(a.size() == 0);
    a = std::move(b);
    CHECK(a.data() == memory);
    CHECK(all_equal(a, std::byte{3}));
    CHECK(b.size() == 0);  // NOLINT(bugprone-use-after-move)
}
