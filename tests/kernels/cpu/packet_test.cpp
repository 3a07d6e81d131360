#include "weft/kernels/cpu/packet.hpp"

#include "tests/support/compare.hpp"
#include "tests/support/long_sums.hpp"
#include "tests/support/random_tensor.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace packets = weft::kernels::detail;
using weft::identical;
using weft::Index;
using weft::random_normal;
using weft::Tensor;

namespace {

/// first, first + 1, ...: exact in any type, and so are their sums.
template <class Scalar>
std::vector<Scalar> counting(Index size, int first) {
    std::vector<Scalar> numbers;
    for (Index i = 0; i < size; ++i) numbers.push_back(static_cast<Scalar>(first + i));
    return numbers;
}

}  // namespace

TEST_CASE_TEMPLATE("a partial load takes the elements there are, zeros behind them", Scalar, float,
                   double) {
    constexpr Index width = packets::packet_size<Scalar>;
    for (Index count = 0; count < width; ++count) {
        const auto numbers = counting<Scalar>(count, 5);  // no further: a sanitizer sees more read
        std::vector<Scalar> lanes(width, Scalar(-1));
        packets::store(lanes.data(), packets::load_partial(numbers.data(), count));
        for (Index i = 0; i < width; ++i) {
            CHECK(lanes[static_cast<std::size_t>(i)] == static_cast<Scalar>(i < count ? 5 + i : 0));
        }
    }
}

TEST_CASE_TEMPLATE("a partial store writes the elements asked for alone", Scalar, float, double) {
    constexpr Index width = packets::packet_size<Scalar>;
    const auto numbers = counting<Scalar>(width, 5);
    for (Index count = 0; count < width; ++count) {
        std::vector<Scalar> target(width, Scalar(-1));
        packets::store_partial(target.data(), packets::load(numbers.data()), count);
        for (Index i = 0; i < width; ++i) {
            CHECK(target[static_cast<std::size_t>(i)] ==
                  static_cast<Scalar>(i < count ? 5 + i : -1));
        }
    }
}

TEST_CASE_TEMPLATE("broadcast fills every lane", Scalar, float, double) {
    constexpr Index width = packets::packet_size<Scalar>;
    std::vector<Scalar> lanes(width);
    packets::store(lanes.data(), packets::broadcast(Scalar(3)));
    CHECK(lanes == std::vector<Scalar>(width, Scalar(3)));
}

TEST_CASE_TEMPLATE("transform applies the operation to each element and touches no other", Scalar,
                   float, double) {
    const auto subtract = [](const auto& a, const auto& b) { return weft::kernels::psub(a, b); };
    for (Index count = 0; count <= 70; ++count) {
        const auto a = counting<Scalar>(count, 1000), b = counting<Scalar>(count + 1, 0);
        std::vector<Scalar> y(static_cast<std::size_t>(count + 2), Scalar(-1));
        packets::transform(count, y.data() + 1, subtract, a.data(), b.data() + 1);
        std::vector<Scalar> expected(y.size(), Scalar(999));
        expected.front() = expected.back() = Scalar(-1);
        CAPTURE(count);
        CHECK(y == expected);
    }
}

TEST_CASE_TEMPLATE("transform may work in place", Scalar, float, double) {
    auto numbers = counting<Scalar>(70, 0);
    packets::transform(
        70, numbers.data(), [](const auto& x) { return weft::kernels::padd(x, x); },
        numbers.data());
    for (int i = 0; i < 70; ++i) CHECK(numbers[static_cast<std::size_t>(i)] == Scalar(2 * i));
}

TEST_CASE_TEMPLATE("an element's bits are the same wherever it lies", Scalar, float, double) {
    // A product and a sum, which compilers may or may not fuse, then a function.
    const auto operation = [](const auto& x) {
        return packets::exp<Scalar>(weft::kernels::psub(weft::kernels::pmul(x, x), x));
    };
    const Tensor<Scalar> x = random_normal<Scalar>({70}, 1);
    Tensor<Scalar> whole({70});
    packets::transform(70, whole.data(), operation, x.data());
    for (Index first = 1; first < 70; ++first) {
        Tensor<Scalar> part({70 - first});
        packets::transform(70 - first, part.data(), operation, x.data() + first);
        CAPTURE(first);
        CHECK(identical(part, whole.slice(first, 70 - first)));
    }
}

TEST_CASE_TEMPLATE("square roots are rounded correctly, so alike on all processors", Scalar, float,
                   double) {
    static constexpr Index size = packets::packet_size<Scalar>;
    const auto check = [](Scalar first, Scalar step) {
        Scalar x[std::size_t{size}], y[std::size_t{size}];
        for (Index i = 0; i < size; ++i) x[i] = first + static_cast<Scalar>(i) * step;
        packets::store(y, packets::square_root<Scalar>(packets::load(x)));
        for (Index i = 0; i < size; ++i) {
            if (y[i] != std::sqrt(x[i])) return i;
        }
        return size;
    };
    for (Index n = 0; n < 20'000; ++n) {
        const auto first = static_cast<Scalar>(n) / 7;
        CAPTURE(first);
        REQUIRE(check(first, Scalar(0.01)) == size);
        REQUIRE(check(first * Scalar(1e-20), Scalar(1e-21)) == size);
    }
    CHECK(check(std::numeric_limits<Scalar>::infinity(), 1) == size);
}

TEST_CASE_TEMPLATE("sum adds each element once", Scalar, float, double) {
    for (Index count = 0; count <= 70; ++count) {
        const auto numbers = counting<Scalar>(count, 3);
        CAPTURE(count);
        CHECK(packets::sum(numbers.data(), count) == static_cast<Scalar>(count * (count + 5) / 2));
    }
}

TEST_CASE_TEMPLATE("a long sum is within the bound of its roundings", Scalar, float, double) {
    for (const Index n : weft::long_lengths<Scalar>()) {
        for (const bool equal : {true, false}) {
            const weft::LongNumbers<Scalar> numbers({n}, equal);
            CAPTURE(n);
            CAPTURE(equal);
            // A block has 256 packets; then one addition for each halving of the rest.
            CHECK(weft::roundings(weft::kernels::detail::sum(numbers.x.data(), n), numbers.sum) <=
                  weft::pairwise_roundings(n));
        }
    }
}
