/// \file
/// The tables of a report.
#pragma once

#include "class_names.hpp"
#include "markup.hpp"

#include "weft/metrics/classification_report.hpp"
#include "weft/model/summary.hpp"
#include "weft/training/best_score.hpp"

#include <vector>

namespace weft::detail {

/// Content wider than a phone, in a frame that scrolls, also by keyboard.
inline std::string scrolling(std::string_view label, std::string_view content) {
    return concat("<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"", label,
                  "\">\n", content, "</div>\n");
}

inline std::string interval_text(const Interval& interval, int digits = 4) {
    return concat(fixed(interval.low, digits), " to ", fixed(interval.high, digits));
}

/// The options, with the user's names.
inline std::string options_table(const std::vector<std::pair<std::string, std::string>>& options) {
    if (options.empty()) return {};
    std::string rows;
    for (const auto& [name, value] : options) {
        rows += concat("<tr><th scope=\"row\">", escaped(name), "</th><td>", escaped(value),
                       "</td></tr>\n");
    }
    return concat("<h3>Options</h3>\n<table class=\"text options\">\n<tbody>\n", rows,
                  "</tbody>\n</table>\n");
}

/// One figure of a run.
struct Figure {
    std::string_view name;
    std::string value;
    std::string interval = {};  ///< at 95 %; empty if there is none
};

inline std::string figures_table(const std::vector<Figure>& figures) {
    std::string rows;
    for (const Figure& figure : figures) {
        rows += concat("<tr><th scope=\"row\">", figure.name, "</th><td>", figure.value,
                       "</td><td>", figure.interval, "</td></tr>\n");
    }
    return scrolling("Figures",
                     concat("<table class=\"text\">\n<thead><tr><th scope=\"col\">Figure</th>",
                            "<th scope=\"col\">Value</th><th scope=\"col\">95 % interval</th></tr>",
                            "</thead>\n<tbody>\n", rows, "</tbody>\n</table>\n"));
}

/// The scores of the last epoch, and each score's best.
inline std::string scores_table(const History& history) {
    if (history.epochs.empty()) return {};
    std::string rows;
    for (const auto& [name, last] : history.epochs.back().scores) {
        BestScore best(name, Better::automatic, 0);
        std::size_t best_epoch = 0;
        double best_value = 0;
        for (std::size_t i = 0; i < history.epochs.size(); ++i) {
            const auto value = history.epochs[i].scores.find(name);
            if (!value || !best.improve(*value)) continue;
            best_epoch = i + 1;
            best_value = *value;
        }
        const std::string best_cells = best_epoch == 0 ? "<td>&#8211;</td><td>&#8211;</td>"
                                                       : concat("<td>", fixed(best_value, 4),
                                                                "</td><td>", best_epoch, "</td>");
        rows += concat("<tr><th scope=\"row\">", escaped(name), "</th><td>", fixed(last, 4),
                       "</td>", best_cells, "</tr>\n");
    }
    return scrolling("Scores",
                     concat("<table>\n<thead><tr><th scope=\"col\">Score</th><th scope=\"col\">",
                            "Last epoch</th><th scope=\"col\">Best</th><th scope=\"col\">in epoch",
                            "</th></tr></thead>\n<tbody>\n", rows, "</tbody>\n</table>\n"));
}

/// All numbers of the history, one row per epoch.
inline std::string history_table(const History& history) {
    if (history.epochs.empty()) return {};
    const Scores& names = history.epochs.front().scores;
    std::string head = "<th scope=\"col\">epoch</th>", rows;
    for (const auto& [name, value] : names) {
        head += concat("<th scope=\"col\">", escaped(name), "</th>");
    }
    head += "<th scope=\"col\">learning_rate</th><th scope=\"col\">seconds</th>";
    for (std::size_t i = 0; i < history.epochs.size(); ++i) {
        const EpochRecord& epoch = history.epochs[i];
        rows += concat("<tr><th scope=\"row\">", i + 1, "</th>");
        for (const auto& [name, first] : names) {
            const auto value = epoch.scores.find(name);
            rows += concat("<td>", value ? fixed(*value, 4) : "&#8211;", "</td>");
        }
        rows += concat("<td>", epoch.learning_rate, "</td><td>", fixed(epoch.seconds, 2),
                       "</td></tr>\n");
    }
    return concat(
        "<details><summary>All numbers</summary>\n",
        scrolling("All numbers", concat("<table>\n<thead><tr>", head, "</tr></thead>\n<tbody>\n",
                                        rows, "</tbody>\n</table>\n")),
        "</details>\n");
}

/// The confusion matrix: true classes down, predicted ones across. Empty for more than 100 classes,
/// which nobody could read.
inline std::string confusion_table(const ClassificationReport& report, const ClassNames& names) {
    if (report.classes() > 100) return {};
    std::string head = "<th scope=\"col\">true \\ predicted</th>", rows;
    for (Index j = 0; j < report.classes(); ++j) {
        head +=
            concat("<th scope=\"col\"><abbr title=\"", escaped(names[j]), "\">", j, "</abbr></th>");
    }
    for (Index i = 0; i < report.classes(); ++i) {
        rows += concat("<tr><th scope=\"row\">", escaped(names.with_number(i)), "</th>");
        const Index support = report.scores(i).support;
        for (Index j = 0; j < report.classes(); ++j) {
            const Index count = report.confusion()(i, j);
            if (count == 0) {
                rows += "<td>0</td>";
                continue;
            }
            // The square root makes a few mistakes visible beside thousands of correct ones.
            const double share =
                std::sqrt(static_cast<double>(count) / static_cast<double>(support));
            rows += concat("<td class=\"", i == j ? "hit" : "miss",
                           "\" style=\"--s:", fixed(share, 2), "\">", count, "</td>");
        }
        rows += "</tr>\n";
    }
    return concat(
        "<p>Number of test samples of the row's class that were predicted as the column's class: "
        "correct on the diagonal.</p>\n",
        scrolling("Confusion matrix",
                  concat("<table class=\"confusion\">\n<thead><tr>", head,
                         "</tr></thead>\n<tbody>\n", rows, "</tbody>\n</table>\n")));
}

/// Precision, recall and F1 of each class, with intervals.
inline std::string class_table(const ClassificationReport& report, const ClassNames& names) {
    std::string rows;
    for (Index c = 0; c < report.classes(); ++c) {
        const ClassScores scores = report.scores(c);
        const Index hits = report.confusion()(c, c);
        Index predicted = 0;
        for (Index k = 0; k < report.classes(); ++k) predicted += report.confusion()(k, c);
        const auto cell = [&](double value, Index trials) -> std::string {
            if (trials == 0) return "<td>&#8211;</td>";
            return concat("<td>", fixed(value, 4), "<small>",
                          interval_text(wilson_interval(hits, trials), 3), "</small></td>");
        };
        rows += concat("<tr><th scope=\"row\">", escaped(names.with_number(c)), "</th>",
                       cell(scores.precision, predicted), cell(scores.recall, scores.support),
                       "<td>", scores.support + predicted > 0 ? fixed(scores.f1, 4) : "&#8211;",
                       "</td><td>", with_thousands(scores.support), "</td></tr>\n");
    }
    return concat(
        "<p>Below each share its 95 % interval (Wilson). A dash: no such sample.</p>\n",
        scrolling("Classes",
                  concat("<table>\n<thead><tr><th scope=\"col\">Class</th><th scope=\"col\">"
                         "Precision</th><th scope=\"col\">Recall</th><th scope=\"col\">F1</th>"
                         "<th scope=\"col\">Samples</th></tr></thead>\n<tbody>\n",
                         rows, "</tbody>\n</table>\n")));
}

}  // namespace weft::detail
