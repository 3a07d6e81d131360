/// \file
/// The sections of a report about figures and curves.
#pragma once

#include "tables.hpp"
#include "test_results.hpp"

#include "weft/data/split.hpp"
#include "weft/training/progress.hpp"

namespace weft::detail {

/// The mean of -ln p of the true class, and its interval: mean +- 1.96 s / sqrt(N).
inline Figure crossentropy_figure(const RunReport& run, const Classified& test) {
    std::vector<double> losses;
    losses.reserve(test.labels.size());
    for (std::size_t i = 0; i < test.labels.size(); ++i) {
        const auto p = static_cast<double>(run.predictions(static_cast<Index>(i), test.labels[i]));
        losses.push_back(p < 1e-38 ? -std::log(1e-38) : -std::log(p));
    }
    const auto [mean, deviation] = mean_and_deviation(losses);
    const auto n = static_cast<double>(losses.size());
    const double half = 1.959963984540054 * deviation / std::sqrt(n);
    const bool known = n > 1 && std::isfinite(half);
    return {"Test cross-entropy", fixed(mean, 4),
            known ? interval_text({mean - half, mean + half}) : ""};
}

inline std::string summary_section(const RunReport& run, const std::optional<Classified>& test) {
    std::vector<Figure> figures;
    if (test) {
        const ClassificationReport& report = test->report;
        Index right = 0;
        for (Index c = 0; c < report.classes(); ++c) right += report.confusion()(c, c);
        figures.push_back({"Test accuracy",
                           concat(fixed(report.accuracy(), 4), " (", with_thousands(right), " of ",
                                  with_thousands(report.samples()), ")"),
                           interval_text(report.accuracy_interval())});
        figures.push_back(crossentropy_figure(run, *test));
    }
    if (run.train)
        figures.push_back({"Training set", concat(with_thousands(run.train->size()), " samples")});
    if (!run.history.epochs.empty()) {
        double seconds = 0;
        for (const EpochRecord& epoch : run.history.epochs) seconds += epoch.seconds;
        figures.push_back({"Epochs", concat(run.history.epochs.size())});
        figures.push_back({"Time in training", ProgressLine::duration(seconds)});
    }
    std::string html;
    if (run.history.non_finite) {
        html += concat("<p class=\"alert\"><strong>Training stopped:</strong> ",
                       escaped(run.history.non_finite->message()), ".</p>\n");
    }
    std::string numbers, model;
    if (!figures.empty()) numbers = figures_table(figures);
    numbers += options_table(run.options);
    if (!run.summary.empty()) {
        model = "<h3>Model</h3>\n" +
                scrolling("Model", concat("<pre>", escaped(run.summary), "</pre>\n"));
    }
    if (!numbers.empty() || !model.empty()) {
        html += concat("<div class=\"pair\">\n<div>\n", numbers, "</div>\n<div>\n", model,
                       "</div>\n</div>\n");
    }
    return html;
}

/// A chart for each score, of training and validation; and one for the learning rate if it changes.
inline std::vector<std::pair<std::string, std::vector<Curve>>> curves(const History& history) {
    std::vector<std::pair<std::string, std::vector<Curve>>> charts;
    if (history.epochs.empty()) return charts;
    const auto values = [&](const std::string& name) {
        std::vector<double> numbers;
        for (const EpochRecord& epoch : history.epochs) {
            numbers.push_back(
                epoch.scores.find(name).value_or(std::numeric_limits<double>::quiet_NaN()));
        }
        return numbers;
    };
    const Scores& scores = history.epochs.front().scores;
    for (const auto& [name, first] : scores) {
        if (name.starts_with("val_")) continue;
        std::vector<Curve> lines{{"training", values(name)}};
        if (scores.find("val_" + name)) lines.push_back({"validation", values("val_" + name)});
        charts.emplace_back(name, std::move(lines));
    }
    std::vector<double> rates;
    for (const EpochRecord& epoch : history.epochs) rates.push_back(epoch.learning_rate);
    if (std::ranges::adjacent_find(rates, std::not_equal_to<>()) != rates.end()) {
        charts.emplace_back("learning_rate", std::vector<Curve>{{"", rates}});
    }
    return charts;
}

inline std::string curves_section(const History& history) {
    std::string html;
    bool gaps = false;
    for (const auto& [name, lines] : curves(history)) {
        std::string text = concat("Chart of ", name, " over ", history.epochs.size(), " epochs.");
        for (const Curve& line : lines) {
            text +=
                concat(" ", line.name, line.name.empty() ? "" : ": ", fixed(line.values.front(), 4),
                       " to ", fixed(line.values.back(), 4), ".");
            gaps |= !std::ranges::all_of(line.values, can_be_drawn);
        }
        html += inline_svg(line_chart(name, lines), text);
    }
    if (html.empty()) return {};
    return concat("<div class=\"curves\">\n", html, "</div>\n",
                  gaps ? "<p>Numbers that are not finite are left out of the curves.</p>\n" : "",
                  scores_table(history), history_table(history));
}

/// The charts of all scores side by side.
inline Drawing curves_drawing(const History& history) {
    Drawing all;
    for (const auto& [name, lines] : curves(history)) {
        const Drawing chart = line_chart(name, lines);
        all.elements += concat("<svg x=\"", all.width, "\" width=\"", chart.width, "\" height=\"",
                               chart.height, "\">", chart.elements, "</svg>\n");
        all.width += chart.width;
        all.height = chart.height;
    }
    return all;
}

inline std::string sheet_section(std::string_view words, const Sheet& sheet) {
    if (sheet.cells.empty()) return {};
    return concat("<p>", words, "</p>\n", sheet_html(sheet));
}

}  // namespace weft::detail
