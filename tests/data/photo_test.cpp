/// \file
/// What `fashion_mnist --photo` makes of pictures as people have them.
#include "weft/data/image.hpp"

#include "examples/fashion_mnist/photo.cpp"
#include "tests/support/temporary_folder.hpp"

#include <doctest/doctest.h>

using namespace weft;

TEST_CASE("lines a pixel wide stay to be seen, from 280 to 28") {
    const TemporaryFolder folder;
    Tensor<std::uint8_t> drawing({280, 280});
    std::ranges::fill(drawing, 255);
    for (Index i = 0; i < 280; ++i) drawing(i, 123) = drawing(77, i) = 0;
    write_png(folder / "drawing.png", drawing);
    const Tensor<std::uint8_t> photo = read_photo(folder / "drawing.png", 28, 28);
    REQUIRE(photo.shape() == Shape{28, 28});
    for (Index h = 0; h < 28; ++h) {
        for (Index w = 0; w < 28; ++w) {
            // Light on dark. A tenth of a new pixel is line, and 19 of 100 where two cross.
            const int expected = h == 7 && w == 12 ? 48 : h == 7 || w == 12 ? 25 : 0;
            CHECK(std::abs(photo(h, w) - expected) <= 1);
        }
    }
}

TEST_CASE("what is transparent counts as white paper, which becomes black") {
    const Tensor<std::uint8_t> photo =
        read_photo(WEFT_SOURCE_DIR "/tests/data/images/grey_alpha.png", 1, 3);
    CHECK(std::vector<int>(photo.begin(), photo.end()) == std::vector<int>{155, 78, 0});
}

TEST_CASE("a picture of the network's own size is not changed but inverted") {
    const Tensor<std::uint8_t> photo =
        read_photo(WEFT_SOURCE_DIR "/tests/data/images/grey.png", 2, 3);
    CHECK(std::vector<int>(photo.begin(), photo.end()) ==
          std::vector<int>{245, 235, 0, 250, 249, 247});
}
