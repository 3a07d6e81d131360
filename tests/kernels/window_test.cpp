#include "weft/kernels/window.hpp"

#include <doctest/doctest.h>

using weft::Index;
using weft::kernels::window_axis;
using weft::kernels::WindowAxis;

TEST_CASE("paddings are named as in Keras") {
    CHECK(weft::to_string(weft::valid) == "valid");
    CHECK(weft::to_string(weft::same) == "same");
}

TEST_CASE("outputs and zeros in front, as Keras has them") {
    const auto check = [](const WindowAxis& axis, Index output, Index before) {
        CHECK(axis.output == output);
        CHECK(axis.before == before);
    };
    check(window_axis(28, 3, 1, 1, weft::valid), 26, 0);
    check(window_axis(28, 3, 1, 1, weft::same), 28, 1);
    check(window_axis(28, 2, 2, 1, weft::valid), 14, 0);
    check(window_axis(28, 3, 2, 1, weft::same), 14, 0);  // the one zero goes behind
    check(window_axis(27, 3, 2, 1, weft::same), 14, 1);  // one on either side
    check(window_axis(7, 2, 2, 1, weft::valid), 3, 0);   // the last element is left over
    check(window_axis(7, 2, 2, 1, weft::same), 4, 0);
    check(window_axis(9, 3, 1, 2, weft::valid), 5, 0);
    check(window_axis(9, 3, 1, 2, weft::same), 9, 2);
    check(window_axis(5, 1, 3, 1, weft::same), 2, 0);  // no zeros, where windows leave gaps
    check(window_axis(5, 4, 1, 1, weft::same), 5, 1);  // 1 in front, 2 behind
}

TEST_CASE("a window larger than its axis has no output without padding") {
    CHECK(window_axis(4, 5, 1, 1, weft::valid).output == 0);
    CHECK(window_axis(4, 5, 3, 1, weft::valid).output == 0);
    CHECK(window_axis(4, 3, 1, 2, weft::valid).output == 0);
    CHECK(window_axis(5, 3, 1, 2, weft::valid).output == 1);
    CHECK(window_axis(4, 5, 1, 1, weft::same).output == 4);
}

TEST_CASE("windows of any axis lie where the definitions put them") {
    for (Index input = 1; input <= 9; ++input) {
        for (Index window = 1; window <= 4; ++window) {
            for (Index stride = 1; stride <= 3; ++stride) {
                for (Index dilation = 1; dilation <= 3; ++dilation) {
                    CAPTURE(input);
                    CAPTURE(window);
                    CAPTURE(stride);
                    CAPTURE(dilation);
                    const auto valid = window_axis(input, window, stride, dilation, weft::valid);
                    CHECK(valid.extent() == (window - 1) * dilation + 1);
                    CHECK(valid.before == 0);
                    // As many windows as fit, counted.
                    Index fits = 0;
                    while (fits * stride + valid.extent() <= input) ++fits;
                    CHECK(valid.output == fits);

                    const auto same = window_axis(input, window, stride, dilation, weft::same);
                    CHECK((same.output - 1) * stride < input);
                    CHECK(same.output * stride >= input);
                    const Index last = (same.output - 1) * stride - same.before + same.extent();
                    const Index behind = last > input ? last - input : 0;
                    CHECK(same.before >= 0);
                    // No more zeros than needed, in the middle, the odd one behind.
                    CHECK((behind == same.before || behind == same.before + 1));
                    if (same.before > 0) CHECK(last >= input);
                }
            }
        }
    }
}

TEST_CASE("a 2D window counts elements, positions and taps") {
    const weft::kernels::Window2D window{window_axis(5, 2, 1, 1, weft::valid),
                                         window_axis(7, 3, 2, 1, weft::valid), 4};
    CHECK(window.input_size() == 5 * 7 * 4);
    CHECK(window.positions() == 4 * 3);
    CHECK(window.taps() == 2 * 3);
}
