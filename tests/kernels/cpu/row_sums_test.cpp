#include "weft/kernels/cpu/row_sums.hpp"

#include "weft/core/tensor.hpp"

#include <doctest/doctest.h>

#include <vector>

using weft::Cpu;
using weft::Index;
using weft::Tensor;

TEST_CASE_TEMPLATE("each row is visited once and its sums hold each element once", Scalar, float,
                   double) {
    for (const Index columns : {1, 2, 7, 16, 37, 256, 257, 1000, 9000}) {
        CAPTURE(columns);
        const Index rows = 5;
        Tensor<Scalar> x({rows, columns});
        for (Index i = 0; i < x.size(); ++i) x[i] = static_cast<Scalar>(i % 7 + 1);  // sums exact
        std::vector<Scalar> one_by_one(5), packets(5), expected(5);
        for (Index i = 0; i < x.size(); ++i) {
            expected[static_cast<std::size_t>(i / columns)] += x[i];
        }
        Cpu cpu(2);
        weft::kernels::detail::for_each_row_to_sum(
            cpu, rows, columns, [&](Index r, const auto& row) {
                const auto at = static_cast<std::size_t>(r);
                one_by_one[at] +=
                    row.template sum<Scalar>([&](Scalar& sum, Index i) { sum += x[i]; });
                packets[at] += row.template sum_packets<Scalar>([&](Index i, auto size) {
                    return weft::kernels::detail::load_up_to(x.data() + i, size);
                });
            });
        CHECK(one_by_one == expected);
        CHECK(packets == expected);
    }
}
