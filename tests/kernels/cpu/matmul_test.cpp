#include "weft/kernels/cpu/matmul.hpp"

#include "tests/support/compare.hpp"
#include "tests/support/dirty_scratch.hpp"
#include "tests/support/random_tensor.hpp"
#include "tests/support/special_values.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

using weft::Cpu;
using weft::dirty_scratch;
using weft::identical;
using weft::Index;
using weft::not_a_number;
using weft::random_integers;
using weft::random_normal;
using weft::Tensor;
using weft::kernels::MatrixOperand;
using weft::kernels::row_major;

namespace {

struct Sizes {
    Index rows, columns, depth;
};

/// Sizes about every edge of the blocking: register blocks, packets, panels, blocks of rows and of
/// depth.
std::vector<Sizes> all_sizes() {
    std::vector<Sizes> sizes;
    for (const Index n : {1, 2, 3, 5, 8, 13, 31, 32, 33, 64, 65, 257, 300}) {
        sizes.insert(sizes.end(), {{n, 33, 65}, {65, n, 33}, {33, 65, n}, {n, n, 13}, {1, n, n}});
    }
    sizes.insert(sizes.end(), {{300, 300, 257}, {256, 64, 512}, {255, 17, 513}, {1, 1, 1}});
    // More columns than a block; transposed operands that make C^T the cheaper, in several pieces.
    sizes.insert(sizes.end(), {{100, 1100, 400}, {64, 1100, 130}, {500, 40, 790}, {9, 1040, 20}});
    sizes.insert(sizes.end(), {{5, 7, 0}, {0, 7, 5}, {5, 0, 7}});
    return sizes;
}

template <class Scalar>
Tensor<Scalar> naive(const Tensor<Scalar>& a, const Tensor<Scalar>& b) {
    const Index depth = a.shape()[1];
    Tensor<Scalar> c({a.shape()[0], b.shape()[1]});
    for (Index i = 0; i < c.shape()[0]; ++i) {
        for (Index j = 0; j < c.shape()[1]; ++j) {
            double sum = 0;
            for (Index k = 0; k < depth; ++k) {
                sum += static_cast<double>(a(i, k)) * static_cast<double>(b(k, j));
            }
            c(i, j) = static_cast<Scalar>(sum);
        }
    }
    return c;
}

template <class Scalar>
Tensor<Scalar> transposed(const Tensor<Scalar>& x) {
    Tensor<Scalar> y({x.shape()[1], x.shape()[0]});
    for (Index i = 0; i < x.shape()[0]; ++i) {
        for (Index j = 0; j < x.shape()[1]; ++j) y(j, i) = x(i, j);
    }
    return y;
}

/// x with `gap` further columns of that filling.
template <class Scalar>
Tensor<Scalar> widened(const Tensor<Scalar>& x, Index gap, Scalar filling) {
    Tensor<Scalar> y({x.shape()[0], x.shape()[1] + gap});
    std::ranges::fill(y, filling);
    for (Index i = 0; i < x.shape()[0]; ++i) {
        for (Index j = 0; j < x.shape()[1]; ++j) y(i, j) = x(i, j);
    }
    return y;
}

enum class Layout { as_it_is, transposed, every_other };
constexpr Layout layouts[] = {Layout::as_it_is, Layout::transposed, Layout::every_other};

/// A matrix in memory of its own, with NaN in the `gap` elements between its rows, and for
/// every_other between its elements too.
template <class Scalar>
struct Stored {
    Tensor<Scalar> memory;
    MatrixOperand<Scalar> operand;

    Stored(const Tensor<Scalar>& x, Layout layout, Index gap)
        : memory(widened(arranged(x, layout), gap, not_a_number<Scalar>)),
          operand(row_major(memory.data(), memory.shape()[1])) {
        if (layout == Layout::transposed) operand = operand.transposed();
        if (layout == Layout::every_other) operand.column_stride = 2;
    }

    static Tensor<Scalar> arranged(const Tensor<Scalar>& x, Layout layout) {
        if (layout == Layout::as_it_is) return x;
        if (layout == Layout::transposed) return transposed(x);
        Tensor<Scalar> y({x.shape()[0], 2 * x.shape()[1]});
        std::ranges::fill(y, not_a_number<Scalar>);
        for (Index i = 0; i < x.size(); ++i) y[2 * i] = x[i];
        return y;
    }
};

/// A B of dense row-major matrices.
template <class Scalar>
Tensor<Scalar> product(weft::TensorView<const Scalar> a, const Tensor<Scalar>& b, int threads = 1) {
    const Index rows = a.shape()[0], depth = a.shape()[1], columns = b.shape()[1];
    Tensor<Scalar> c({rows, columns});
    Cpu cpu(threads);
    matmul(cpu, rows, columns, depth, row_major(a.data(), depth), row_major(b.data(), columns),
           c.data(), columns);
    return c;
}

/// Checks all layouts of A and B, with and without gaps between rows, stored and accumulated.
template <class Scalar>
void check_product(const Sizes& sizes) {
    const Index rows = sizes.rows, columns = sizes.columns, depth = sizes.depth;
    constexpr Scalar untouched = 77;
    const auto a = random_integers<Scalar>({rows, depth}, 1, -8, 8);
    const auto b = random_integers<Scalar>({depth, columns}, 2, -8, 8);
    const auto start = random_integers<Scalar>({rows, columns}, 3, -8, 8);
    const auto c = naive(a, b);
    auto sum = c, garbage = c;
    for (Index i = 0; i < c.size(); ++i) {
        sum[i] += start[i];
        garbage[i] = not_a_number<Scalar>;  // never read without accumulate
    }
    Cpu cpu(2);
    dirty_scratch(cpu);
    for (const Layout layout_a : layouts) {
        for (const Layout layout_b : layouts) {
            for (const Index gap : {0, 5}) {
                const Stored<Scalar> stored_a(a, layout_a, gap), stored_b(b, layout_b, gap);
                for (const bool accumulate : {false, true}) {
                    auto y = widened(accumulate ? start : garbage, gap, untouched);
                    matmul<Scalar>(cpu, rows, columns, depth, stored_a.operand, stored_b.operand,
                                   y.data(), columns + gap, {.accumulate = accumulate});
                    CAPTURE(depth);
                    CAPTURE(layout_a);
                    CAPTURE(layout_b);
                    CAPTURE(accumulate);
                    CHECK(identical(y, widened(accumulate ? sum : c, gap, untouched)));
                }
            }
        }
    }
}

/// Checks the product with a B packed in two pieces.
template <class Scalar>
void check_packed_product(const Sizes& sizes) {
    const Index rows = sizes.rows, columns = sizes.columns, depth = sizes.depth;
    const auto a = random_integers<Scalar>({rows, depth}, 21, -8, 8);
    const auto b = random_integers<Scalar>({depth, columns}, 22, -8, 8);
    const auto start = random_integers<Scalar>({rows, columns}, 23, -8, 8);
    const auto c = naive(a, b);
    auto sum = c;
    for (Index i = 0; i < c.size(); ++i) sum[i] += start[i];
    for (const Layout layout : layouts) {
        const Stored<Scalar> stored_a(a, layout, 2), stored_b(b, layout, 3);
        const MatrixOperand<Scalar> all = stored_b.operand;
        const Index first = depth / 3;
        const MatrixOperand<Scalar> rest{all.data + first * all.row_stride, all.row_stride,
                                         all.column_stride};
        Tensor<Scalar> packed({weft::kernels::packed_size<Scalar>(depth, columns)});
        std::ranges::fill(packed, not_a_number<Scalar>);
        weft::kernels::pack_rows(depth, 0, first, columns, all, packed.data());
        weft::kernels::pack_rows(depth, first, depth - first, columns, rest, packed.data());
        for (const bool accumulate : {false, true}) {
            auto y = widened(start, 5, Scalar(77));
            weft::kernels::multiply_packed<Scalar>(rows, columns, depth, stored_a.operand,
                                                   packed.data(), y.data(), columns + 5,
                                                   {.accumulate = accumulate});
            CAPTURE(depth);
            CAPTURE(layout);
            CAPTURE(accumulate);
            CHECK(identical(y, widened(accumulate ? sum : c, 5, Scalar(77))));
        }
    }
}

/// The largest error of C = A B, as a multiple of the bound on its roundings.
template <class Scalar>
long double worst_error(const Tensor<Scalar>& a, const Tensor<Scalar>& b, const Tensor<Scalar>& c) {
    const Index depth = a.shape()[1];
    long double worst = 0;
    for (Index i = 0; i < c.shape()[0]; ++i) {
        for (Index j = 0; j < c.shape()[1]; ++j) {
            long double sum = 0, magnitude = 0;
            for (Index k = 0; k < depth; ++k) {
                const auto term =
                    static_cast<long double>(a(i, k)) * static_cast<long double>(b(k, j));
                sum += term;
                magnitude += std::abs(term);
            }
            // Higham, Accuracy and Stability of Numerical Algorithms, section 3.1: a product and
            // depth additions round by eps / 2 each at most.
            constexpr auto eps = static_cast<long double>(std::numeric_limits<Scalar>::epsilon());
            const long double bound = static_cast<long double>(depth + 1) * eps / 2 * magnitude;
            const auto value = static_cast<long double>(c(i, j));
            worst = std::isfinite(value) ? std::max(worst, std::abs(value - sum) / bound) : 1e9L;
        }
    }
    return worst;
}

/// Checks bias and relu, which would show if they met an element twice, unfinished, or not at all.
template <class Scalar>
void check_epilogue(const Sizes& sizes, int threads, bool accumulate) {
    const Index rows = sizes.rows, columns = sizes.columns, depth = sizes.depth;
    const auto a = random_integers<Scalar>({rows, depth}, 12, -8, 8);
    const auto b = random_integers<Scalar>({depth, columns}, 13, -8, 8);
    const auto start = random_integers<Scalar>({rows, columns}, 14, -8, 8);
    const auto bias = random_integers<Scalar>({columns}, 15, -8, 8);
    for (const bool relu : {false, true}) {
        for (const bool packed : {false, true}) {
            auto c = widened(start, 3, Scalar(-1));
            const weft::kernels::Epilogue<Scalar> epilogue{accumulate, bias.data(), relu};
            const auto left = row_major(a.data(), depth), right = row_major(b.data(), columns);
            if (packed) {
                Tensor<Scalar> panels({weft::kernels::packed_size<Scalar>(depth, columns)});
                weft::kernels::pack_rows(depth, 0, depth, columns, right, panels.data());
                weft::kernels::multiply_packed(rows, columns, depth, left, panels.data(), c.data(),
                                               columns + 3, epilogue);
            } else {
                Cpu cpu(threads);
                matmul(cpu, rows, columns, depth, left, right, c.data(), columns + 3, epilogue);
            }
            auto expected = naive(a, b);
            for (Index i = 0; i < rows; ++i) {
                for (Index j = 0; j < columns; ++j) {
                    Scalar& y = expected(i, j);
                    y += bias[j] + (accumulate ? start(i, j) : 0);
                    if (relu) y = std::max(y, Scalar(0));
                }
            }
            CAPTURE(depth);
            CAPTURE(threads);
            CAPTURE(accumulate);
            CAPTURE(relu);
            CAPTURE(packed);
            CHECK(identical(c, widened(expected, 3, Scalar(-1))));
        }
    }
}

/// Checks that a bad element of A spoils a row of the product and one of B a column, no more.
template <class Scalar>
void check_spread(const Sizes& sizes, Scalar bad) {
    const Index rows = sizes.rows, columns = sizes.columns, depth = sizes.depth;
    auto a = weft::random_uniform<Scalar>({rows, depth}, 15, 1, 2);
    auto b = weft::random_uniform<Scalar>({depth, columns}, 16, 1, 2);
    a(rows - 2, depth - 1) = bad;
    b(0, columns - 2) = bad;
    const auto c = product<Scalar>(a, b);
    int wrong = 0;
    for (Index i = 0; i < rows; ++i) {
        for (Index j = 0; j < columns; ++j) {
            const bool spoilt = i == rows - 2 || j == columns - 2;
            const bool same = std::isnan(bad) ? std::isnan(c(i, j)) : c(i, j) == bad;
            wrong += spoilt ? !same : !std::isfinite(c(i, j));
        }
    }
    CAPTURE(rows);
    CAPTURE(bad);
    CHECK(wrong == 0);
}

}  // namespace

TEST_CASE_TEMPLATE("matmul is the naive product, for any sizes, strides and transposes", Scalar,
                   float, double) {
    for (const Sizes& sizes : all_sizes()) check_product<Scalar>(sizes);
}

TEST_CASE_TEMPLATE("a packed matrix gives the naive product", Scalar, float, double) {
    for (const Sizes& sizes : all_sizes()) check_packed_product<Scalar>(sizes);
}

TEST_CASE_TEMPLATE("matmul of any numbers is within the bound of its roundings", Scalar, float,
                   double) {
    for (const Sizes& sizes : {Sizes{65, 33, 300}, Sizes{7, 50, 65}}) {
        const auto a = random_normal<Scalar>({sizes.rows, sizes.depth}, 4);
        const auto b = random_normal<Scalar>({sizes.depth, sizes.columns}, 5);
        const auto worst = worst_error(a, b, product<Scalar>(a, b));
        CHECK(worst < 1);
        CHECK(worst > 0);
    }
}

TEST_CASE_TEMPLATE("a row of the product has the same bits alone and in a batch", Scalar, float,
                   double) {
    const auto a = random_normal<Scalar>({300, 257}, 6);
    const auto b = random_normal<Scalar>({257, 83}, 7);
    const auto whole = product<Scalar>(a, b);
    for (const Index rows : {1, 2, 3, 4, 5, 7, 8, 15, 63, 64, 65, 256, 257}) {
        for (const Index first : {0, 1, 42, 299}) {
            if (first + rows > 300) continue;
            CAPTURE(rows);
            CAPTURE(first);
            CHECK(identical(product<Scalar>(a.slice(first, rows), b), whole.slice(first, rows)));
        }
    }
}

TEST_CASE_TEMPLATE("a column of the product has the same bits wherever it lies", Scalar, float,
                   double) {
    constexpr Index rows = 70, depth = 257, all = 83;
    const auto a = random_normal<Scalar>({rows, depth}, 8);
    const auto b = random_normal<Scalar>({depth, all}, 9);
    const auto whole = product<Scalar>(a, b);
    Cpu cpu(1);
    for (const Index columns : {1, 2, 3, 7, 8, 16, 17, 33, 40}) {
        for (const Index first : {0, 1, 5, 43}) {
            Tensor<Scalar> part({rows, columns}), expected({rows, columns});
            matmul(cpu, rows, columns, depth, row_major(a.data(), depth),
                   MatrixOperand<Scalar>{b.data() + first, all, 1}, part.data(), columns);
            for (Index i = 0; i < rows; ++i) {
                std::copy_n(&whole(i, first), columns, &expected(i, 0));
            }
            CAPTURE(columns);
            CAPTURE(first);
            CHECK(identical(part, expected));
        }
    }
}

TEST_CASE_TEMPLATE("the product has the same bits for any layout and number of threads", Scalar,
                   float, double) {
    for (const Sizes& sizes :
         {Sizes{300, 83, 270}, Sizes{40, 500, 500}, Sizes{640, 90, 400}, Sizes{9, 32, 5000}}) {
        const Index rows = sizes.rows, columns = sizes.columns, depth = sizes.depth;
        const auto a = random_normal<Scalar>({rows, depth}, 10);
        const auto b = random_normal<Scalar>({depth, columns}, 11);
        const auto expected = product<Scalar>(a, b);
        for (const Layout layout_a : layouts) {
            for (const Layout layout_b : layouts) {
                const Stored<Scalar> stored_a(a, layout_a, 0), stored_b(b, layout_b, 0);
                for (const int threads : {1, 2, 7}) {
                    Tensor<Scalar> c({rows, columns});
                    Cpu cpu(threads);
                    matmul(cpu, rows, columns, depth, stored_a.operand, stored_b.operand, c.data(),
                           columns);
                    CAPTURE(rows);
                    CAPTURE(layout_a);
                    CAPTURE(layout_b);
                    CAPTURE(threads);
                    CHECK(identical(c, expected));
                }
            }
        }
    }
}

TEST_CASE("a product of fewer parts than a pass has threads keeps to its scratch") {
    // Two parts for eight threads; what lies behind the scratch of two stays.
    constexpr Index n = 102;
    const Tensor<float> a = random_normal<float>({n, n}, 1), b = random_normal<float>({n, n}, 2);
    Tensor<float> c({n, n});
    Cpu cpu = Cpu::exactly(8);
    const weft::kernels::detail::ProductGrid grid =
        weft::kernels::detail::product_grid<float>(n, n, n, 8);
    REQUIRE(grid.rows * grid.columns == 2);
    const weft::kernels::detail::ProductPlan<float> plan(
        weft::kernels::detail::Product<float>{n, n, n, row_major(a.data(), n),
                                              row_major(b.data(), n), c.data(), n, {}}
            .part(0, 0, grid.part_rows, grid.part_columns));
    const auto used = static_cast<std::size_t>(2 * plan.scratch_size()) * sizeof(float);
    std::byte* const scratch = cpu.scratch(9 * used);
    std::fill_n(scratch, 9 * used, std::byte{0x5A});
    weft::kernels::run_pass(cpu, 1, [&] {
        for (int repeat = 0; repeat < 200; ++repeat) {
            weft::kernels::matmul<float>(cpu, n, n, n, row_major(a.data(), n),
                                         row_major(b.data(), n), c.data(), n);
        }
    });
    CHECK(std::all_of(scratch + used, scratch + 9 * used,
                      [](std::byte value) { return value == std::byte{0x5A}; }));
}

TEST_CASE_TEMPLATE("the epilogue sees each finished element once, and its column", Scalar, float,
                   double) {
    for (const Sizes& sizes : {Sizes{300, 83, 300}, Sizes{1, 1, 1}, Sizes{257, 16, 256},
                               Sizes{3, 70, 257}, Sizes{5, 7, 0}}) {
        for (const int threads : {1, 7}) {
            check_epilogue<Scalar>(sizes, threads, false);
            check_epilogue<Scalar>(sizes, threads, true);
        }
    }
}

TEST_CASE_TEMPLATE("NaN and infinity reach just the elements they belong to", Scalar, float,
                   double) {
    constexpr Scalar infinity = std::numeric_limits<Scalar>::infinity();
    for (const Sizes& sizes : {Sizes{9, 37, 300}, Sizes{70, 5, 3}}) {
        check_spread(sizes, not_a_number<Scalar>);
        check_spread(sizes, infinity);
    }
    // 0 times infinity is NaN: no shortcut for zeros.
    const Tensor<Scalar> zero({1, 1}), infinite({1, 1}, {infinity});
    CHECK(std::isnan(product<Scalar>(zero, infinite)[0]));
}
