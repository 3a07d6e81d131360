#include "weft/data/dataset.hpp"

#include "tests/support/compare.hpp"
#include "weft/data/examples.hpp"
#include "weft/data/prefetched.hpp"
#include "weft/data/wrapped_dataset.hpp"

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

namespace {

/// The same samples, gathered one after another, each with all its inputs and targets.
class Records final : public WrappedDataset<float> {
public:
    using WrappedDataset::WrappedDataset;
    bool is_in_memory() const override { return true; }
};

/// Numbers of 40 samples: 10000 * sample + column.
Tensor<float> numbered(Index columns) {
    Tensor<float> x({40, columns});
    for (Index i = 0; i < x.size(); ++i) {
        x[i] = static_cast<float>(10000 * (i / columns) + i % columns);
    }
    return x;
}

/// The samples `order` of an array after another.
std::vector<float> one_after_another(const std::vector<Tensor<float>>& arrays,
                                     std::span<const Index> order) {
    std::vector<float> all;
    for (const Tensor<float>& array : arrays) {
        for (const Index i : order) {
            const TensorView<const float> sample = array.sample(i);
            all.insert(all.end(), sample.begin(), sample.end());
        }
    }
    return all;
}

}  // namespace

TEST_CASE("a batch has all samples of one input, then those of the next") {
    const std::vector<Tensor<float>> x{numbered(3000), numbered(2)}, y{numbered(1), numbered(3)};
    std::vector<Index> order(40);
    std::iota(order.rbegin(), order.rend(), 0);
    const Examples<float> columns({x[0], x[1]}, {y[0], y[1]});
    const Examples<float> records(std::make_shared<Records>(columns));
    for (const auto& examples : {columns, records, prefetched(columns), prefetched(records)}) {
        for (const int threads : {0, 1, 2, 7}) {  // 0: before a pass
            CAPTURE(threads);
            const auto batches = examples->read_batches({order, 16, TrainingEpoch{}});
            if (threads > 0 && !batches->reads_within_pass()) continue;
            Cpu cpu = Cpu::exactly((std::max)(threads, 1));
            std::span<const Index> left = order;
            for (const std::size_t n : {16u, 16u, 8u}) {
                std::vector<float> batch_x(n * 3002), batch_y(n * 4);
                if (threads == 0) {
                    batches->next(batch_x.data(), batch_y.data());
                } else {
                    kernels::run_pass(cpu, 0, [&] {
                        batches->next_within_pass(cpu, batch_x.data(), batch_y.data());
                    });
                }
                CHECK(batch_x == one_after_another(x, left.first(n)));
                CHECK(batch_y == one_after_another(y, left.first(n)));
                left = left.subspan(n);
            }
        }
    }
    CHECK(columns->read_batches({order, 16})->reads_within_pass());
    CHECK(records->read_batches({order, 16})->reads_within_pass());

    // Inputs alone, targets alone.
    for (const auto& examples : {columns, records}) {
        const auto batches = examples->read_batches({order, 20});
        std::vector<float> batch_x(20 * 3002), batch_y(20 * 4);
        batches->next(batch_x.data(), nullptr);
        batches->next(nullptr, batch_y.data());
        CHECK(batch_x == one_after_another(x, std::span(order).first(20)));
        CHECK(batch_y == one_after_another(y, std::span(order).last(20)));
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

TEST_CASE("Examples keep a view that has a name, not a reference to it") {
    const Tensor<float> x({3, 2}, {1, 2, 3, 4, 5, 6});
    const std::vector<int> y{7, 8, 9};
    const auto made = [&] {
        const TensorView<const float> first(x.slice(0, 2));
        const std::span<const int> labels = std::span(y).first(2);
        return Examples<float>(first, labels);
    }();
    const auto of_maps = [&] {
        const Eigen::Map<const RowMajorMatrix<float>> map(x.data(), 2, 2);
        const Eigen::Map<const Eigen::VectorXi> labels(y.data(), 2);
        return Examples<float>({map}, {labels});
    }();
    for (const Examples<float>& examples : {made, of_maps}) {
        CHECK(examples->size() == 2);
        std::array<float, 4> samples{};
        std::array<float, 2> targets{};
        examples->gather(std::array<Index, 2>{1, 0}, samples.data(), targets.data());
        CHECK(samples == std::array<float, 4>{3, 4, 1, 2});
        CHECK(targets == std::array<float, 2>{8, 7});
    }
}

TEST_CASE("an array that was assigned or resized after its Examples were made is not read") {
    const std::string since =
        " was assigned, resized or moved after the Examples were made of it, expected the same "
        "array; make them anew";
    const std::vector<Index> order{0, 3, 1, 2};
    std::array<float, 8> samples{};
    std::array<float, 4> targets{};
    // Changes one of the arrays, reads in each way, and gives the message.
    const auto message = [&](bool several, const auto& change) {
        Tensor<float> x({4, 2}, {1, 2, 3, 4, 5, 6, 7, 8});
        std::vector<float> y{1, 2, 3, 4};
        const Examples<float> arrays = several ? Examples<float>({x}, {y}) : Examples<float>(x, y);
        const Examples<float> part = subset(arrays, order), ahead = prefetched(arrays);
        const auto reader = arrays->read_batches({order, 2});
        const auto within = part->read_batches({order, 2});
        reader->next(samples.data(), targets.data());
        x[6] = 70;  // other numbers in the same place are read
        // Only now, since its thread begins to read at once.
        const auto thread = ahead->read_batches({order, 2});
        const Cpu cpu = Cpu::exactly(2);
        within->next_within_pass(cpu, samples.data(), targets.data());
        CHECK(samples[2] == 5);
        arrays->gather(order, samples.data(), targets.data());
        CHECK(samples[2] == 70);
        thread->next(samples.data(), targets.data());
        thread->next(samples.data(), targets.data());

        change(x, y);
        const auto what = [&](const auto& read) {
            std::string text;
            try {
                read();
            } catch (const ArgumentError& error) {
                text = error.what();
            }
            return text;
        };
        const std::string told = what([&] { arrays->require_unchanged(); });
        CHECK(told.ends_with(since));
        CHECK(what([&] { arrays->gather(order, samples.data(), targets.data()); }) == told);
        CHECK(what([&] { part->gather(order, samples.data(), targets.data()); }) == told);
        CHECK(what([&] { reader->next(samples.data(), targets.data()); }) == told);
        CHECK(what([&] { within->next_within_pass(cpu, samples.data(), targets.data()); }) == told);
        const auto late = ahead->read_batches({order, 2});
        CHECK(what([&] { late->next(samples.data(), targets.data()); }) == told);
        return told;
    };
    const auto assign = [](Tensor<float>& x, std::vector<float>&) { x = Tensor<float>({9, 5}); };
    CHECK(message(false, assign) == "dataset: x" + since);
    CHECK(message(true, assign) == "dataset: input 0" + since);
    CHECK(message(false, [](Tensor<float>& x, std::vector<float>&) {
              x = Tensor<float>({4, 2});
          }) == "dataset: x" + since);
    const auto grow = [](Tensor<float>&, std::vector<float>& y) { y.push_back(5); };
    CHECK(message(false, grow) == "dataset: y" + since);
    CHECK(message(true, grow) == "dataset: target 0" + since);
    CHECK(message(false, [](Tensor<float>&, std::vector<float>& y) { y.clear(); }) ==
          "dataset: y" + since);
    std::vector<float> taken;
    CHECK(message(false, [&](Tensor<float>&, std::vector<float>& y) { taken = std::move(y); }) ==
          "dataset: y" + since);
}
