#include "weft/kernels/cuda/layout.hpp"

#include "tests/support/cuda.hpp"
#include "tests/support/random_tensor.hpp"
#include "tests/support/reference/layout.hpp"

#include <doctest/doctest.h>

using namespace weft;

TEST_CASE_TEMPLATE("copies on a GPU", Scalar, float, double) {
    const auto x = random_normal<Scalar>({1000}, 1), y = random_normal<Scalar>({1000}, 2);
    CHECK(on_both<Scalar>({x, y}, [&](auto& device, const auto& t) {
              kernels::copy_elements<Scalar>(device, t[0], t[1]);
              kernels::copy_elements<Scalar>(device, t[0], t[0]);
              kernels::copy_elements<Scalar>(device, {t[0].data(), {0}}, {t[1].data(), {0}});
          }).same());
}

TEST_CASE_TEMPLATE("transposed samples on a GPU", Scalar, float, double) {
    for (const Shape& shape : {Shape{1, 1, 1}, {3, 31, 33}, {2, 64, 5}, {2, 1, 100}, {70, 3, 40}}) {
        CAPTURE(shape);
        const auto x = random_normal<Scalar>(shape, 1);
        const Tensor<Scalar> y({shape[0], shape[2], shape[1]});
        CHECK(on_both<Scalar>({x, y}, [&](auto& device, const auto& t) {
                  kernels::transpose_samples<Scalar>(device, t[0], t[1]);
              }).same());
    }
}

TEST_CASE("more samples, or tiles of one, than a grid has blocks in y are transposed on a GPU") {
    // Of a sample, two tiles and 65536.
    for (const Shape& shape : {Shape{65535 / 2 + 1, 33, 1}, {1, 65535 * 32 + 1, 1}}) {
        CAPTURE(shape);
        const auto x = random_normal<float>(shape, 1);
        Cuda device;
        const auto on_gpu = to_cuda(device, x);
        Tensor<float, Cuda> y({shape[0], 1, shape[1]}, device);
        kernels::transpose_samples<float>(device, on_gpu, y);
        CHECK(identical(from_cuda(device, y), x.view().reshape(y.shape())));
    }
}

TEST_CASE_TEMPLATE("padded and cropped images on a GPU", Scalar, float, double) {
    const auto x = random_normal<Scalar>({3, 5, 6, 2}, 1);
    const auto padded = random_normal<Scalar>({3, 8, 6, 2}, 2);
    const auto wide = random_normal<Scalar>({3, 5, 11, 2}, 3);
    CHECK(on_both<Scalar>({x, padded, wide}, [&](auto& device, const auto& t) {
              kernels::pad_images<Scalar>(device, t[0], 1, 0, t[1]);
              kernels::pad_images<Scalar>(device, t[0], 0, 4, t[2]);
          }).same());
    CHECK(on_both<Scalar>({x, padded, wide}, [&](auto& device, const auto& t) {
              kernels::crop_images<Scalar>(device, t[1], 2, 0, t[0]);
              kernels::crop_images<Scalar>(device, t[2], 0, 3, t[0]);
          }).same());
}
