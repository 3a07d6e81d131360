#include "weft/data/resize.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace weft;

namespace {

std::vector<int> pixels_of(const Tensor<std::uint8_t>& x) { return {x.begin(), x.end()}; }

const Tensor<std::uint8_t> row({1, 4, 1}, {0, 10, 20, 30});
const Tensor<std::uint8_t> square({2, 2, 1}, {0, 100, 200, 255});

}  // namespace

TEST_CASE("nearest takes the pixel in which the new centre lies") {
    CHECK(pixels_of(resized(row, 1, 8, Interpolation::nearest)) ==
          std::vector<int>{0, 0, 10, 10, 20, 20, 30, 30});
    CHECK(pixels_of(resized(row, 2, 2, Interpolation::nearest)) ==
          std::vector<int>{10, 30, 10, 30});
    // Centres at 0.17, 1.5 and 2.83 of the pixels 0 ... 3.
    CHECK(pixels_of(resized(row, 1, 3, Interpolation::nearest)) == std::vector<int>{0, 20, 30});
    CHECK(pixels_of(resized(row, 1, 1, Interpolation::nearest)) == std::vector<int>{20});
}

TEST_CASE("bilinear weights the four pixels around, and goes on beyond the edge") {
    // New centres at -1/4, 1/4, 3/4, 5/4, ...
    CHECK(pixels_of(resized(row, 1, 8)) == std::vector<int>{0, 3, 8, 13, 18, 23, 28, 30});
    CHECK(pixels_of(resized(row, 1, 2)) == std::vector<int>{5, 25});
    // The middle: (0 + 100 + 200 + 255) / 4 = 138.75.
    CHECK(pixels_of(resized(square, 1, 1)) == std::vector<int>{139});
    CHECK(pixels_of(resized(square, 3, 3)) ==
          std::vector<int>{0, 50, 100, 100, 139, 178, 200, 228, 255});
}

TEST_CASE("the same size is the same image, and channels stay apart") {
    const Tensor<std::uint8_t> image(
        {2, 3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18});
    for (const auto interpolation : {Interpolation::nearest, Interpolation::bilinear}) {
        CHECK(pixels_of(resized(image, 2, 3, interpolation)) == pixels_of(image));
    }
    CHECK(pixels_of(resized(image, 1, 1)) == std::vector<int>{9, 10, 11});  // 8.5, 9.5, 10.5
}

TEST_CASE("inverted is 255 - x") {
    CHECK(pixels_of(inverted(square)) == std::vector<int>{255, 155, 55, 0});
    CHECK(inverted(square).shape() == square.shape());
}

TEST_CASE("resized refuses what is no image and no size") {
    CHECK_THROWS_WITH_AS(resized(Tensor<std::uint8_t>({4, 4}), 2, 2),
                         "resized: image has shape (4, 4), expected (H, W, C)", ShapeError);
    CHECK_THROWS_AS(resized(Tensor<std::uint8_t>({0, 4, 1}), 2, 2), ShapeError);
    CHECK_THROWS_WITH_AS(resized(row, 0, 2), "resized: an extent is 0, expected at least 1",
                         ArgumentError);
}
