#include "weft/kernels/cpu/dropout.hpp"

#include "tests/support/compare.hpp"
#include "tests/support/random_tensor.hpp"
#include "tests/support/reference/dropout.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <vector>

using weft::Cpu;
using weft::identical;
using weft::Index;
using weft::RandomPurpose;
using weft::RandomStream;
using weft::Reference;
using weft::Tensor;

namespace {

const RandomStream stream(1, RandomPurpose::layer, 2, 3);

template <class Scalar>
struct Dropped {
    Tensor<Scalar> y;
    std::vector<std::uint8_t> kept;

    Index count_kept() const {
        return std::ranges::count_if(kept, [](auto k) { return k != 0; });
    }
};

template <class Scalar, class Device = Cpu>
Dropped<Scalar> drop(const Tensor<Scalar>& x, double rate, const RandomStream& random = stream,
                     Device device = Device(), Index first = 0,
                     const std::uint32_t* at_step = nullptr) {
    Dropped<Scalar> result{Tensor<Scalar>(x.shape()),
                           std::vector<std::uint8_t>(static_cast<std::size_t>(x.size()), 77)};
    dropout_forward<Scalar>(device, {rate, random, at_step, first, result.kept.data()},
                            {x.data(), x.shape()}, {result.y.data(), x.shape()});
    return result;
}

}  // namespace

TEST_CASE_TEMPLATE("dropout drops with the rate, not without it, and scales what is kept", Scalar,
                   float, double) {
    for (const double rate : {0.1, 0.9}) {
        CAPTURE(rate);
        const auto x = weft::random_uniform<Scalar>({40001}, 1, 1, 2);
        auto result = drop(x, rate);
        const auto n = static_cast<double>(x.size());
        // Five standard errors.
        CHECK(std::abs(static_cast<double>(result.count_kept()) / n - (1 - rate)) <
              5 * std::sqrt(rate * (1 - rate) / n));

        const auto dy = weft::random_uniform<Scalar>({40001}, 2, 1, 2);
        Tensor<Scalar> dx(x.shape());
        Tensor<Scalar, Reference> expected_dx(x.shape());
        const weft::kernels::Dropping dropping{.rate = rate, .kept = result.kept.data()};
        Cpu cpu(2);
        dropout_backward<Scalar>(cpu, dropping, dy, dx);
        const auto expected = drop<Scalar, Reference>(x, rate);
        Reference reference;
        dropout_backward<Scalar>(reference, dropping, weft::as_reference<Scalar>(dy), expected_dx);
        CHECK(result.kept == expected.kept);
        // A quotient, here the product with a rounded reciprocal.
        constexpr auto eps = static_cast<double>(std::numeric_limits<Scalar>::epsilon());
        CHECK(largest_gap(result.y, expected.y) < 2 * eps);
        CHECK(largest_gap(dx, expected_dx) < 2 * eps);
    }
}

TEST_CASE("element 64 q + 16 k + b is kept when word k of block 16 q + b is at least the rate") {
    for (const Index count : {1, 2, 3, 4, 5, 63, 64, 65, 4095, 4096, 4097, 10000}) {
        for (const int threads : {1, 7}) {
            const Tensor<float> x({count});
            CAPTURE(count);
            CHECK(drop(x, 0.3, stream, Cpu(threads)).kept ==
                  drop<float, Reference>(x, 0.3, stream).kept);
        }
    }
}

TEST_CASE("elements that begin in the middle of a step have the words of their places in it") {
    const Tensor<float> x({10000});
    const auto whole = drop(x, 0.3).kept;
    for (const Index first : {1, 7, 63, 64, 65, 4096, 5003}) {
        for (const Index count : {1, 63, 64, 130, 4900}) {
            CAPTURE(first);
            CAPTURE(count);
            const Tensor<float> part({count});
            const std::vector<std::uint8_t> expected(whole.begin() + first,
                                                     whole.begin() + first + count);
            CHECK(drop(part, 0.3, stream, Cpu(1), first).kept == expected);
            CHECK(drop(part, 0.3, stream, Cpu(7), first).kept == expected);
            CHECK(drop<float, Reference>(part, 0.3, stream, Reference(), first).kept == expected);
        }
    }
}

TEST_CASE("many blocks at once are the blocks one by one, also where their number carries") {
    for (const std::uint64_t first :
         {std::uint64_t{0}, std::uint64_t{0xfffffff8}, std::uint64_t{0xffffffe8}}) {
        std::array<std::uint32_t, weft::kernels::detail::draw_words> words{};
        weft::kernels::detail::random_words(stream, first, words.data());
        for (std::size_t i = 0; i < words.size(); ++i) {
            CAPTURE(i);
            CHECK(words[i] == stream.block(first + i / 64 * 16 + i % 16)[i / 16 % 4]);
        }
    }
}

TEST_CASE("a rate of 0 changes nothing") {
    const auto x = weft::random_normal<float>({100}, 3);
    const auto result = drop(x, 0);
    CHECK(identical(result.y, x));
    CHECK(result.count_kept() == 100);
}

TEST_CASE("what is dropped is 0, whatever it was") {
    Tensor<float> x({1000});
    std::ranges::fill(x, std::numeric_limits<float>::infinity());
    auto result = drop(x, 0.5);
    Tensor<float> dx({1000});
    Cpu cpu(1);
    dropout_backward<float>(cpu, {.rate = 0.5, .kept = result.kept.data()}, x, dx);
    for (Index i = 0; i < 1000; ++i) {
        const float expected = result.kept[static_cast<std::size_t>(i)] != 0 ? x[i] : 0;
        CHECK(result.y[i] == expected);
        CHECK(dx[i] == expected);
    }
}

TEST_CASE("each step and stream has a mask of its own, the same in every run") {
    Tensor<float> x({200});
    std::ranges::fill(x, 1.f);
    const auto mask = drop(x, 0.5).kept;
    CHECK(drop(x, 0.5).kept == mask);
    CHECK(drop(x, 0.5, RandomStream(1, RandomPurpose::layer, 2, 4)).kept != mask);
    const std::uint32_t step = 4;
    const auto of_step = drop(x, 0.5, RandomStream(1, RandomPurpose::layer, 2, step)).kept;
    CHECK(drop(x, 0.5, stream, Cpu(), 0, &step).kept == of_step);
    CHECK(drop<float, Reference>(x, 0.5, stream, Reference(), 0, &step).kept == of_step);
    CHECK(drop(x, 0.5, RandomStream(1, RandomPurpose::layer, 3, 3)).kept != mask);
    CHECK(drop(x, 0.5, RandomStream(2, RandomPurpose::layer, 2, 3)).kept != mask);
}
