#include "weft/kernels/cpu/merge.hpp"

#include "tests/support/compare.hpp"
#include "tests/support/random_tensor.hpp"
#include "tests/support/reference/merge.hpp"

#include <doctest/doctest.h>

using weft::as_reference;
using weft::Cpu;
using weft::identical;
using weft::Index;
using weft::random_normal;
using weft::Reference;
using weft::Tensor;

TEST_CASE_TEMPLATE("sums and products are those of each element, in place too", Scalar, float,
                   double) {
    Reference reference;
    for (const Index count : {0, 1, 3, 37, 40'001}) {
        const auto x = random_normal<Scalar>({count}, 1), z = random_normal<Scalar>({count}, 2);
        const auto exact_x = as_reference<Scalar>(x), exact_z = as_reference<Scalar>(z);
        auto exact_sum = exact_z, exact_product = exact_z;
        add_elements<Scalar>(reference, exact_x, exact_z, exact_sum);
        multiply_elements<Scalar>(reference, exact_x, exact_z, exact_product);
        CAPTURE(count);
        for (const int threads : {1, 2, 7}) {
            Cpu cpu(threads);
            Tensor<Scalar> sum(z.shape()), product(z.shape()), sum_in_place = z, in_place = z;
            add_elements<Scalar>(cpu, x, z, sum);
            add_elements<Scalar>(cpu, x, sum_in_place, sum_in_place);
            multiply_elements<Scalar>(cpu, x, z, product);
            multiply_elements<Scalar>(cpu, x, in_place, in_place);
            // One rounding each, so the same bits.
            CHECK(identical(sum, exact_sum));
            CHECK(identical(sum_in_place, exact_sum));
            CHECK(identical(product, exact_product));
            CHECK(identical(in_place, exact_product));
        }
    }
}

TEST_CASE_TEMPLATE("copy_columns moves the columns it is given and touches no other", Scalar, float,
                   double) {
    Reference reference;
    for (const Index rows : {0, 1, 5, 9000}) {
        for (const Index columns : {1, 3, 16}) {
            const auto x = random_normal<Scalar>({rows + 1, columns + 2}, 3);
            const auto start = random_normal<Scalar>({rows + 1, columns + 5}, 4);
            const auto exact_x = as_reference<Scalar>(x);
            auto expected = as_reference<Scalar>(start);
            copy_columns<Scalar>(reference, exact_x.view().slice(0, rows), 1, columns,
                                 expected.view().slice(0, rows), 3);
            CAPTURE(rows);
            CAPTURE(columns);
            for (const int threads : {1, 7}) {
                Cpu cpu(threads);
                auto y = start;
                copy_columns<Scalar>(cpu, x.view().slice(0, rows), 1, columns,
                                     y.view().slice(0, rows), 3);
                CHECK(identical(y, expected));
            }
        }
    }
}

TEST_CASE_TEMPLATE("gather_samples takes rows in an order from a place on, bytes as numbers",
                   Scalar, float, double) {
    Reference reference;
    for (const Index rows : {0, 1, 5, 9000}) {
        for (const Index columns : {1, 3, 16}) {
            const auto numbers = random_normal<Scalar>({11, columns + 2}, 3);
            Tensor<std::uint8_t> bytes(numbers.shape());
            for (Index i = 0; i < bytes.size(); ++i) {
                bytes[i] = static_cast<std::uint8_t>(255 - i * 37 % 256);
            }
            Tensor<std::int32_t> samples({rows + 2});
            for (Index i = 0; i < rows + 2; ++i) samples[i] = static_cast<std::int32_t>(i * 7 % 11);
            constexpr std::int32_t first = 2;
            CAPTURE(rows);
            CAPTURE(columns);
            const auto check = [&](const auto& x) {
                Tensor<Scalar> expected({rows, columns});
                gather_samples(reference, rows, columns, x.data() + 1, columns + 2,
                               std::as_const(samples).data(), &first, expected.data());
                for (const int threads : {1, 7}) {
                    Cpu cpu(threads);
                    Tensor<Scalar> y({rows, columns});
                    gather_samples(cpu, rows, columns, x.data() + 1, columns + 2,
                                   std::as_const(samples).data(), &first, y.data());
                    CHECK(identical(y, expected));
                }
            };
            check(numbers);
            check(bytes);
        }
    }
}
