#include "weft/core/random.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <numeric>
#include <set>
#include <string>
#include <vector>

using weft::RandomPurpose;
using weft::RandomStream;

// Every sample below is fixed by its seed, so a test passes always or never. The bounds are those
// that a fair sample exceeds with probability 1e-6 or less: five standard errors for a mean, the
// 1 - 1e-6 quantile for a chi-square.

namespace {

constexpr std::uint64_t samples = 100000;
const double root_samples = std::sqrt(static_cast<double>(samples));

RandomStream stream(std::uint32_t id) { return {20240229, RandomPurpose::user, id}; }

/// The mean of function(i) over i = 0 ... samples - 1.
template <class Function>
double mean(const Function& function) {
    double sum = 0;
    for (std::uint64_t i = 0; i < samples; ++i) sum += function(i);
    return sum / static_cast<double>(samples);
}

/// The chi-square of the counts against equal expectations.
template <class Counts>
double chi_square(const Counts& counts) {
    double total = 0, squares = 0;
    for (const auto& count : counts) {
        total += count;
        squares += static_cast<double>(count) * count;
    }
    return squares * static_cast<double>(std::size(counts)) / total - total;
}

}  // namespace

TEST_CASE("number i is a fixed half of a Philox block: the same bits on every platform") {
    const RandomStream random(0x0123456789abcdef, RandomPurpose::layer, 0x00abcd, 7);
    const std::array<std::uint32_t, 2> key{0x89abcdef, 0x01234567};
    for (const std::uint64_t block : {std::uint64_t{0}, std::uint64_t{5}, std::uint64_t{1} << 40}) {
        const auto words =
            weft::philox4x32({static_cast<std::uint32_t>(block),
                              static_cast<std::uint32_t>(block >> 32), 0x0200abcd, 7},
                             key);
        CHECK(random.block(block) == words);
        CHECK(random.bits(2 * block) == (std::uint64_t{words[1]} << 32 | words[0]));
        CHECK(random.bits(2 * block + 1) == (std::uint64_t{words[3]} << 32 | words[2]));
    }
}

TEST_CASE("a number does not depend on the numbers drawn before") {
    const RandomStream forwards = stream(1), backwards = stream(1);
    std::vector<std::uint64_t> a(100), b(100);
    for (std::size_t i = 0; i < a.size(); ++i) a[i] = forwards.bits(i);
    for (std::size_t i = b.size(); i-- > 0;) b[i] = backwards.bits(i);
    CHECK(a == b);
    CHECK(forwards.normal(17) == backwards.normal(17));
    static_assert(RandomStream(3, RandomPurpose::user).uniform(8) < 1);
}

TEST_CASE("seed, purpose, stream, step and index each change the numbers") {
    std::set<std::uint64_t> seen;
    std::size_t drawn = 0;
    for (const std::uint64_t seed : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1} << 32}) {
        for (const auto purpose :
             {RandomPurpose::initializer, RandomPurpose::shuffle, RandomPurpose::layer,
              RandomPurpose::augmentation, RandomPurpose::user, RandomPurpose::split}) {
            for (const std::uint32_t id : {0u, 1u, 2u, 0xffffffu}) {
                for (const std::uint32_t step : {0u, 1u, 2u, 0xffffffffu}) {
                    const RandomStream random(seed, purpose, id, step);
                    for (const std::uint64_t i :
                         {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{2},
                          std::uint64_t{1} << 33, ~std::uint64_t{0}}) {
                        seen.insert(random.bits(i));
                        ++drawn;
                    }
                }
            }
        }
    }
    CHECK(seen.size() == drawn);
}

TEST_CASE("uniform lies in [0, 1), is a multiple of 2^-53 and reaches both ends") {
    const RandomStream random = stream(2);
    double least = 1, largest = 0;
    bool multiples = true, odd_multiple = false;
    for (std::uint64_t i = 0; i < samples; ++i) {
        const double u = random.uniform(i);
        least = std::min(least, u);
        largest = std::max(largest, u);
        multiples &= u * 0x1p53 == std::floor(u * 0x1p53);
        odd_multiple |= u * 0x1p52 != std::floor(u * 0x1p52);
    }
    CHECK(least >= 0);
    CHECK(least < 1e-3);
    CHECK(largest < 1);
    CHECK(largest > 0.999);
    CHECK(multiples);
    CHECK(odd_multiple);
}

TEST_CASE("uniform has the moments of the uniform distribution, without correlation") {
    const RandomStream random = stream(3);
    const auto centred = [&](std::uint64_t i) { return random.uniform(i) - 0.5; };
    // Variance 1/12. That of the square is 1/80 - 1/144 = 1/180, that of a product 1/144.
    CHECK(std::abs(mean(centred)) < 5 * std::sqrt(1. / 12) / root_samples);
    const double variance = mean([&](auto i) { return centred(i) * centred(i); });
    CHECK(std::abs(variance - 1. / 12) < 5 * std::sqrt(1. / 180) / root_samples);
    for (const std::uint64_t lag : {1u, 2u, 3u}) {
        CAPTURE(lag);
        const double product = mean([&](auto i) { return centred(i) * centred(i + lag); });
        CHECK(std::abs(product) < 5. / 12 / root_samples);
    }
}

TEST_CASE("streams that differ in one part alone are not correlated") {
    const RandomStream base(5, RandomPurpose::user, 1, 1);
    for (const RandomStream& other :
         {RandomStream(6, RandomPurpose::user, 1, 1), RandomStream(5, RandomPurpose::layer, 1, 1),
          RandomStream(5, RandomPurpose::user, 2, 1), RandomStream(5, RandomPurpose::user, 1, 2)}) {
        const double product =
            mean([&](auto i) { return (base.uniform(i) - 0.5) * (other.uniform(i) - 0.5); });
        CHECK(std::abs(product) < 5. / 12 / root_samples);
    }
}

TEST_CASE("uniform between limits is the unit one stretched") {
    const RandomStream random = stream(4);
    bool stretched = true;
    for (std::uint64_t i = 0; i < 1000; ++i) {
        const double x = random.uniform(i, -3, 5);
        stretched &= x == -3 + 8 * random.uniform(i);
        stretched &= -3 <= x && x < 5;
    }
    CHECK(stretched);
    CHECK(random.uniform(7, 2, 2) == 2);
}

TEST_CASE("bernoulli is true with the probability given, not without it") {
    const RandomStream random = stream(5);
    for (const double p : {0.1, 0.9}) {
        CAPTURE(p);
        const double share = mean([&](auto i) { return random.bernoulli(i, p) ? 1. : 0.; });
        CHECK(std::abs(share - p) < 5 * std::sqrt(p * (1 - p)) / root_samples);
    }
    CHECK(mean([&](auto i) { return random.bernoulli(i, 0) ? 1. : 0.; }) == 0);
    CHECK(mean([&](auto i) { return random.bernoulli(i, 1) ? 1. : 0.; }) == 1);
}

TEST_CASE("normal_quantile agrees with the inverse of the distribution function") {
    // x with Phi(x) = p for the double nearest to p, to 20 digits by mpmath 1.3. They lie in all
    // three ranges of the approximation and at their edges.
    const std::map<double, double> quantiles{
        {0.6, 0.25334710313579974132},   {0.7, 0.52440051270804065631},
        {0.75, 0.6744897501960817432},   {0.9, 1.2815515655446005935},
        {0.925, 1.4395314709384562291},  {0.975, 1.9599639845400538556},
        {0.99, 2.3263478740408407676},   {0.999, 3.0902323061678132778},
        {0.001, -3.0902323061678135354}, {1e-5, -4.2648907939228246102},
        {1e-9, -5.9978070150076868614},  {1e-15, -7.9413453261709967713},
        {1e-16, -8.2220822161304356152}, {0x1p-53, -8.2095361516013868556}};
    for (const auto& quantile : quantiles) {
        const double p = quantile.first, x = quantile.second;
        CAPTURE(p);
        // The approximation is good to 1e-16; about eight roundings of its polynomials add up.
        CHECK(std::abs(RandomStream::normal_quantile(p) / x - 1) < 8 * 0x1p-53);
    }
    CHECK(RandomStream::normal_quantile(0.5) == 0);
}

TEST_CASE("normal_quantile is odd about 1/2 and increases") {
    double last = -std::numeric_limits<double>::infinity();
    for (int i = 1; i < 4096; ++i) {
        const double p = i / 4096.;  // exact, and so is 1 - p
        const double x = RandomStream::normal_quantile(p);
        REQUIRE(x == -RandomStream::normal_quantile(1 - p));
        REQUIRE(x > last);
        last = x;
    }
}

TEST_CASE("normal has the moments of the normal distribution") {
    const RandomStream random = stream(6);
    const auto moment = [&](int power) {
        return mean([&](auto i) { return std::pow(random.normal(i), power); });
    };
    // E x^2 = 1, E x^4 = 3, E x^6 = 15, E x^8 = 105 give the variances 1, 2, 15 and 96.
    CHECK(std::abs(moment(1)) < 5 / root_samples);
    CHECK(std::abs(moment(2) - 1) < 5 * std::sqrt(2.) / root_samples);
    CHECK(std::abs(moment(3)) < 5 * std::sqrt(15.) / root_samples);
    CHECK(std::abs(moment(4) - 3) < 5 * std::sqrt(96.) / root_samples);
    const double beyond = mean([&](auto i) { return std::abs(random.normal(i)) > 2 ? 1. : 0.; });
    CHECK(std::abs(beyond - 0.0455) < 5 * std::sqrt(0.0455 * 0.9545) / root_samples);
}

TEST_CASE("truncated_normal is normal within two deviations") {
    const RandomStream random = stream(7);
    const auto moment = [&](int power) {
        return mean([&](auto i) { return std::pow(random.truncated_normal(i), power); });
    };
    double largest = 0;
    for (std::uint64_t i = 0; i < samples; ++i) {
        largest = std::max(largest, std::abs(random.truncated_normal(i)));
    }
    CHECK(largest <= 2);
    CHECK(largest > 1.99);
    // With Z = P(|x| < 2): E x^2 = 1 - 4 phi(2) / Z and E x^4 = 3 E x^2 - 16 phi(2) / Z.
    const double square = 0.87962566103423978 * 0.87962566103423978, fourth = 1.416183;
    CHECK(std::abs(moment(1)) < 5 * std::sqrt(square) / root_samples);
    CHECK(std::abs(moment(2) - square) < 5 * std::sqrt(fourth - square * square) / root_samples);
}

TEST_CASE("below is the high half of the 128-bit product of bits and bound") {
    const RandomStream random = stream(8);
    for (std::uint64_t i = 0; i < 1000; ++i) {
        const std::uint64_t bits = random.bits(i);
        REQUIRE(random.below(i, 1) == 0);
        for (const int power : {1, 7, 31, 32, 33, 63}) {
            REQUIRE(random.below(i, std::uint64_t{1} << power) == bits >> (64 - power));
        }
        // bits (2^64 - 1) = (bits - 1) 2^64 + (2^64 - bits): every limb and carry takes part.
        REQUIRE(random.below(i, ~std::uint64_t{0}) == bits - 1);
    }
}

TEST_CASE("below gives each number below the bound equally often") {
    const RandomStream random = stream(9);
    // Bounds for which taking bits modulo the bound would be fair, and one for which it is not.
    for (const std::uint64_t part : {std::uint64_t{1}, std::uint64_t{1} << 62}) {
        std::array<int, 3> counts{};
        for (std::uint64_t i = 0; i < samples; ++i) ++counts.at(random.below(i, 3 * part) / part);
        CAPTURE(part);
        CHECK(chi_square(counts) < 27.7);  // 2 degrees of freedom
    }
    std::array<int, 10> counts{};
    for (std::uint64_t i = 0; i < samples; ++i) ++counts.at(random.below(i, 10));
    CHECK(chi_square(counts) < 44.9);  // 9 degrees of freedom
}

TEST_CASE("shuffle permutes and loses nothing") {
    for (const std::size_t size : {0u, 1u, 2u, 3u, 1000u}) {
        std::vector<int> numbers(size);
        std::iota(numbers.begin(), numbers.end(), 0);
        const std::vector<int> sorted = numbers;
        stream(10).shuffle(std::span(numbers));
        CAPTURE(size);
        CHECK(std::is_permutation(numbers.begin(), numbers.end(), sorted.begin()));
        if (size == 1000) CHECK(numbers != sorted);
    }
    std::vector<std::string> words{"one", "two", "three"};
    stream(11).shuffle(std::span(words));
    CHECK(std::set<std::string>(words.begin(), words.end()).size() == 3);
}

TEST_CASE("shuffle depends on the stream alone") {
    std::vector<int> a(50), c;
    std::iota(a.begin(), a.end(), 0);
    std::vector<int> b = c = a;
    RandomStream(1, RandomPurpose::shuffle, 0, 3).shuffle(std::span(a));
    RandomStream(1, RandomPurpose::shuffle, 0, 3).shuffle(b);  // the same of a vector
    RandomStream(1, RandomPurpose::shuffle, 0, 4).shuffle(std::span(c));
    CHECK(a == b);
    CHECK(a != c);
}

TEST_CASE("shuffle gives each of the 24 orders of four equally often") {
    std::map<std::array<int, 4>, int> orders;
    for (std::uint32_t step = 0; step < 24000; ++step) {
        std::array<int, 4> numbers{0, 1, 2, 3};
        RandomStream(12, RandomPurpose::shuffle, 0, step).shuffle(std::span<int>(numbers));
        ++orders[numbers];
    }
    REQUIRE(orders.size() == 24);
    std::vector<int> counts;
    for (const auto& [order, count] : orders) counts.push_back(count);
    CHECK(chi_square(counts) < 70.6);  // 23 degrees of freedom
}
