/// \file
/// Sheets: pictures with captions in rows and columns, in a page and as a file.
#pragma once

#include "chart.hpp"
#include "picture.hpp"

namespace weft::detail {

/// One picture of a sheet.
struct Cell {
    Tensor<std::uint8_t> pixels;  ///< (H, W, 1 or 3)
    std::string text;             ///< description for those who cannot see it
    std::string caption;
    std::string kind;    ///< "right", "wrong" or nothing: the caption's colour and mark
    Drawing chart = {};  ///< beside the picture; none if empty
    std::string chart_text = {};
};

/// A sheet. Its layout in a page is a class of the stylesheet: "wide", "narrow" or "small" cells,
/// as many in a row as there is room for, or "five", always five.
struct Sheet {
    std::string title;
    std::size_t columns = 5;  ///< of the file
    std::string_view layout = "narrow";
    std::vector<Cell> cells = {};
};

inline std::string_view caption_mark(std::string_view kind) {
    return kind == "right" ? "&#10003; " : kind == "wrong" ? "&#10007; " : "";
}

/// The sheet as a list of figures.
inline std::string sheet_html(const Sheet& sheet) {
    std::string html = concat("<ul class=\"sheet ", sheet.layout, "\" aria-label=\"",
                              escaped(sheet.title), "\">\n");
    for (const Cell& cell : sheet.cells) {
        html += concat("<li><figure><div><img src=\"", data_uri(cell.pixels), "\" width=\"",
                       cell.pixels.shape()[1], "\" height=\"", cell.pixels.shape()[0], "\" alt=\"",
                       escaped(cell.text), "\"/>");
        if (!cell.chart.elements.empty()) html += inline_svg(cell.chart, cell.chart_text);
        html += "</div><figcaption";
        if (!cell.kind.empty()) html += concat(" class=\"", cell.kind, "\"");
        html += concat(">", caption_mark(cell.kind), escaped(cell.caption),
                       "</figcaption></figure></li>\n");
    }
    return html + "</ul>\n";
}

/// The sheet as a drawing.
inline Drawing sheet_drawing(const Sheet& sheet) {
    constexpr double picture = 100, chart = 170, gap = 12, caption = 20, top = 34;
    const bool charts = !sheet.cells.empty() && !sheet.cells[0].chart.elements.empty();
    const double cell_width = picture + (charts ? chart + gap : 0);
    const double cell_height = picture + caption;
    const std::size_t columns =
        (std::min)(sheet.columns, (std::max<std::size_t>)(sheet.cells.size(), 1));
    std::string elements =
        concat("<text class=\"title\" x=\"", gap, "\" y=\"22\">", escaped(sheet.title), "</text>");
    for (std::size_t i = 0; i < sheet.cells.size(); ++i) {
        const Cell& cell = sheet.cells[i];
        const std::size_t row = i / columns, column = i % columns;
        const double x = gap + static_cast<double>(column) * (cell_width + 2 * gap);
        const double y = top + static_cast<double>(row) * (cell_height + gap);
        elements += concat("<image x=\"", x, "\" y=\"", y, "\" width=\"", picture, "\" height=\"",
                           picture, "\" href=\"", data_uri(cell.pixels), "\"><title>",
                           escaped(cell.text), "</title></image>\n");
        if (charts) {
            elements += concat("<svg x=\"", x + picture + gap, "\" y=\"", y, "\" width=\"", chart,
                               "\" height=\"", picture, "\" viewBox=\"0 0 ", cell.chart.width, " ",
                               cell.chart.height, "\">", cell.chart.elements, "</svg>\n");
        }
        const std::size_t letters = static_cast<std::size_t>(cell_width / 6.5);
        elements +=
            concat("<text class=\"caption", cell.kind.empty() ? "" : " ", cell.kind, "\" x=\"", x,
                   "\" y=\"", y + picture + 15, "\">", caption_mark(cell.kind),
                   escaped(shortened(cell.caption, letters)), "</text>\n");
    }
    const std::size_t rows = (sheet.cells.size() + columns - 1) / columns;
    return {static_cast<double>(columns) * (cell_width + 2 * gap),
            top + static_cast<double>(rows) * (cell_height + gap), elements};
}

}  // namespace weft::detail
