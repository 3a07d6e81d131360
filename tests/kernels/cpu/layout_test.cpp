#include "weft/kernels/cpu/layout.hpp"

#include "tests/support/compare.hpp"
#include "tests/support/random_tensor.hpp"

#include <doctest/doctest.h>

#include <string>

using weft::Cpu;
using weft::identical;
using weft::Index;
using weft::Shape;
using weft::Tensor;

namespace {

template <class Scalar>
Tensor<Scalar> transposed_samples(const Tensor<Scalar>& x, int threads = 1) {
    const Index samples = x.shape()[0], rows = x.shape()[1], columns = x.shape()[2];
    Tensor<Scalar> y({samples, columns, rows});
    Cpu cpu(threads);
    weft::kernels::transpose_samples(cpu, samples, rows, columns, x.data(), y.data());
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
        int wrong = 0;
        for (Index n = 0; n < shape[0]; ++n) {
            for (Index i = 0; i < shape[1]; ++i) {
                for (Index j = 0; j < shape[2]; ++j) wrong += y(n, j, i) != x(n, i, j);
            }
        }
        const std::string where = shape.to_string();
        CAPTURE(where);
        CHECK(wrong == 0);
        CHECK(identical(transposed_samples(y), x));
        CHECK(identical(transposed_samples(x, 7), y));
    }
}
