#include "weft/kernels/cuda/dense.hpp"

#include "tests/support/activations.hpp"
#include "tests/support/long_sums.hpp"
#include "tests/support/product_checks.hpp"
#include "tests/support/random_tensor.hpp"
#include "tests/support/reference/dense.hpp"
#include "tests/support/reference/dropout.hpp"
#include "tests/support/reference/layout.hpp"

#include <doctest/doctest.h>

using namespace weft;

namespace {

struct Size {
    Index rows, features, units;

    std::string text() const { return concat(rows, " x ", features, " x ", units); }
};

/// Tiles of 32 x 32, 128 x 32 and 64 x 64, whole and cut off, read in fours and one by one; sums in
/// one piece and in splits, which are of 128 products at least.
const Size sizes[] = {{1, 1, 1},     {2, 3, 31},   {31, 33, 1},   {33, 65, 31},  {65, 129, 33},
                      {129, 31, 65}, {64, 64, 64}, {128, 32, 32}, {36, 300, 12}, {3, 784, 10},
                      {9, 1040, 66}, {300, 5, 40}, {68, 132, 96}, {200, 7, 3},   {1040, 2, 33},
                      {300, 36, 33}, {300, 40, 36}};

/// Sums in so many splits: added up at once, in two rounds and in three, with nodes that are not full,
/// of several tiles, or by a second kernel, of the gradient of w and forward.
const Size split_sizes[] = {{8 * 128, 3, 2},  {9 * 128, 3, 2},    {64 * 128, 130, 5},
                            {65 * 128, 3, 2}, {512 * 128, 1, 2},  {513 * 128, 2, 1},
                            {5, 20 * 128, 6}, {9 * 128, 130, 66}, {1, 513 * 128, 2}};

/// Fill larger tiles, of 128 x 128 and of 128 x 64, for a GPU has no other work then: forward, and in
/// the gradients of x and of w.
const Size large_sizes[] = {{1480, 20, 1348}, {1480, 20, 700},  {1480, 1348, 20},
                            {1480, 700, 20},  {20, 1480, 1348}, {20, 1480, 700}};

/// Of small whole numbers, whose sums are exact.
template <class Scalar>
struct Numbers {
    Tensor<Scalar> x, w, b, dz;

    explicit Numbers(const Size& s)
        : x(random_integers<Scalar>({s.rows, s.features}, 1, -4, 4)),
          w(random_integers<Scalar>({s.features, s.units}, 2, -4, 4)),
          b(random_integers<Scalar>({s.units}, 3, -9, 9)),
          dz(random_integers<Scalar>({s.rows, s.units}, 4, -4, 4)) {}

    /// x, w, b, dz, y, dw, db, dx; results are to be overwritten.
    std::vector<Tensor<Scalar>> all() const {
        std::vector<Tensor<Scalar>> tensors{x, w, b, dz, dz, w, b, x};
        for (std::size_t i = 4; i < 8; ++i) std::ranges::fill(tensors[i], not_a_number<Scalar>);
        return tensors;
    }
};

template <class Scalar, class Device, class Views>
void forward_and_backward(Device& device, const Views& t) {
    kernels::dense_forward<Scalar>(device, t[0], t[1], t[2], linear, t[4]);
    kernels::dense_backward<Scalar>(device, t[0], t[1], t[3], t[5], t[6], t[7]);
}

/// Backward through a relu and dropout before.
template <class Scalar, class Device, class Views>
void backward_through(Device& device, const Views& t) {
    kernels::dense_backward_through<Scalar>(device, {relu, 0.5}, t[0], t[1], t[3], t[5], t[6],
                                            t[7]);
}

}  // namespace

TEST_CASE_TEMPLATE("dense layers on a GPU are the sums of their products", Scalar, float, double) {
    for (const CudaOptions& options : dense_options<Scalar>()) {
        CAPTURE(options.tf32);
        CAPTURE(options.cublaslt);
        for (const Size& size : sizes) {
            const std::string where = size.text();
            CAPTURE(where);
            CHECK(on_both<Scalar>(
                      Numbers<Scalar>(size).all(),
                      [](auto& device, const auto& t) { forward_and_backward<Scalar>(device, t); },
                      options)
                      .same());
        }
    }
}

TEST_CASE_TEMPLATE("splits of dense layers on a GPU are added up, few of them and many", Scalar,
                   float, double) {
    for (const Size& size : split_sizes) {
        const std::string where = size.text();
        CAPTURE(where);
        CHECK(on_both<Scalar>(Numbers<Scalar>(size).all(), [](auto& device, const auto& t) {
                  forward_and_backward<Scalar>(device, t);
              }).same());
    }
}

TEST_CASE("more than 1024 products on a GPU are a sum still, in one piece, with bias and relu") {
    // Columns enough to fill it, so that the depth is not cut.
    constexpr Index depth = 1040, units = 132 * 8 / 2 * 32 + 1;
    const Numbers<float> numbers({1, depth, units});
    const auto run = [&]<class Device>(Device* /*of_type*/) {
        Device device;
        const auto there = [&](const Tensor<float>& x) { return on_device<float>(device, x); };
        const auto x = there(numbers.x), w = there(numbers.w), b = there(numbers.b);
        auto y = there(numbers.dz), dw = y, db = y;
        kernels::dense_forward<float>(device, x, w, b, relu, y);
        // w as gradients of so many rows of one feature.
        kernels::dense_backward<float>(
            device, TensorView<const float, Device>(x.data(), {depth, 1}), dw, w, dw, db, {});
        const auto here = [&](const auto& tensor) {
            return Tensor<float>(on_host<float>(device, tensor));
        };
        return std::vector{here(y), here(dw), here(db)};
    };
    const auto result = run(static_cast<Cuda*>(nullptr)),
               expected = run(static_cast<Reference*>(nullptr));
    for (const std::size_t i : {0U, 1U, 2U}) {
        CAPTURE(i);
        CHECK(identical(result[i], expected[i]));
    }
}

TEST_CASE("large dense layers on a GPU are the sums of their products") {
    for (const CudaOptions& options : dense_options<float>()) {
        CAPTURE(options.tf32);
        CAPTURE(options.cublaslt);
        for (const Size& size : large_sizes) {
            const std::string where = size.text();
            CAPTURE(where);
            auto tensors = Numbers<float>(size).all();
            if (size.units == 20) tensors[4] = Tensor<float>(Shape{0});
            if (size.units != 20) tensors[7] = tensors[6] = Tensor<float>(Shape{0});
            CHECK(on_both<float>(
                      tensors,
                      [](auto& device, const auto& t) {
                          if (t[4]) {
                              kernels::dense_forward<float>(device, t[0], t[1], t[2], linear, t[4]);
                          }
                          if (!t[4] || t[0].shape()[0] == 20) {
                              backward_through<float>(device, t);
                          }
                      },
                      options)
                      .same());
        }
    }
}

namespace {

/// y = relu with dropout of that rate behind.
template <class Scalar>
void check_dropping(const Size& size, Index first, const CudaOptions& options) {
    const std::string where = size.text();
    CAPTURE(where);
    const Numbers<Scalar> n(size);
    Tensor<Scalar> y({size.rows, size.units});
    std::ranges::fill(y, not_a_number<Scalar>);
    CHECK(on_both<Scalar>(
              {n.x, n.w, n.b, y},
              [&]<class Device>(Device& device, const auto& t) {
                  Tensor<std::uint8_t, Device> kept(y.shape(), device);
                  Tensor<std::uint32_t, Device> at_step({1}, device);
                  kernels::copy_to_device<std::uint32_t>(device, Tensor<std::uint32_t>({1}, {5}),
                                                         at_step);
                  const kernels::Dropping dropping{.rate = 0.75,
                                                   .random{7, RandomPurpose::layer, 3, 2},
                                                   .at_step = first == 0 ? nullptr : at_step.data(),
                                                   .first = first,
                                                   .kept = kept.data()};
                  kernels::dense_forward_dropping<Scalar>(device, t[0], t[1], t[2], relu, dropping,
                                                          t[3]);
              },
              options)
              .same());
}

}  // namespace

TEST_CASE("a dense layer on a GPU has no more units than a grid has blocks") {
    const Index units = 65535 * 32 + 1;
    Cuda device;
    const Tensor<float, Cuda> x({1, 1}, device), w({1, units}, device);
    Tensor<float, Cuda> y({1, units}, device);
    CHECK_THROWS_WITH_AS(
        kernels::dense_forward<float>(device, x, w, {}, linear, y),
        "cuda: a product has 2097121 columns and 1 groups, expected at most 2097120 and 65535",
        CudaError);
}

TEST_CASE_TEMPLATE("dense layers on a GPU drop what they store, as dropout behind them does",
                   Scalar, float, double) {
    // In one piece; in splits, a few and many; in fours and one by one; tiles of each size.
    for (const CudaOptions& options : product_options<Scalar>()) {
        for (const Size& size : {Size{33, 65, 31}, Size{3, 300, 12}, Size{5, 300, 7},
                                 Size{2, 2400, 9}, Size{36, 1300, 64}, Size{300, 36, 33}}) {
            check_dropping<Scalar>(size, 0, options);
            check_dropping<Scalar>(size, 91, options);
        }
    }
}

TEST_CASE("large dense layers on a GPU drop what they store") {
    for (const Size& size : {Size{1480, 20, 1348}, Size{1480, 20, 700}}) {
        check_dropping<float>(size, 91, {});
    }
}

TEST_CASE_TEMPLATE("gradients of dense layers on a GPU stop at a relu before", Scalar, float,
                   double) {
    // In one piece; in splits, a few and many; in fours and one by one; tiles of each size.
    for (const Size& size : {Size{33, 65, 31}, Size{3, 12, 300}, Size{5, 7, 300}, Size{2, 9, 2400},
                             Size{36, 64, 1300}, Size{300, 36, 33}, Size{300, 40, 36}}) {
        const std::string where = size.text();
        CAPTURE(where);
        auto tensors = Numbers<Scalar>(size).all();
        tensors[4] = Tensor<Scalar>(Shape{0});
        tensors[0](0, 0) = not_a_number<Scalar>;  // as NaN > 0 is false
        tensors[0](1, 1) = -Scalar(0);
        tensors[0](1, 2) = infinity<Scalar>;
        tensors[0](1, 3) = std::numeric_limits<Scalar>::denorm_min();
        tensors[3](0, 0) = not_a_number<Scalar>;
        for (const CudaOptions& options : dense_options<Scalar>()) {
            if (options.tf32) continue;  // of which a subnormal number is 0
            CAPTURE(options.cublaslt);
            const auto both = on_both<Scalar>(
                tensors, [](auto& device, const auto& t) { backward_through<Scalar>(device, t); },
                options);
            for (const std::size_t i : {5U, 6U, 7U}) {
                CHECK(same_numbers(both.result[i], both.expected[i]));
            }
        }
    }
}

TEST_CASE("gradients of dense layers on a GPU have the same bits in one stream and in two") {
    // The last: sums of both in splits.
    for (const Size& size : {Size{33, 65, 31}, Size{300, 40, 36}, Size{1300, 2, 2400}}) {
        const std::string where = size.text();
        CAPTURE(where);
        auto tensors = Numbers<float>(size).all();
        tensors[4] = Tensor<float>(Shape{0});
        tensors[0] = random_normal<float>({size.rows, size.features}, 1);
        tensors[3] = random_normal<float>({size.rows, size.units}, 4);
        const auto run = [&](bool second_stream) {
            return on_both<float>(
                tensors, [](auto& device, const auto& t) { backward_through<float>(device, t); },
                {.second_stream = second_stream});
        };
        const auto one = run(false), two = run(true);
        CHECK(two.repeats);
        for (const std::size_t i : {5U, 6U, 7U}) {
            CAPTURE(i);
            CHECK(identical(two.result[i], one.result[i]));
        }
    }
}

TEST_CASE("scratch of recorded work on a GPU lasts until that is done") {
    const Size size{9 * 128, 3, 2};  // in splits
    const Numbers<float> numbers(size);
    in_each_order([&] {
        const Cuda kept;
        const auto x = to_cuda(kept, numbers.x), w = to_cuda(kept, numbers.w);
        auto dz = to_cuda(kept, numbers.dz), dx = x, dw = w, db = to_cuda(kept, numbers.b);
        Tensor<float> expected;
        {
            Cuda device = kept;
            const auto work = [&] { kernels::dense_backward<float>(device, x, w, dz, dw, db, dx); };
            work();
            expected = from_cuda(device, dw);
            const auto recording = device.record(work);
            kernels::copy_to_device<float>(device, numbers.w, dw);
            device.fork().scratch(std::size_t{1} << 20);  // other work takes more
            device.join();
            if (device.records()) device.repeat(recording);
        }
        CHECK(identical(from_cuda(kept, dw), kept.records() ? expected : numbers.w));
    });
}

TEST_CASE_TEMPLATE("dense layers on a GPU do without bias and gradients that nobody wants", Scalar,
                   float, double) {
    // The last: tiles across, and splits.
    for (const Size& size : {Size{33, 65, 31}, Size{5, 300, 7}, Size{300, 5, 40}}) {
        auto tensors = Numbers<Scalar>(size).all();
        tensors[2] = tensors[6] = tensors[7] = Tensor<Scalar>(Shape{0});
        for (const CudaOptions& options : dense_options<Scalar>()) {
            CAPTURE(options.cublaslt);
            CHECK(on_both<Scalar>(
                      tensors,
                      [](auto& device, const auto& t) { forward_and_backward<Scalar>(device, t); },
                      options)
                      .same());
        }
    }
}

TEST_CASE_TEMPLATE("dense layers on a GPU of no rows have gradients of 0", Scalar, float, double) {
    for (const CudaOptions& options : dense_options<Scalar>()) {
        CAPTURE(options.cublaslt);
        CHECK(on_both<Scalar>(
                  Numbers<Scalar>({0, 65, 33}).all(),
                  [](auto& device, const auto& t) { forward_and_backward<Scalar>(device, t); },
                  options)
                  .same());
    }
}

TEST_CASE_TEMPLATE("dense layers on a GPU take tensors from anywhere in memory", Scalar, float,
                   double) {
    const Size size{36, 64, 12};
    const auto numbers = Numbers<Scalar>(size);
    auto tensors = numbers.all();
    for (auto& tensor : tensors) {
        Tensor<Scalar> behind(Shape{tensor.size() + 1});
        for (Index i = 0; i < tensor.size(); ++i) behind[i + 1] = tensor[i];
        tensor = behind;
    }
    for (const CudaOptions& options : dense_options<Scalar>()) {
        CAPTURE(options.cublaslt);
        CHECK(on_both<Scalar>(
                  tensors,
                  [&](auto& device, auto t) {
                      const auto shapes = numbers.all();
                      for (std::size_t i = 0; i < t.size(); ++i) {
                          t[i] = {t[i].data() + 1, shapes[i].shape()};
                      }
                      forward_and_backward<Scalar>(device, t);
                      backward_through<Scalar>(device, t);
                  },
                  options)
                  .same());
    }
}

TEST_CASE_TEMPLATE("dense layers on a GPU apply each activation, with bias and without", Scalar,
                   float, double) {
    // In one piece; in splits; in fours.
    for (const Size& size : {Size{33, 20, 13}, Size{5, 300, 7}, Size{7, 300, 12}}) {
        auto x = random_integers<Scalar>({size.rows, size.features}, 1, -1, 1);
        auto w = random_integers<Scalar>({size.features, size.units}, 2, -1, 1);
        for (Scalar& value : w) value /= 4;  // sums are exact still
        const auto b = random_integers<Scalar>({size.units}, 3, -2, 2);
        for (const Activation activation : all_activations) {
            const std::string where = concat(size.text(), " ", to_string(activation));
            CAPTURE(where);
            for (const auto& bias : {b, Tensor<Scalar>(Shape{0})}) {
                const bool by_library =
                    sizeof(Scalar) == sizeof(float) && Cuda::has_cublaslt() && size.units != 13;
                const auto both = on_both<Scalar>(
                    {x, w, bias, Tensor<Scalar>({size.rows, size.units})},
                    [&](auto& device, const auto& t) {
                        kernels::dense_forward<Scalar>(device, t[0], t[1], t[2], activation, t[3]);
                    },
                    {.cublaslt = by_library});
                CHECK(both.repeats);
                // As of activations: a few operations on functions good to 4 units in the last place,
                // and x^2 roundings more, of x up to 12, in the tail of gelu.
                CHECK(both.gap(1e-30) < (activation == gelu ? 200 : 8) * eps<Scalar>);
            }
        }
    }
}

TEST_CASE_TEMPLATE("dense layers on a GPU are within the bound of their roundings", Scalar, float,
                   double) {
    for (const CudaOptions& options : product_options<Scalar>()) {
        CAPTURE(options.tf32);
        CAPTURE(options.cublaslt);
        for (const Size& size : {Size{65, 129, 33}, Size{7, 1300, 20}, Size{600, 30, 72}}) {
            std::vector<Tensor<Scalar>> tensors{
                random_normal<Scalar>({size.rows, size.features}, 1),
                random_normal<Scalar>({size.features, size.units}, 2),
                random_normal<Scalar>({size.units}, 3),
                random_normal<Scalar>({size.rows, size.units}, 4),
                Tensor<Scalar>({size.rows, size.units}),
                Tensor<Scalar>({size.features, size.units}),
                Tensor<Scalar>({size.units}),
                Tensor<Scalar>({size.rows, size.features})};
            const auto run = [&] {
                return on_both<Scalar>(
                    tensors,
                    [](auto& device, const auto& t) { forward_and_backward<Scalar>(device, t); },
                    options);
            };
            const auto both = run();
            for (std::size_t i = 0; i < 4; ++i) tensors[i] = magnitudes(tensors[i]);
            const auto magnitude = run().expected;
            const std::string where = size.text();
            CAPTURE(where);
            CHECK(both.repeats);
            // One rounding more, of the expected number.
            const auto check = [&](std::size_t i, Index n) {
                const Gap gap = excess(both.result[i], both.expected[i], magnitude[i],
                                       product_bound<Scalar>(n + 1, options));
                CAPTURE(gap);
                CHECK(gap.value <= 1);
            };
            check(4, size.features);
            check(5, size.rows);
            check(6, size.rows);
            check(7, size.units);
        }
    }
}

TEST_CASE_TEMPLATE("long sums of products on a GPU are within a bound far below their length",
                   Scalar, float, double) {
    // 1056 splits of 1104 products at most, each of two running sums; in fours, and one by one. More
    // than 16 rows are two pieces of a warp's sums.
    constexpr bool narrow = sizeof(Scalar) == sizeof(double);
    const Index rows = 1'150'001, features = narrow ? 1 : 18, units = narrow ? 1 : 12;
    Tensor<Scalar> x({rows, features}), dz({rows, units}), dw({features, units}), db({units});
    std::ranges::fill(x, Scalar(0.1));
    std::ranges::fill(dz, Scalar(0.3));
    const auto exact = static_cast<long double>(rows) * static_cast<long double>(Scalar(0.1)) *
                       static_cast<long double>(Scalar(0.3));
    in_each_order([&] {
        Cuda device;
        const auto on_gpu_x = to_cuda(device, x), on_gpu_dz = to_cuda(device, dz);
        auto on_gpu_dw = to_cuda(device, dw), on_gpu_db = to_cuda(device, db);
        kernels::dense_backward<Scalar>(device, on_gpu_x, on_gpu_dw, on_gpu_dz, on_gpu_dw,
                                        on_gpu_db, {});
        // Chains of 1024 products, 2 of them, then 33 splits, and 32 sums of splits; or 8 in each of
        // three rounds.
        for (const Scalar sum : from_cuda(device, on_gpu_dw)) {
            CHECK(roundings(sum, exact) <= 1024 + 2 + 33 + 32);
        }
        // A thread has 4 of a tile's 16 rows at most, so that its chains are shorter.
        const auto exact_db =
            static_cast<long double>(rows) * static_cast<long double>(Scalar(0.3));
        for (const Scalar sum : from_cuda(device, on_gpu_db)) {
            CHECK(roundings(sum, exact_db) <= 1024 + 2 + 33 + 32);
        }
    });
}

TEST_CASE("TF32 rounds factors to 11 bits, and is asked for") {
    const Tensor<float> one({1, 1}, {1.f}), more({1, 1}, {1 + 0x1p-12f}), y({1, 1});
    for (const bool tf32 : {false, true}) {
        if (tf32 && !has_tf32()) continue;
        const auto both = on_both<float>(
            {more, one, y},
            [](auto& device, const auto& t) {
                kernels::dense_forward<float>(device, t[0], t[1], {}, linear, t[2]);
            },
            CudaOptions{.tf32 = tf32});
        CHECK(both.result[2][0] == (tf32 ? 1.f : 1 + 0x1p-12f));
    }
}

TEST_CASE_TEMPLATE("NaN and infinities come through dense layers on a GPU", Scalar, float, double) {
    for (const CudaOptions& options : dense_options<Scalar>()) {
        CAPTURE(options.tf32);
        CAPTURE(options.cublaslt);
        for (const Size& size : {Size{37, 30, 34}, Size{5, 300, 7}}) {
            auto tensors = Numbers<Scalar>(size).all();
            tensors[0](1, 2) = not_a_number<Scalar>;
            tensors[0](3, 4) = infinity<Scalar>;
            tensors[1](7, 5) = -infinity<Scalar>;
            tensors[1](8, 6) = not_a_number<Scalar>;
            tensors[0](4, 0) = 0;  // 0 times NaN is no 0
            tensors[0](4, 8) = 0;
            tensors[3](2, 1) = infinity<Scalar>;
            tensors[3](4, 3) = not_a_number<Scalar>;
            for (const Activation activation : {linear, relu}) {
                const auto both = on_both<Scalar>(
                    tensors,
                    [&](auto& device, const auto& t) {
                        kernels::dense_forward<Scalar>(device, t[0], t[1], t[2], activation, t[4]);
                        kernels::dense_backward<Scalar>(device, t[0], t[1], t[3], t[5], t[6], t[7]);
                    },
                    options);
                for (const std::size_t i : {4U, 5U, 6U, 7U}) {
                    CAPTURE(i);
                    CHECK(same_numbers(both.result[i], both.expected[i]));
                }
            }
        }
    }
}
