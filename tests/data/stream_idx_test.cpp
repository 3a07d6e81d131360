#include "weft/data/stream_idx.hpp"

#include "tests/support/allocation_counter.hpp"
#include "tests/support/bytes.hpp"
#include "tests/support/temporary_folder.hpp"
#include "weft/data/prefetched.hpp"
#include "weft/data/scale.hpp"

#include <doctest/doctest.h>
#include <sys/resource.h>

#include <filesystem>
#include <numeric>
#include <thread>

using namespace weft;

namespace {

/// Four samples (2, 3): 0 ... 23.
Bytes samples() {
    Bytes bytes{0, 0, 8, 3, 0, 0, 0, 4, 0, 0, 0, 2, 0, 0, 0, 3};
    for (std::uint8_t i = 0; i < 24; ++i) bytes.push_back(i);
    return bytes;
}

const Bytes label_bytes{0, 0, 8, 1, 0, 0, 0, 4, 9, 8, 7, 6};

}  // namespace

TEST_CASE("samples are read from the file in any order, by several threads") {
    const TemporaryFolder folder;
    const auto examples =
        stream_idx<float>(folder.file("images", samples()), folder.file("labels", label_bytes));
    CHECK(examples->size() == 4);
    CHECK(examples->input_shape() == Shape{2, 3});
    CHECK(examples->target_shape() == Shape{});
    std::vector<std::thread> threads;
    std::array<bool, 3> right{};
    for (std::size_t t = 0; t < right.size(); ++t) {
        threads.emplace_back([&, t] {
            right[t] = true;
            for (int repeat = 0; repeat < 200; ++repeat) {
                const std::array<Index, 3> order{3, static_cast<Index>(t), 3};
                std::array<float, 18> x{};
                std::array<float, 3> y{};
                examples->gather(order, x.data(), y.data());
                for (std::size_t i = 0; i < x.size(); ++i) {
                    right[t] &=
                        x[i] == static_cast<float>(order[i / 6] * 6) + static_cast<float>(i % 6);
                }
                right[t] &= y == std::array<float, 3>{6, 9 - static_cast<float>(t), 6};
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(right == std::array<bool, 3>{true, true, true});
}

TEST_CASE("files that do not fit are refused by name") {
    const TemporaryFolder folder;
    const auto images = folder.file("images", samples()),
               classes = folder.file("labels", label_bytes);
    const auto complaint = [&](const std::filesystem::path& x, const std::filesystem::path& y) {
        try {
            stream_idx<float>(x, y);
        } catch (const IoError& error) {
            return std::string(error.what());
        }
        return std::string("nothing was thrown");
    };
    CHECK(complaint(folder.path() / "none", classes) == (folder / "none") + ": no such file");
    const auto three = folder.file("three", Bytes{0, 0, 8, 1, 0, 0, 0, 3, 9, 8, 7});
    CHECK(complaint(images, three) == three.string() + ": has shape (3,), expected (4,) for the " +
                                          "samples of " + images.string());
    const auto zipped = folder.file("images.gz", Bytes{0x1F, 0x8B, 8, 0});
    CHECK(complaint(zipped, classes) ==
          zipped.string() +
              ": is compressed by gzip, expected a plain IDX file; only plain files can "
              "be streamed");
    const Bytes whole = samples();
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const auto cut =
            folder.file("cut", Bytes(whole.begin(), whole.begin() + static_cast<int>(size)));
        CHECK(complaint(cut, classes).starts_with(cut.string() + ": holds "));
    }
    CHECK(complaint(folder.file("long", Bytes{0, 0, 8, 3, 255, 255, 255, 255, 255, 255, 255, 255,
                                              255, 255, 255, 255}),
                    classes)
              .ends_with("has too many elements"));
}

TEST_CASE("a file that shrinks while it is used is an IoError, also by way of a thread") {
    const TemporaryFolder folder;
    const auto images = folder.file("images", samples());
    const auto examples = prefetched(stream_idx<float>(images, folder.file("labels", label_bytes)));
    std::filesystem::resize_file(images, 30);
    const std::vector<Index> order{0, 1, 2, 3};
    const auto batches = examples->read_batches({order, 2});
    std::array<float, 12> x{};
    CHECK_THROWS_AS((batches->next(x.data(), nullptr), batches->next(x.data(), nullptr)), IoError);
}

// The sanitizers take memory for what they note of memory.
TEST_CASE("a set ten times larger than a limit on memory is read within the limit" *
          doctest::skip(!AllocationCounter::available())) {
    constexpr Index limit = 32 << 20, side = 256, count = 10 * limit / (side * side);
    const TemporaryFolder folder;
    // Files of zeros that take no place on the disk.
    const auto header = [&](Bytes bytes, std::initializer_list<Index> extents) {
        for (const Index extent : extents) {
            for (int shift = 24; shift >= 0; shift -= 8) {
                bytes.push_back(static_cast<std::uint8_t>(extent >> shift));
            }
        }
        return bytes;
    };
    const auto images = folder.file("images", header({0, 0, 8, 3}, {count, side, side}));
    const auto classes = folder.file("labels", header({0, 0, 8, 1}, {count}));
    std::filesystem::resize_file(images, 16 + static_cast<std::uint64_t>(10 * limit));
    std::filesystem::resize_file(classes, 8 + static_cast<std::uint64_t>(count));

    const auto peak_bytes = [] {
        rusage usage{};
        getrusage(RUSAGE_SELF, &usage);
        return Index{usage.ru_maxrss} * 1024;
    };
    const Index before = peak_bytes();
    {
        const auto examples = prefetched(scaled(stream_idx<float>(images, classes), 255));
        std::vector<Index> order(static_cast<std::size_t>(count));
        std::iota(order.rbegin(), order.rend(), 0);
        std::vector<float> x(16 * side * side);
        const auto batches = examples->read_batches({order, 16, TrainingEpoch{}});
        float sum = 0;
        for (Index left = count; left > 0; left -= 16) {
            batches->next(x.data(), nullptr);
            sum += std::accumulate(x.begin(), x.end(), 0.0f);
        }
        CHECK(sum == 0);
    }
    CHECK(peak_bytes() - before < limit);
    // The measure works: a set in memory goes beyond it.
    const Tensor<std::uint8_t> whole = read_idx<std::uint8_t>(images);
    CHECK(peak_bytes() > 10 * limit);
    CHECK(whole.shape()[0] == count);
}
