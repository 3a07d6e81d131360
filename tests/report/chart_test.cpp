#include "src/report/chart.hpp"

#include "tests/support/count_matches.hpp"
#include "tests/support/special_values.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <regex>

using namespace weft;
using namespace weft::detail;

namespace {

std::string path_of(const Drawing& drawing, const std::string& name) {
    std::smatch match;
    const std::regex path("<path class=\"" + name + "\" d=\"([^\"]*)\"");
    REQUIRE(std::regex_search(drawing.elements, match, path));
    return match[1];
}

}  // namespace

TEST_CASE("Ticks are round and cover the range") {
    CHECK(axis_ticks(0, 10, 5) == std::vector<double>{0, 2, 4, 6, 8, 10});
    CHECK(axis_ticks(0.13, 0.48, 5) == std::vector<double>{0.2, 0.30000000000000004, 0.4});
    CHECK(axis_ticks(1, 3, 8, 1) == std::vector<double>{1, 2, 3});
    CHECK(axis_ticks(1, 1, 8, 1) == std::vector<double>{1});
    CHECK(axis_ticks(-5, 5, 2) == std::vector<double>{-5, 0, 5});
    for (const double scale : {1e-300, 1e-20, 1.0, 1e20, 1e300}) {
        INFO(scale);
        const auto ticks = axis_ticks(scale, 3 * scale, 5);
        CHECK(ticks.size() >= 3);
        CHECK(ticks.size() <= 11);
    }
    CHECK(axis_ticks(1, 1 + 1e-16, 5).size() <= 11);
}

TEST_CASE("A curve has a point an epoch, the least lowest, within the frame") {
    const Drawing chart =
        line_chart("loss", {{"training", {3, 1, 2}}, {"validation", {3, 2, 2.5}}});
    std::smatch match;
    const std::string path = path_of(chart, "curve0");
    REQUIRE(std::regex_match(
        path, match, std::regex(R"(M([\d.]+) ([\d.]+)L([\d.]+) ([\d.]+)L([\d.]+) ([\d.]+))")));
    const auto number = [&](int i) { return std::stod(match[static_cast<std::size_t>(i)]); };
    CHECK(number(1) < number(3));
    CHECK(number(3) < number(5));
    CHECK(number(2) < number(6));  // y grows downwards
    CHECK(number(6) < number(4));
    // The middle value lies in the middle.
    CHECK(std::abs((number(2) + number(4)) / 2 - number(6)) <= 0.1);
    for (int i : {1, 3, 5}) CHECK((number(i) > CurveAxes::left && number(i) < chart.width));
    for (int i : {2, 4, 6}) CHECK((number(i) > CurveAxes::top && number(i) < chart.height));
    CHECK(count_matches(chart.elements, "<circle class=\"mark0\"") == 4);  // and one in the legend
    CHECK(count_matches(chart.elements, "<rect class=\"mark1\"") == 4);
    CHECK(count_matches(chart.elements, "<title>training, epoch 2: 1.0000</title>") == 1);
    CHECK(count_matches(chart.elements, "<title>validation, epoch 3: 2.5000</title>") == 1);
}

TEST_CASE("A curve is interrupted where a number is not finite") {
    const Drawing chart = line_chart(
        "loss", {{"", {1, 2, not_a_number<>, 3, std::numeric_limits<double>::infinity()}}});
    const std::string path = path_of(chart, "curve0");
    CHECK(count_matches(path, "M") == 2);
    CHECK(count_matches(path, "L") == 1);
    CHECK(count_matches(chart.elements, "<circle") == 3);
    CHECK(count_matches(chart.elements, "nan|inf|NaN") == 0);
}

TEST_CASE("Charts of one epoch, of none, of nothing finite, of equal and of huge numbers") {
    CHECK(count_matches(line_chart("loss", {{"a", {0.5}}}).elements, "<circle") == 2);
    CHECK(count_matches(line_chart("loss", {}).elements, "<circle") == 0);
    const double huge = std::numeric_limits<double>::max();
    for (const std::vector<double>& values :
         {std::vector<double>{not_a_number<>}, {0, 0}, {2, 2}, {-huge, huge}, {1e-310, 2e-310}}) {
        CHECK(count_matches(line_chart("loss", {{"a", values}}).elements, "nan|inf|NaN") == 0);
    }
}

TEST_CASE("Long runs have no marks but at numbers that stand alone") {
    std::vector<double> values(100, 1.0);
    values[49] = values[51] = not_a_number<>;
    CHECK(count_matches(line_chart("loss", {{"", values}}).elements, "<circle") == 1);
}

TEST_CASE("Bars are as high as probabilities: true blue, a wrong prediction red, the rest grey") {
    const Tensor<float> p({4}, {0.5f, 0.25f, 0.25f, 0});
    const std::string wrong = probability_bars(p, 0, 2).elements;
    std::vector<std::string> kinds;
    std::vector<double> heights;
    const std::regex bar("<rect class=\"(\\w+)\"[^>]* height=\"([\\d.]+)\"");
    for (std::sregex_iterator it(wrong.begin(), wrong.end(), bar), end; it != end; ++it) {
        kinds.push_back((*it)[1]);
        heights.push_back(std::stod((*it)[2]));
    }
    CHECK(kinds == std::vector<std::string>{"wrong", "rest", "right", "rest"});
    REQUIRE(heights.size() == 4);
    CHECK(heights[0] == 2 * heights[1]);
    CHECK(heights[1] == heights[2]);
    CHECK(heights[3] == 0);
    CHECK(count_matches(wrong, "&#10003;") == 1);
    CHECK(count_matches(wrong, "&#10007;") == 1);
    CHECK(count_matches(wrong, "class=\"tick middle\"") == 4);

    const std::string right = probability_bars(p, 0, 0).elements;
    CHECK(count_matches(right, "rect class=\"right\"") == 1);
    CHECK(count_matches(right, "rect class=\"rest\"") == 3);
    CHECK(count_matches(right, "&#10007;") == 0);
    const Tensor<float> nothing({2}, {std::numeric_limits<float>::quiet_NaN(), 1});
    CHECK(count_matches(probability_bars(nothing, 1, 0).elements, "nan|NaN") == 0);
}
