#include "weft/data/dataset.hpp"

#include "tests/support/compare.hpp"
#include "weft/data/examples.hpp"

#include <doctest/doctest.h>

#include <numeric>

using namespace weft;

TEST_CASE("an array dataset gathers and converts the samples asked for") {
    const std::vector<std::uint8_t> pixels{0, 1, 2, 3, 4, 255};
    const std::vector<int> labels{7, 8, 9};
    const Examples<float> examples(TensorView<const std::uint8_t>(pixels, {3, 2}), labels);
    CHECK(examples->size() == 3);
    CHECK(examples->input_shape() == Shape{2});
    CHECK(examples->target_shape() == Shape{});
    std::array<float, 6> x{};
    std::array<float, 3> y{};
    const std::array<Index, 3> samples{2, 0, 2};
    examples->gather(samples, x.data(), y.data());
    CHECK(x == std::array<float, 6>{4, 255, 0, 1, 4, 255});
    CHECK(y == std::array<float, 3>{9, 7, 9});
    x.fill(-1);
    examples->gather(samples, nullptr, y.data());
    examples->gather(samples, x.data(), nullptr);
    CHECK(x[0] == 4);
}

TEST_CASE("samples and targets must be as many") {
    const std::vector<float> x(6), y(2);
    CHECK_THROWS_WITH_AS((Examples<float>(TensorView<const float>(x, {3, 2}), y)),
                         "dataset: x has 3 samples, y has 2 targets; expected as many", ShapeError);
    CHECK_THROWS_AS((Examples<float>(TensorView<const float>(x.data(), Shape{}), y)), ShapeError);
    CHECK_FALSE(Examples<float>());
}

TEST_CASE("a batch read within a pass, by any number of threads, is that read before it") {
    Tensor<float> x({40, 3000});
    for (Index i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i);
    std::vector<int> y(40);
    std::iota(y.begin(), y.end(), 100);
    std::vector<Index> order(40);
    std::iota(order.rbegin(), order.rend(), 0);
    const Examples<float> examples(x, y);
    for (const int threads : {1, 2, 7}) {
        CAPTURE(threads);
        const auto before = examples->read_batches({order, 16, TrainingEpoch{}});
        const auto within = examples->read_batches({order, 16, TrainingEpoch{}});
        REQUIRE(within->reads_within_pass());
        Cpu cpu = Cpu::exactly(threads);
        for (const Index size : {16, 16, 8}) {
            Tensor<float> x_before({size, 3000}), x_within({size, 3000});
            Tensor<float> y_before(Shape{size}), y_within(Shape{size});
            before->next(x_before.data(), y_before.data());
            kernels::run_pass(
                cpu, 0, [&] { within->next_within_pass(cpu, x_within.data(), y_within.data()); });
            CHECK(identical(x_within, x_before));
            CHECK(identical(y_within, y_before));
        }
    }
}

TEST_CASE("data of the user's own are read before a pass, unless they say otherwise") {
    struct Own final : Dataset<float> {
        Index size() const override { return 1; }
        Shape input_shape() const override { return {}; }
        Shape target_shape() const override { return {}; }
        void gather(std::span<const Index>, float*, float*) const override {}
    };
    const Index first = 0;
    CHECK_FALSE(Own{}.read_batches({{&first, 1}, 1})->reads_within_pass());
}

TEST_CASE("row-major Eigen matrices are data too") {
    Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> x(2, 3);
    x << 1, 2, 3, 4, 5, 6;
    const Eigen::VectorXd y = Eigen::VectorXd::Constant(2, 9);
    const Examples<float> examples(x, y);
    std::array<float, 3> sample{};
    float target = 0;
    const Index second = 1;
    examples->gather({&second, 1}, sample.data(), &target);
    CHECK(sample == std::array<float, 3>{4, 5, 6});
    CHECK(target == 9);
}

TEST_CASE("Examples keep what is temporary and view what has a name") {
    Tensor<float> x({3, 2}, {1, 2, 3, 4, 5, 6});
    const Examples<float> kept(Tensor<float>(x), std::vector<int>{7, 8, 9});
    const Examples<float> viewed(x, std::vector<int>{7, 8, 9});
    const Examples<float> view_of_a_view(TensorView<const float>(x), std::vector<int>{7, 8, 9});
    x[2] = 30;
    const std::vector<Index> second{1};
    for (const auto& [examples, expected] :
         {std::pair(kept, 3.0f), std::pair(viewed, 30.0f), std::pair(view_of_a_view, 30.0f)}) {
        std::array<float, 2> sample{};
        float target = 0;
        examples->gather(second, sample.data(), &target);
        CHECK(sample == std::array<float, 2>{expected, 4});
        CHECK(target == 8);
    }
}
