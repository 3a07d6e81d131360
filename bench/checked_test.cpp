// Planted faults: a benchmark whose result is wrong fails, and is not timed.
#include "bench/support/checked.hpp"

#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <limits>
#include <sstream>
#include <string>
#include <tuple>

namespace weft::bench {

// Instead of measure.cpp's, which would measure the machine's peak.
void count(benchmark::State&, const Work&) {}

}  // namespace weft::bench

namespace {

using namespace weft;
using namespace weft::bench;

template <class Device>
struct Arrays {
    Tensor<float, Device> small{Shape{4}}, large{Shape{2, 3}};
};

/// The small numbers are gradients of a mean over a thousand samples, say.
const Task task{Work{}, []<class Device>(Device&) { return Arrays<Device>(); },
                [](auto&, auto& a) {
                    for (Index i = 0; i < 4; ++i) a.small[i] = 1e-6f * static_cast<float>(i);
                    for (Index i = 0; i < 6; ++i) a.large[i] = static_cast<float>(10 * i);
                },
                [](const auto& a) { return std::tie(a.small, a.large); }};

/// What is printed of all registered benchmarks.
std::string report() {
    std::ostringstream out;
    benchmark::ConsoleReporter reporter(benchmark::ConsoleReporter::OO_None);
    reporter.SetOutputStream(&out);
    reporter.SetErrorStream(&out);
    benchmark::RunSpecifiedBenchmarks(&reporter);
    return out.str();
}

/// The same of one that runs the task's kernel and then change(arrays), and is counted in runs.
template <class Change>
std::string report_of(const Change& change, int* runs = nullptr) {
    benchmark::ClearRegisteredBenchmarks();
    add_contender("planted", task, [=](Cpu& cpu, auto& arrays) {
        return [&cpu, &arrays, change, runs] {
            task.kernel(cpu, arrays);
            change(arrays);
            if (runs != nullptr) ++*runs;
        };
    });
    return report();
}

bool fails_at(const std::string& report, const std::string& where) {
    return report.find("ERROR OCCURRED: 'differs from its definition: " + where) !=
           std::string::npos;
}

}  // namespace

TEST_CASE("a right result is timed") {
    int runs = 0;
    const std::string report = report_of([](auto&) {}, &runs);
    INFO(report);
    CHECK(report.find("planted") != std::string::npos);
    CHECK(report.find("ERROR") == std::string::npos);
    CHECK(runs > 1);
}

TEST_CASE("a wrong element fails, by its place, and is not timed") {
    int runs = 0;
    const std::string report = report_of([](auto& a) { a.large[4] += 0.125f; }, &runs);
    INFO(report);
    CHECK(fails_at(report, "result 1 has a gap of 0.0025 "));
    CHECK(report.find("(element 4 of (2, 3): 40.125, expected 40)") != std::string::npos);
    CHECK(runs == 1);
}

TEST_CASE("a wrong element among small ones fails, whatever large ones there are") {
    CHECK(fails_at(report_of([](auto& a) { a.small[1] = 0; }), "result 0 "));
}

TEST_CASE("rounding passes") {
    const std::string report = report_of([](auto& a) {
        a.small[3] *= 1 + 1e-6f;
        a.large[5] *= 1 - 1e-6f;
    });
    CHECK(report.find("ERROR") == std::string::npos);
}

TEST_CASE("NaN and infinity fail") {
    using Limits = std::numeric_limits<float>;
    for (const float number : {Limits::quiet_NaN(), Limits::infinity()}) {
        CHECK(fails_at(report_of([=](auto& a) { a.large[0] = number; }), "result 1 "));
    }
}

TEST_CASE("a result of another shape fails") {
    const auto reshape = [](auto& a) { a.large = Tensor<float>({3, 2}); };
    CHECK(fails_at(report_of(reshape), "result 1 "));
}

TEST_CASE("a check is made again until it passes") {
    benchmark::ClearRegisteredBenchmarks();
    int checks = 0;
    add("counted", [&checks, is_checked = false](benchmark::State& state) mutable {
        check_and_measure(
            state, is_checked, {}, [] {},
            [&] { return ++checks == 1 ? Verdict{"wrong at first"} : Verdict{}; });
    });
    CHECK(fails_at(report(), "wrong at first"));
    CHECK(checks == 1);
    for (int run = 0; run < 2; ++run) {
        CHECK(report().find("ERROR") == std::string::npos);
        CHECK(checks == 2);
    }
}
