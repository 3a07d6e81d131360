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

TEST_CASE_TEMPLATE("samples on a GPU are gathered in the order, from the first on", Scalar, float,
                   double) {
    const auto x = random_normal<Scalar>({9, 5}, 1);
    Tensor<std::uint8_t> bytes({9, 5});
    for (Index i = 0; i < 45; ++i) bytes[i] = static_cast<std::uint8_t>(255 - i * 37 % 256);
    const std::vector<std::int32_t> order{4, 8, 0, 3, 3, 7};
    Cuda device;
    const auto on_gpu = to_cuda(device, x);
    const auto bytes_on_gpu = to_cuda(device, bytes);
    StagedTensor<std::int32_t, Cuda> samples(Shape{6}, device), first(Shape{1}, device);
    for (Index i = 0; i < 6; ++i) {
        samples.host()[i] = order[static_cast<std::size_t>(i)];
    }
    samples.send(device, 6);
    for (const int begin : {0, 2}) {
        first.host()[0] = begin;
        first.send(device, 1);
        const auto gather = [&](const auto& from) {
            Tensor<Scalar, Cuda> y({4, 3}, device);
            kernels::gather_samples<Scalar>(device, 4, 3, from.data(), 5,
                                            std::as_const(samples).data(),
                                            std::as_const(first).data(), y.data());
            return from_cuda(device, y);
        };
        const auto gathered = gather(on_gpu), of_bytes = gather(bytes_on_gpu);
        for (Index row = 0; row < 4; ++row) {
            const Index sample = samples.host()[begin + row];
            for (Index c = 0; c < 3; ++c) {
                CHECK(gathered(row, c) == x(sample, c));
                CHECK(of_bytes(row, c) == bytes(sample, c));
            }
        }
    }
}

TEST_CASE_TEMPLATE("columns of matrices on a GPU go between rows of any length", Scalar, float,
                   double) {
    const auto x = random_normal<Scalar>({67, 11}, 1), y = random_normal<Scalar>({67, 13}, 2);
    CHECK(on_both<Scalar>({x, y}, [&](auto& device, const auto& t) {
              kernels::copy_columns<Scalar>(device, t[0], 3, 5, t[1], 7);
              kernels::copy_columns<Scalar>(device, t[0].slice(0, 0), 0, 5, t[1].slice(0, 0), 0);
          }).same());
}
