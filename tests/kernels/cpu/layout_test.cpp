#include "weft/kernels/cpu/layout.hpp"

#include "tests/support/compare.hpp"
#include "tests/support/random_tensor.hpp"
#include "tests/support/reference/layout.hpp"

#include <doctest/doctest.h>

#include <string>

using weft::Cpu;
using weft::identical;
using weft::Index;
using weft::Reference;
using weft::Shape;
using weft::Tensor;

namespace {

template <class Scalar, class Device = Cpu>
Tensor<Scalar> transposed_samples(const Tensor<Scalar>& x, Device device = Device()) {
    const Index samples = x.shape()[0], rows = x.shape()[1], columns = x.shape()[2];
    Tensor<Scalar> y({samples, columns, rows});
    transpose_samples<Scalar>(device, {x.data(), x.shape()}, {y.data(), y.shape()});
    return y;
}

}  // namespace

TEST_CASE("copy_elements copies in memory order, whatever the shapes") {
    const Tensor<float> x({2, 3}, {1, 2, 3, 4, 5, 6});
    Tensor<float> y({6});
    Cpu cpu(1);
    weft::kernels::copy_elements<float>(cpu, x, y);
    CHECK(identical(y, x.view().reshape({6})));
}

TEST_CASE("transpose_samples on numbers worked by hand") {
    const Tensor<float> x({2, 2, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
    const Tensor<float> y({2, 3, 2}, {1, 4, 2, 5, 3, 6, 7, 10, 8, 11, 9, 12});
    CHECK(identical(transposed_samples(x), y));
}

TEST_CASE_TEMPLATE("transpose_samples swaps the last two axes of every sample", Scalar, float,
                   double) {
    // From one task for all samples to one task for each.
    for (const Shape& shape :
         {Shape{1, 1, 1}, Shape{3, 1, 5}, Shape{3, 5, 1}, Shape{200, 28, 27}, Shape{50000, 1, 3},
          Shape{3, 150, 130}, Shape{0, 2, 3}, Shape{2, 0, 3}}) {
        const auto x = weft::random_normal<Scalar>(shape, 1);
        const auto y = transposed_samples(x);
        const std::string where = shape.to_string();
        CAPTURE(where);
        CHECK(identical(y, transposed_samples<Scalar, Reference>(x)));
        CHECK(identical(transposed_samples(y), x));
        CHECK(identical(transposed_samples(x, Cpu(7)), y));
    }
}

TEST_CASE_TEMPLATE("pad_images puts zeros around each image, crop_images takes a part", Scalar,
                   float, double) {
    struct Frame {
        Index top, bottom, left, right;
    };
    for (const Shape& shape :
         {Shape{1, 1, 1, 1}, Shape{2, 3, 4, 5}, Shape{7, 5, 2, 1}, Shape{0, 2, 3, 1}}) {
        for (const Frame& frame : {Frame{0, 0, 0, 0}, Frame{1, 2, 3, 4}, Frame{2, 0, 0, 1}}) {
            const auto x = weft::random_normal<Scalar>(shape, 2);
            Tensor<Scalar> padded({shape[0], frame.top + shape[1] + frame.bottom,
                                   frame.left + shape[2] + frame.right, shape[3]});
            std::ranges::fill(padded, Scalar(9));  // to be overwritten
            Tensor<Scalar, Reference> expected(padded.shape()), expected_part(shape);
            Reference reference;
            pad_images<Scalar>(reference, weft::as_reference<Scalar>(x), frame.top, frame.left,
                               expected);
            const std::string where = shape.to_string();
            CAPTURE(where);
            CAPTURE(frame.left);
            Cpu cpu(2);
            weft::kernels::pad_images<Scalar>(cpu, x, frame.top, frame.left, padded);
            CHECK(identical(padded, expected));
            // What lies around is not taken, whatever it is.
            for (Scalar& value : padded) value += 1;
            Tensor<Scalar> cropped(shape);
            weft::kernels::crop_images<Scalar>(cpu, padded, frame.top, frame.left, cropped);
            crop_images<Scalar>(reference, weft::as_reference<Scalar>(padded), frame.top,
                                frame.left, expected_part);
            CHECK(identical(cropped, expected_part));
        }
    }
}
