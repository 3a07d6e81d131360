#include "weft/data/resize.hpp"

#include "tests/support/random_tensor.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <vector>

using namespace weft;

namespace {

std::vector<int> pixels_of(const Tensor<std::uint8_t>& x) { return {x.begin(), x.end()}; }

const Tensor<std::uint8_t> row({1, 4, 1}, {0, 10, 20, 30});
const Tensor<std::uint8_t> square({2, 2, 1}, {0, 100, 200, 255});

/// The weight of pixel k of `from` in pixel i of `to`, times something that all of them share, in
/// integers: lengths are in units of 1 / (2 to) of a pixel.
Index exact_weight(Index k, Index i, Index from, Index to, const ResizeOptions& options) {
    const Index centre = (2 * i + 1) * from, pixel = (2 * k + 1) * to;
    const Index distance = std::abs(centre - pixel);
    const bool nearest = options.interpolation == Interpolation::nearest;
    if (options.antialias && from > to) {
        const Index weight = nearest ? std::min(from + to - distance, 2 * to) : 2 * from - distance;
        return std::max<Index>(weight, 0);
    }
    if (nearest) return k == centre / (2 * to) ? 1 : 0;
    // Beyond the edge lies its pixel.
    const bool beyond = (k == 0 && centre < pixel) || (k == from - 1 && centre > pixel);
    return beyond ? 2 * to : std::max<Index>(2 * to - distance, 0);
}

/// The same as resized, in integers.
Tensor<std::uint8_t> exactly_resized(const Tensor<std::uint8_t>& x, Index height, Index width,
                                     const ResizeOptions& options) {
    Tensor<std::uint8_t> y({height, width, x.shape()[2]});
    for (Index h = 0; h < height; ++h) {
        for (Index w = 0; w < width; ++w) {
            for (Index c = 0; c < x.shape()[2]; ++c) {
                Index sum = 0, total = 0;
                for (Index r = 0; r < x.shape()[0]; ++r) {
                    for (Index k = 0; k < x.shape()[1]; ++k) {
                        const Index weight = exact_weight(r, h, x.shape()[0], height, options) *
                                             exact_weight(k, w, x.shape()[1], width, options);
                        sum += weight * x(r, k, c);
                        total += weight;
                    }
                }
                y(h, w, c) = static_cast<std::uint8_t>((2 * sum + total) / (2 * total));
            }
        }
    }
    return y;
}

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

TEST_CASE("with antialias a new pixel is the mean of all that it stands for") {
    const Tensor<std::uint8_t> line({1, 6, 1}, {0, 0, 0, 90, 0, 0});
    const auto shrink = [](const Tensor<std::uint8_t>& x, Index width, Interpolation between) {
        return pixels_of(resized(x, 1, width, {.interpolation = between, .antialias = true}));
    };
    // Without, the line is lost.
    CHECK(pixels_of(resized(line, 1, 2, Interpolation::nearest)) == std::vector<int>{0, 0});
    CHECK(pixels_of(resized(line, 1, 2)) == std::vector<int>{0, 0});
    CHECK(shrink(line, 2, Interpolation::nearest) == std::vector<int>{0, 30});
    // Weights 2 3 2 1 and 1 2 3 2 of the pixels 0 ... 3 and 2 ... 5.
    CHECK(shrink(line, 2, Interpolation::bilinear) == std::vector<int>{11, 23});
    // 6 to 4, areas of 1.5: 1 1/2, 1/2 1, ...
    CHECK(shrink(line, 4, Interpolation::nearest) == std::vector<int>{0, 0, 60, 0});
    CHECK(shrink(row, 1, Interpolation::nearest) == std::vector<int>{15});
}

TEST_CASE("with antialias a row is shrunk as Pillow 13 does") {
    const Tensor<std::uint8_t> x({1, 9, 1}, {3, 250, 17, 99, 180, 7, 64, 201, 33});
    const Tensor<std::uint8_t> lines({1, 12, 1}, {0, 255, 0, 0, 0, 255, 255, 0, 0, 0, 0, 10});
    const auto shrink = [](const Tensor<std::uint8_t>& image, Index width, Interpolation between) {
        return pixels_of(resized(image, 1, width, {.interpolation = between, .antialias = true}));
    };
    CHECK(shrink(x, 7, Interpolation::bilinear) == std::vector<int>{70, 144, 69, 141, 28, 139, 79});
    CHECK(shrink(x, 4, Interpolation::bilinear) == std::vector<int>{112, 104, 77, 111});
    CHECK(shrink(x, 2, Interpolation::bilinear) == std::vector<int>{100, 94});
    CHECK(shrink(x, 1, Interpolation::bilinear) == std::vector<int>{97});
    CHECK(shrink(lines, 4, Interpolation::bilinear) == std::vector<int>{96, 85, 85, 3});
    CHECK(shrink(lines, 3, Interpolation::bilinear) == std::vector<int>{73, 112, 11});
    // Its BOX counts whole pixels, so that it is the area where sizes divide.
    CHECK(shrink(x, 1, Interpolation::nearest) == std::vector<int>{95});
    CHECK(shrink(lines, 4, Interpolation::nearest) == std::vector<int>{85, 85, 85, 3});
    CHECK(shrink(lines, 3, Interpolation::nearest) == std::vector<int>{64, 128, 3});
}

TEST_CASE("a drawing of thin lines keeps them all, from 280 to 28") {
    Tensor<std::uint8_t> drawing({280, 280, 3});
    std::ranges::fill(drawing, 255);
    for (Index i = 0; i < 280; ++i) {
        for (Index c = 0; c < 3; ++c) drawing(i, 123, c) = drawing(77, i, c) = 0;
    }
    CHECK(std::ranges::count(resized(drawing, 28, 28, Interpolation::nearest), 255) == 28 * 28 * 3);
    for (const auto between : {Interpolation::nearest, Interpolation::bilinear}) {
        const auto small = resized(drawing, 28, 28, {.interpolation = between, .antialias = true});
        double ink = 0;
        for (const std::uint8_t x : small) ink += (255 - x) / 255.0 / 3;
        // 559 of 78400 pixels; each of 784 is rounded, by 1/2 of 255.
        CHECK(std::abs(ink - 5.59) < 784 * 0.5 / 255);
        for (Index i = 0; i < 28; ++i) {
            // A tenth of ink where the line is, and half of that if half of it counts to a
            // neighbour.
            CHECK(small(i, 12, 0) <= 242);
            CHECK(small(7, i, 2) <= 242);
            CHECK(small(i, 20, 0) == small(i, 22, 1));
        }
    }
}

TEST_CASE("a picture of any size is resized to any size as in exact arithmetic") {
    std::uint32_t seed = 0;
    for (const Index from : {1, 2, 3, 7, 12}) {
        for (const Index to : {1, 2, 3, 5, 6, 12, 13}) {
            for (const bool antialias : {false, true}) {
                for (const auto between : {Interpolation::nearest, Interpolation::bilinear}) {
                    const ResizeOptions options{between, antialias};
                    const auto x = random_uniform<std::uint8_t>({from, 8, 2}, ++seed, 0, 256);
                    const auto y = random_uniform<std::uint8_t>({9, from, 1}, ++seed, 0, 256);
                    INFO(from, " to ", to, antialias ? ", antialias" : "");
                    CHECK(pixels_of(resized(x, to, 3, options)) ==
                          pixels_of(exactly_resized(x, to, 3, options)));
                    CHECK(pixels_of(resized(y, 10, to, options)) ==
                          pixels_of(exactly_resized(y, 10, to, options)));
                }
            }
        }
    }
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
