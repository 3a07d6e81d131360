#include "weft/kernels/cuda/step.hpp"

#include "tests/support/cuda.hpp"
#include "tests/support/random_tensor.hpp"
#include "tests/support/reference/merge.hpp"
#include "tests/support/reference/tally.hpp"
#include "tests/support/special_values.hpp"
#include "weft/kernels/fused.hpp"

#include <doctest/doctest.h>

#include <numeric>

using namespace weft;

namespace {

/// A tensor on a device of any kind.
template <class Scalar, class Device>
Tensor<Scalar, Device> there(Device& device, const Tensor<Scalar>& x) {
    Tensor<Scalar, Device> y(x.shape(), device);
    kernels::copy_to_device<Scalar>(device, x, y);
    return y;
}

template <class Scalar, class Device>
Tensor<Scalar> here(Device& device, const Tensor<Scalar, Device>& x) {
    Tensor<Scalar> y(x.shape());
    kernels::copy_to_host<Scalar>(device, x, y);
    return y;
}

template <class Scalar>
struct Gathered {
    std::vector<Tensor<Scalar>> columns;
    Tensor<std::uint8_t> row;
    Tensor<double> counts{{2}};  ///< the mark, and how many rows were taken

    double wrong() const { return counts[0]; }
    double taken() const { return counts[1]; }

    Verdict same(const Gathered& other) const {
        Verdict verdict;
        for (std::size_t i = 0; i < columns.size(); ++i) {
            verdict.add(concat("columns ", i), identical(columns[i], other.columns[i]));
        }
        verdict.add("row", identical(row, other.row));
        verdict.add("mark and rows taken", identical(counts, other.counts));
        return verdict;
    }
};

constexpr Index row_bytes = 192, records = 50;

/// Gathers n samples of each of `columns` columns, from records that hold all of them behind each
/// other; the first are checked. The third row of a table is taken, or was. With bytes, which are x
/// as bytes, every other of `columns` is gathered from them.
template <class Scalar, class Device>
Gathered<Scalar> gather(const Tensor<Scalar>& x, const std::vector<Index>& columns, Index n,
                        bool takes_row, double wrong, bool has_wrong = true,
                        const Tensor<std::uint8_t>& bytes = {}) {
    Device device;
    Tensor<std::uint8_t> rows({4, row_bytes}), row({row_bytes});
    for (Index i = 0; i < rows.size(); ++i) rows[i] = static_cast<std::uint8_t>(i * 7 % 251);
    for (Index r = 0; r < 4; ++r) {
        const auto first = static_cast<std::int32_t>(10 + r);
        std::memcpy(rows.data() + r * row_bytes + 8, &first, sizeof first);
    }
    std::copy_n(rows.data(), row_bytes, row.data());
    Tensor<std::int32_t> order({n + 20}), taken({1}, {2});
    for (Index i = 0; i < order.size(); ++i) {
        order[i] = static_cast<std::int32_t>(i * 13 % records);
    }
    const auto x_there = there(device, x);
    const auto bytes_there = there(device, bytes);
    const auto rows_there = there(device, rows);
    const auto order_there = there(device, order);
    auto row_there = there(device, row);
    auto taken_there = there(device, taken);
    auto wrong_there = there(device, Tensor<double>({1}, {wrong}));
    std::vector<Tensor<Scalar, Device>> y;
    std::vector<kernels::GatheredColumns<Scalar>> batch;
    Index from = 0;
    for (const Index width : columns) {
        y.push_back(there(device, Tensor<Scalar>({n, width})));
        batch.push_back({x_there.data() + from, x.shape().last(), width, nullptr, from == 0});
        from += width;
    }
    for (std::size_t i = 0; i < y.size(); ++i) batch[i].y = y[i].data();
    for (std::size_t i = 0; i < y.size() && bytes.size() > 0; i += 2) {
        batch[i].bytes = bytes_there.data() + (batch[i].x - x_there.data());
        batch[i].x = nullptr;
    }
    gather_batch<Scalar>(device,
                         {row_bytes, reinterpret_cast<const std::byte*>(rows_there.data()),
                          taken_there.data(), reinterpret_cast<std::byte*>(row_there.data()), 8},
                         takes_row, std::as_const(order_there).data(), n,
                         std::span<const kernels::GatheredColumns<Scalar>>(batch), 3,
                         has_wrong ? wrong_there.data() : nullptr);
    Gathered<Scalar> result;
    for (const auto& of : y) result.columns.push_back(here(device, of));
    result.row = here(device, row_there);
    result.counts[0] = here(device, wrong_there)[0];
    result.counts[1] = here(device, taken_there)[0];
    return result;
}

}  // namespace

TEST_CASE_TEMPLATE("a batch is gathered on a GPU in one kernel as in many", Scalar, float, double) {
    const std::vector<std::vector<Index>> all_columns{
        {7}, {33, 1}, {784, 1}, {5, 3, 1}, {7, 0, 1}, {3, 1, 2, 5, 1, 4, 2, 9, 1}};
    for (const auto& columns : all_columns) {
        Index width = 0;
        for (const Index each : columns) width += each;
        auto x = random_normal<Scalar>({records, width}, 1);
        x[3] = -Scalar(0);
        for (const Index n : {1, 5, 37}) {
            for (const bool takes_row : {true, false}) {
                CAPTURE(width);
                CAPTURE(n);
                CAPTURE(takes_row);
                const auto expected = gather<Scalar, Reference>(x, columns, n, takes_row, 0);
                CHECK(expected.taken() == (takes_row ? 3 : 2));
                CHECK(expected.wrong() == 0);
                in_each_order([&] {
                    CHECK(gather<Scalar, Cuda>(x, columns, n, takes_row, 0).same(expected));
                });
            }
        }
    }
}

TEST_CASE_TEMPLATE("of a batch that is gathered on a GPU, inputs that are not finite are marked",
                   Scalar, float, double) {
    constexpr Index n = 40;  // from the 12th of the order on, the last is sample 51 * 13 % 50
    for (const Scalar number : {not_a_number<Scalar>, infinity<Scalar>, -infinity<Scalar>}) {
        for (const Index column : {0, 99, 100}) {  // the last of them is not checked
            auto x = random_normal<Scalar>({records, 101}, 1);
            x(51 * 13 % records, column) = number;
            for (const double before : {0.0, 1.0}) {
                CAPTURE(column);
                CAPTURE(before);
                const auto expected = gather<Scalar, Reference>(x, {100, 1}, n, true, before);
                CHECK(expected.wrong() == (before != 0 ? before : column < 100 ? 3 : 0));
                in_each_order([&] {
                    CHECK(gather<Scalar, Cuda>(x, {100, 1}, n, true, before).same(expected));
                });
            }
            CHECK(gather<Scalar, Cuda>(x, {100, 1}, n, true, 0, /*has_wrong=*/false).wrong() == 0);
        }
    }
    // The sample behind the last, which is not the batch's.
    auto x = random_normal<Scalar>({records, 101}, 1);
    x(52 * 13 % records, 0) = not_a_number<Scalar>;
    CHECK(gather<Scalar, Cuda>(x, {100, 1}, n, true, 0).wrong() == 0);
}

TEST_CASE_TEMPLATE("a batch is gathered from bytes and numbers, with the bits of numbers alone",
                   Scalar, float, double) {
    for (const std::vector<Index>& columns :
         {std::vector<Index>{7}, {33, 1}, {785, 1, 3}, {0, 5, 2}, {3, 1, 2, 5, 1, 4, 2, 9, 1}}) {
        const Index width = std::accumulate(columns.begin(), columns.end(), Index{0});
        Tensor<std::uint8_t> bytes({records, width});
        Tensor<Scalar> x(bytes.shape());
        for (Index i = 0; i < x.size(); ++i) {
            bytes[i] = static_cast<std::uint8_t>(255 - i * 37 % 256);
            x[i] = static_cast<Scalar>(bytes[i]);
        }
        for (const Index n : {1, 37}) {
            for (const bool takes_row : {true, false}) {
                CAPTURE(width);
                CAPTURE(n);
                CAPTURE(takes_row);
                const auto expected = gather<Scalar, Reference>(x, columns, n, takes_row, 0);
                CHECK(gather<Scalar, Reference>(x, columns, n, takes_row, 0, true, bytes)
                          .same(expected));
                in_each_order([&] {
                    CHECK(gather<Scalar, Cuda>(x, columns, n, takes_row, 0, true, bytes)
                              .same(expected));
                });
            }
        }
    }
}
