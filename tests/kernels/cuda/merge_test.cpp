#include "weft/kernels/cuda/merge.hpp"

#include "tests/support/cuda.hpp"
#include "tests/support/random_tensor.hpp"
#include "tests/support/reference/merge.hpp"

#include <doctest/doctest.h>

using namespace weft;

TEST_CASE_TEMPLATE("sums and products of tensors on a GPU", Scalar, float, double) {
    for (const Index count : {1, 31, 257, 1000}) {
        const auto x = random_normal<Scalar>({count}, 1), z = random_normal<Scalar>({count}, 2);
        CHECK(on_both<Scalar>({x, z, x, z}, [&](auto& device, const auto& t) {
                  kernels::add_elements<Scalar>(device, t[0], t[1], t[2]);
                  kernels::multiply_elements<Scalar>(device, t[0], t[1], t[3]);
                  kernels::add_elements<Scalar>(device, t[3], t[1], t[3]);  // in place
              }).same());
    }
}

TEST_CASE_TEMPLATE("columns of matrices on a GPU go between rows of any length", Scalar, float,
                   double) {
    const auto x = random_normal<Scalar>({67, 11}, 1), y = random_normal<Scalar>({67, 13}, 2);
    CHECK(on_both<Scalar>({x, y}, [&](auto& device, const auto& t) {
              kernels::copy_columns<Scalar>(device, 67, 5, t[0].data() + 3, 11, t[1].data() + 7,
                                            13);
              kernels::copy_columns<Scalar>(device, 0, 5, t[0].data(), 11, t[1].data(), 13);
          }).same());
}
