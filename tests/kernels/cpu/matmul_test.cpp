#include "weft/kernels/cpu/matmul.hpp"

#include "tests/support/compare.hpp"
#include "tests/support/dirty_scratch.hpp"
#include "tests/support/long_sums.hpp"
#include "tests/support/random_tensor.hpp"
#include "tests/support/reference/dense.hpp"
#include "tests/support/reference/layout.hpp"
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
using weft::Reference;
using weft::Shape;
using weft::Tensor;
using weft::TensorView;
using weft::kernels::Epilogue;
using weft::kernels::MatrixOperand;
using weft::kernels::row_major;

namespace {

struct Sizes {
    Index rows, columns, depth;
};

/// A B by its definition.
template <class Scalar>
Tensor<double, Reference> exact_product(const Tensor<Scalar>& a, const Tensor<Scalar>& b) {
    Tensor<double, Reference> c({a.shape()[0], b.shape()[1]});
    Reference reference;
    dense_forward<double>(reference, weft::as_reference(a), weft::as_reference(b), {}, weft::linear,
                          c);
    return c;
}

template <class Scalar>
Tensor<Scalar> transposed(const Tensor<Scalar>& x) {
    Tensor<Scalar> y({x.shape()[1], x.shape()[0]});
    Reference reference;
    transpose_samples<Scalar>(reference, {x.data(), x.shape().batch(1)},
                              {y.data(), y.shape().batch(1)});
    return y;
}

template <class Scalar>
Tensor<Scalar> magnitudes(Tensor<Scalar> x) {
    for (Scalar& value : x) value = std::abs(value);
    return x;
}

/// The products that are summed in registers at once.
template <class Scalar>
constexpr Index block_depth = weft::kernels::detail::MatmulBlocking<Scalar>::block_depth;

/// Sizes about every edge of the blocking: register blocks, packets, panels, blocks of rows, of
/// columns and of depth.
template <class Scalar>
std::vector<Sizes> all_sizes() {
    std::vector<Sizes> sizes;
    for (const Index n : {1, 2, 3, 5, 8, 13, 31, 32, 33, 64, 65, 257, 300}) {
        sizes.insert(sizes.end(), {{n, 33, 65}, {65, n, 33}, {33, 65, n}, {n, n, 13}, {1, n, n}});
    }
    constexpr Index block = block_depth<Scalar>;
    for (const Index depth : {block - 1, block, block + 1, 2 * block, 3 * block + 5}) {
        sizes.insert(sizes.end(), {{1, 1, depth}, {9, 17, depth}, {97, 35, depth}, {33, 5, depth}});
    }
    sizes.insert(sizes.end(), {{300, 300, 257}, {256, 64, 512}, {255, 17, 513}, {1, 1, 1}});
    // More columns than a block; transposed operands that make C^T the cheaper, in several pieces.
    sizes.insert(sizes.end(), {{100, 1100, 400}, {64, 1100, 130}, {500, 40, 790}, {9, 1040, 20}});
    sizes.push_back({1200, 120, 260});  // transposed, but C^T of half is too large to be kept
    sizes.insert(sizes.end(), {{5, 7, 0}, {0, 7, 5}, {0, 40, 5}, {5, 0, 7}});
    return sizes;
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
        // Kernels add offsets to it, which null does not allow.
        static const Scalar nowhere{};
        if (memory.size() == 0) operand.data = &nowhere;
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
Tensor<Scalar> product(TensorView<const Scalar> a, const Tensor<Scalar>& b, int threads = 1) {
    const Index rows = a.shape()[0], depth = a.shape()[1], columns = b.shape()[1];
    Tensor<Scalar> c({rows, columns});
    Cpu cpu(threads);
    matmul(cpu, rows, columns, depth, row_major(a.data(), depth), row_major(b.data(), columns),
           c.data(), columns);
    return c;
}

/// Whole numbers for a product: all sums of products are exact, so right results are equal to the
/// bit, whatever the order of the sums.
template <class Scalar>
struct ProductCase {
    Tensor<Scalar> a, b, start, bias;
    Tensor<double, Reference> c;  ///< A B

    explicit ProductCase(const Sizes& sizes)
        : a(random_integers<Scalar>({sizes.rows, sizes.depth}, 1, -8, 8)),
          b(random_integers<Scalar>({sizes.depth, sizes.columns}, 2, -8, 8)),
          start(random_integers<Scalar>({sizes.rows, sizes.columns}, 3, -8, 8)),
          bias(random_integers<Scalar>({sizes.columns}, 4, -8, 8)),
          c(exact_product(a, b)) {}

    /// What C is before a product: never read without accumulate.
    Tensor<Scalar> before(const Epilogue<Scalar>& epilogue) const {
        Tensor<Scalar> y = start;
        if (!epilogue.accumulate) std::ranges::fill(y, not_a_number<Scalar>);
        return y;
    }

    Tensor<Scalar> after(const Epilogue<Scalar>& epilogue) const {
        Tensor<Scalar> y(c.shape());
        for (Index i = 0; i < y.size(); ++i) {
            double value = c[i];
            if (epilogue.accumulate) value += static_cast<double>(start[i]);
            if (epilogue.bias != nullptr) value += static_cast<double>(bias[i % bias.size()]);
            y[i] = static_cast<Scalar>(epilogue.relu ? std::max(value, 0.) : value);
        }
        return y;
    }
};

/// Calls check(epilogue) for each of the eight; of a large product for none and all at once.
template <class Scalar, class Check>
void for_each_epilogue(const ProductCase<Scalar>& problem, const Check& check) {
    const bool is_large = problem.c.size() * problem.a.shape()[1] > 1'000'000;
    for (const bool accumulate : {false, true}) {
        for (const Scalar* const bias :
             {static_cast<const Scalar*>(nullptr), problem.bias.data()}) {
            for (const bool relu : {false, true}) {
                if (is_large && (relu != accumulate || relu != (bias != nullptr))) continue;
                CAPTURE(accumulate);
                CAPTURE(bias);
                CAPTURE(relu);
                check(Epilogue<Scalar>{accumulate, bias, relu});
            }
        }
    }
}

/// Checks all layouts of A and B, with gaps between rows or without, and all epilogues.
template <class Scalar>
void check_product(const Sizes& sizes, int threads) {
    const Index rows = sizes.rows, columns = sizes.columns, depth = sizes.depth;
    const ProductCase<Scalar> problem(sizes);
    Cpu cpu(threads);
    dirty_scratch(cpu);
    CAPTURE(rows);
    CAPTURE(columns);
    CAPTURE(depth);
    for (const Layout layout_a : layouts) {
        for (const Layout layout_b : layouts) {
            // Either kind of gap meets every layout of the other operand.
            const Index gap = layout_a == layout_b ? 0 : 5;
            const Stored<Scalar> a(problem.a, layout_a, gap), b(problem.b, layout_b, 5 - gap);
            CAPTURE(layout_a);
            CAPTURE(layout_b);
            for_each_epilogue(problem, [&](const Epilogue<Scalar>& epilogue) {
                auto c = widened(problem.before(epilogue), gap, Scalar(77));
                matmul<Scalar>(cpu, rows, columns, depth, a.operand, b.operand, c.data(),
                               columns + gap, epilogue);
                CHECK(identical(c, widened(problem.after(epilogue), gap, Scalar(77))));
            });
        }
    }
}

/// Checks the product with a B packed in two pieces.
template <class Scalar>
void check_packed_product(const Sizes& sizes) {
    const Index rows = sizes.rows, columns = sizes.columns, depth = sizes.depth;
    const ProductCase<Scalar> problem(sizes);
    CAPTURE(rows);
    CAPTURE(columns);
    CAPTURE(depth);
    for (const Layout layout : layouts) {
        CAPTURE(layout);
        const Stored<Scalar> a(problem.a, layout, 2), b(problem.b, layout, 3);
        const Index first = depth / 3;
        Tensor<Scalar> packed({weft::kernels::packed_size<Scalar>(depth, columns) + 1});
        std::ranges::fill(packed, not_a_number<Scalar>);
        weft::kernels::pack_rows(depth, 0, first, columns, b.operand, packed.data());
        weft::kernels::pack_rows(depth, first, depth - first, columns, b.operand.from(first, 0),
                                 packed.data());
        for_each_epilogue(problem, [&](const Epilogue<Scalar>& epilogue) {
            auto c = widened(problem.before(epilogue), 5, Scalar(77));
            weft::kernels::multiply_packed<Scalar>(rows, columns, depth, a.operand, packed.data(),
                                                   c.data(), columns + 5, epilogue);
            CHECK(identical(c, widened(problem.after(epilogue), 5, Scalar(77))));
        });
    }
}

/// The largest error of C = A B, as a multiple of the bound on its roundings.
template <class Scalar>
double worst_error(const Tensor<Scalar>& a, const Tensor<Scalar>& b, const Tensor<Scalar>& c) {
    const auto exact = exact_product(a, b);
    const auto magnitude = exact_product(magnitudes(a), magnitudes(b));
    double worst = 0;
    for (Index i = 0; i < c.size(); ++i) {
        // Higham, Accuracy and Stability of Numerical Algorithms, section 3.1: a product and
        // depth additions round by eps / 2 each at most, and what is exact is rounded to double.
        const auto roundings = static_cast<double>(a.shape()[1] + 2);
        const double bound = roundings * weft::eps<Scalar> / 2 * magnitude[i];
        const auto value = static_cast<double>(c[i]);
        worst = std::isfinite(value) ? std::max(worst, std::abs(value - exact[i]) / bound) : 1e9;
    }
    return worst;
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

TEST_CASE_TEMPLATE("matmul is the naive product, for any sizes, strides, transposes and epilogues",
                   Scalar, float, double) {
    for (const Sizes& sizes : all_sizes<Scalar>()) check_product<Scalar>(sizes, 2);
    // Large enough for a part of C for each of seven threads.
    for (const Sizes& sizes : {Sizes{130, 90, 400}, Sizes{700, 9, 600}, Sizes{9, 700, 600}}) {
        check_product<Scalar>(sizes, 7);
    }
}

TEST_CASE("blocks of six rows leave none of one or two, on any processor") {
    const std::vector<Index> expected{0, 0, 0, 0, 0, 0, 6, 0, 0, 6, 6, 6, 12, 6, 6, 12};
    for (Index rows = 0; rows < std::ssize(expected); ++rows) {
        CAPTURE(rows);
        CHECK(weft::kernels::detail::rows_in_blocks(6, rows) ==
              expected[static_cast<std::size_t>(rows)]);
    }
    // Blocks of other heights are as many as fit.
    CHECK(weft::kernels::detail::rows_in_blocks(4, 9) == 8);
    CHECK(weft::kernels::detail::rows_in_blocks(12, 25) == 24);
}

TEST_CASE_TEMPLATE("a packed matrix gives the naive product, with any epilogue", Scalar, float,
                   double) {
    for (const Sizes& sizes : all_sizes<Scalar>()) check_packed_product<Scalar>(sizes);
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
    constexpr Index all = 300, columns = 83;
    const auto bias = random_normal<Scalar>({columns}, 8);
    for (const Index depth : {Index{257}, 3 * block_depth<Scalar> + 5}) {
        const auto a = random_normal<Scalar>({all, depth}, 6);
        const auto b = random_normal<Scalar>({depth, columns}, 7);
        for (const Layout layout_a : layouts) {
            for (const Layout layout_b : layouts) {
                for (const bool fused : {false, true}) {
                    const Stored<Scalar> stored_b(b, layout_b, 0);
                    const auto of_rows = [&](Index first, Index rows) {
                        const Tensor<Scalar> part(a.slice(first, rows));
                        const Stored<Scalar> stored_a(part, layout_a, 0);
                        Tensor<Scalar> c({rows, columns});
                        Cpu cpu(1);
                        matmul<Scalar>(cpu, rows, columns, depth, stored_a.operand,
                                       stored_b.operand, c.data(), columns,
                                       {.bias = fused ? bias.data() : nullptr, .relu = fused});
                        return c;
                    };
                    const auto whole = of_rows(0, all);
                    for (const Index rows : {1, 2, 5, 8, 65, 257}) {
                        for (const Index first : {0, 42, 299}) {
                            if (first + rows > all) continue;
                            CAPTURE(depth);
                            CAPTURE(layout_a);
                            CAPTURE(layout_b);
                            CAPTURE(rows);
                            CAPTURE(first);
                            CHECK(identical(of_rows(first, rows), whole.slice(first, rows)));
                        }
                    }
                }
            }
        }
    }
}

TEST_CASE_TEMPLATE("a column of the product has the same bits wherever it lies", Scalar, float,
                   double) {
    constexpr Index rows = 70, all = 83;
    Cpu cpu(1);
    for (const Index depth : {Index{257}, 2 * block_depth<Scalar> + 3}) {
        const auto a = random_normal<Scalar>({rows, depth}, 8);
        const auto b = random_normal<Scalar>({depth, all}, 9);
        const auto whole = product<Scalar>(a, b);
        for (const Index columns : {1, 2, 3, 7, 8, 16, 17, 33, 40}) {
            for (const Index first : {0, 1, 5, 43}) {
                Tensor<Scalar> part({rows, columns}), expected({rows, columns});
                matmul(cpu, rows, columns, depth, row_major(a.data(), depth),
                       MatrixOperand<Scalar>{b.data() + first, all, 1}, part.data(), columns);
                for (Index i = 0; i < rows; ++i) {
                    std::copy_n(&whole(i, first), columns, &expected(i, 0));
                }
                CAPTURE(depth);
                CAPTURE(columns);
                CAPTURE(first);
                CHECK(identical(part, expected));
            }
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

TEST_CASE_TEMPLATE("threads that share the depth give the bits of one, with any epilogue", Scalar,
                   float, double) {
    // Blocks of depth: 3, which 2 threads do not divide evenly; 2; 14, with odd columns.
    for (const Sizes& sizes : {Sizes{32, 128, 784}, Sizes{64, 65, 600}, Sizes{3, 77, 5000}}) {
        const Index rows = sizes.rows, columns = sizes.columns, depth = sizes.depth;
        const auto a = random_normal<Scalar>({rows, depth}, 10);
        const auto b = random_normal<Scalar>({depth, columns}, 11);
        const auto bias = random_normal<Scalar>(Shape{columns}, 12);
        const auto before = random_normal<Scalar>({rows, columns + 3}, 13);
        for (const Epilogue<Scalar>& epilogue :
             {Epilogue<Scalar>{}, Epilogue<Scalar>{.bias = bias.data(), .relu = true},
              Epilogue<Scalar>{.accumulate = true, .bias = bias.data()}}) {
            Tensor<Scalar> expected;
            for (const int threads : {1, 2, 3, 7}) {
                CAPTURE(columns);
                CAPTURE(threads);
                REQUIRE(weft::kernels::detail::pays_to_split_depth(
                    weft::kernels::detail::Product<Scalar>{rows, columns, depth, {}, {}, {}, {}}));
                Tensor<Scalar> c = before;
                Cpu cpu = Cpu::exactly(threads);
                weft::kernels::run_pass(cpu, 0, [&] {
                    weft::kernels::matmul<Scalar>(
                        cpu, rows, columns, depth, row_major(a.data(), depth),
                        row_major(b.data(), columns), c.data(), columns + 3, epilogue);
                });
                if (threads == 1) expected = c;
                CHECK(identical(c, expected));
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
        weft::kernels::detail::Product<float>{
            n, n, n, row_major(a.data(), n), row_major(b.data(), n), c.data(), n, {}}
            .part(0, 0, grid.part_rows, grid.part_columns));
    const Index used = 2 * plan.scratch_size();
    const auto place = [&] {
        const auto scratch = cpu.scratch<float>(9 * used);
        return scratch.data();
    };
    float* const memory = place();
    std::fill_n(memory, 9 * used, 0.5f);
    weft::kernels::run_pass(cpu, 1, [&] {
        for (int repeat = 0; repeat < 200; ++repeat) {
            weft::kernels::matmul<float>(cpu, n, n, n, row_major(a.data(), n),
                                         row_major(b.data(), n), c.data(), n);
        }
    });
    CHECK(place() == memory);
    CHECK(std::all_of(memory + used, memory + 9 * used, [](float value) { return value == 0.5f; }));
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

TEST_CASE_TEMPLATE("products over a long depth are within the bound of their roundings", Scalar,
                   float, double) {
    for (const Index n : weft::long_lengths<Scalar>()) {
        // 256 blocks of 384 products in a row, the rest in halves; each product rounds too.
        const double bound =
            384 + static_cast<double>(std::min<Index>(n / 384, 256)) +
            std::ceil(std::log2(std::max(1.0, static_cast<double>(n) / (256 * 384)))) + 1;
        // A row times a column: the same memory, so that 10^8 take no more.
        const weft::LongNumbers<Scalar> numbers({1, n}, true);
        const auto exact = numbers.sum * static_cast<long double>(Scalar(0.1));
        Scalar c = 99;
        Cpu cpu(2);
        dirty_scratch(cpu);
        const Scalar* const x = numbers.x.data();
        matmul(cpu, 1, 1, n, row_major(x, n), row_major(x, 1), &c, 1);
        CAPTURE(n);
        CHECK(weft::roundings(c, exact) <= bound);
        if (n > 1'000'000) continue;
        // The gradient of a kernel, X^T G: 3 features, 5 units, a deep batch.
        Tensor<Scalar> g({n, 5}), dw({3, 5});
        const weft::LongNumbers<Scalar> features({n, 3}, false);
        std::ranges::fill(g, Scalar(0.1));
        matmul(cpu, 3, 5, n, row_major(features.x.data(), 3).transposed(), row_major(g.data(), 5),
               dw.data(), 5);
        long double sum = 0;
        for (Index i = 0; i < 3; ++i) sum += static_cast<long double>(dw(i, 4));
        CHECK(weft::roundings(static_cast<Scalar>(sum),
                              features.sum * static_cast<long double>(Scalar(0.1))) <= bound + 1);
    }
}

TEST_CASE("a depth that is halved gives the naive product, whatever is behind it") {
    // 256 blocks of 384 are the most that are not halved.
    for (const Index depth : {98'304, 98'305, 200'000}) check_product<float>({3, 2, depth}, 1);
    check_product<float>({3, 2, 250'000}, 7);
    const auto a = random_normal<float>({9, 300'000}, 31);
    const auto b = random_normal<float>({300'000, 3}, 32);
    const auto c = product<float>(a, b);
    CHECK(identical(product<float>(a, b, 7), c));
    CHECK(identical(product<float>(a.slice(5, 1), b), c.slice(5, 1)));
}
