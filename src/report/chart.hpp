/// \file
/// Charts as SVG: curves over the epochs, and bars of probabilities.
#pragma once

#include "markup.hpp"

#include <vector>

namespace weft::detail {

/// A drawing with its size in its own units. Its elements have classes; the stylesheet of the page
/// or file colours them.
struct Drawing {
    double width = 0;
    double height = 0;
    std::string elements;
};

/// The drawing in a page, with a text for those who cannot see it.
inline std::string inline_svg(const Drawing& drawing, std::string_view text) {
    return concat("<svg role=\"img\" viewBox=\"0 0 ", drawing.width, " ", drawing.height,
                  "\" aria-label=\"", escaped(text), "\">", drawing.elements, "</svg>\n");
}

/// Round numbers that cover low ... high, about `count` of them: steps of 1, 2 or 5 times a power
/// of ten, at least `least_step`.
inline std::vector<double> axis_ticks(double low, double high, int count, double least_step = 0) {
    // Not so small that steps round to 0.
    const double largest = (std::max)(std::abs(low), std::abs(high));
    const double rough = (std::max)({(high - low) / count, 1e-12 * largest, 1e-300});
    const double power = std::pow(10, std::floor(std::log10(rough)));
    const double factor = rough / power;
    const double nice = power * (factor <= 1 ? 1 : factor <= 2 ? 2 : factor <= 5 ? 5 : 10);
    const double step = (std::max)(least_step, nice);
    std::vector<double> ticks;
    for (double tick = std::ceil(low / step - 1e-9); tick * step <= high + 1e-9 * step; ++tick) {
        ticks.push_back(tick * step);
    }
    return ticks;
}

/// Whether a chart can show the number: finite, and small enough to add a margin without overflow.
inline bool can_be_drawn(double number) { return std::abs(number) < 1e300; }

/// One line of a chart: a number per epoch, and a name in the legend or none. Numbers that are not
/// finite are gaps in the line.
struct Curve {
    std::string name;
    std::vector<double> values;
};

/// The places of a chart's numbers in its drawing: x is the epoch, from 1.
class CurveAxes {
public:
    static constexpr double width = 440, height = 306, left = 66, right = 14, top = 52, bottom = 46;

    explicit CurveAxes(const std::vector<Curve>& curves) {
        bool any = false;
        for (const Curve& curve : curves) {
            epochs_ = (std::max)(epochs_, curve.values.size());
            for (const double value : curve.values) {
                if (!can_be_drawn(value)) continue;
                low_ = any ? (std::min)(low_, value) : value;
                high_ = any ? (std::max)(high_, value) : value;
                any = true;
            }
        }
        const double margin = (std::max)((high_ - low_) * 0.06, 1e-3 * std::abs(high_));
        low_ -= margin > 0 ? margin : 0.5;
        high_ += margin > 0 ? margin : 0.5;
    }

    std::size_t epochs() const { return epochs_; }

    double x(double epoch) const {
        const double span = width - left - right;
        const auto last = static_cast<double>(epochs_);
        return epochs_ < 2 ? left + span / 2
                           : left + span * (0.02 + 0.96 * (epoch - 1) / (last - 1));
    }
    double y(double value) const {
        const double share = (value - low_) / (high_ - low_);
        return height - bottom - (height - top - bottom) * share;
    }

    /// Frame, ticks and names of both axes.
    std::string elements(std::string_view title) const {
        std::string svg = concat("<text class=\"title\" x=\"", left, "\" y=\"18\">",
                                 escaped(shortened(title, 40)), "</text>");
        for (const double tick : axis_ticks(low_, high_, 5)) {
            const std::string at = fixed(y(tick), 1);
            svg += concat("<line class=\"mesh\" x1=\"", left, "\" x2=\"", width - right, "\" y1=\"",
                          at, "\" y2=\"", at, "\"/><text class=\"tick end\" x=\"", left - 6,
                          "\" y=\"", fixed(y(tick) + 4, 1), "\">", label(tick), "</text>");
        }
        const auto last = static_cast<double>((std::max<std::size_t>)(epochs_, 1));
        for (const double tick : axis_ticks(1, last, 8, 1)) {
            svg += concat("<text class=\"tick middle\" x=\"", fixed(x(tick), 1), "\" y=\"",
                          height - bottom + 17, "\">", tick, "</text>");
        }
        return svg + concat("<text class=\"tick middle\" x=\"", (left + width - right) / 2,
                            "\" y=\"", height - 6, "\">epoch</text><path class=\"axis\" d=\"M",
                            left, " ", top, "V", height - bottom, "H", width - right, "\"/>");
    }

private:
    /// A tick without rounding errors: 0.30000000000000004 as 0.3.
    std::string label(double tick) const {
        char text[32];
        const double shown = std::abs(tick) < 1e-9 * (high_ - low_) ? 0 : tick;
        const auto end =
            std::to_chars(text, text + sizeof text, shown, std::chars_format::general, 5).ptr;
        return {text, end};
    }

    std::size_t epochs_ = 0;
    double low_ = 0, high_ = 0;
};

/// One curve, with a mark at each epoch if there are few, and its line of the legend. Curves differ
/// in colour, dashes and shape of marks.
inline std::string curve_elements(const CurveAxes& axes, const Curve& curve, std::size_t number) {
    const auto is_number = [&](std::size_t i) {
        return i < curve.values.size() && can_be_drawn(curve.values[i]);
    };
    const auto mark = [&](double x, double y, std::string_view text) {
        const std::string title = text.empty() ? "" : concat("<title>", text, "</title>");
        if (number == 0) {
            return concat("<circle class=\"mark", number, "\" cx=\"", fixed(x, 1), "\" cy=\"",
                          fixed(y, 1), "\" r=\"3.5\">", title, "</circle>");
        }
        return concat("<rect class=\"mark", number, "\" x=\"", fixed(x - 3.5, 1), "\" y=\"",
                      fixed(y - 3.5, 1), "\" width=\"7\" height=\"7\">", title, "</rect>");
    };
    std::string path, marks;
    for (std::size_t i = 0; i < curve.values.size(); ++i) {
        if (!is_number(i)) continue;
        const double x = axes.x(static_cast<double>(i + 1)), y = axes.y(curve.values[i]);
        const bool follows = i > 0 && is_number(i - 1);
        path += concat(follows ? "L" : "M", fixed(x, 1), " ", fixed(y, 1));
        if (axes.epochs() <= 30 || (!follows && !is_number(i + 1))) {
            marks += mark(x, y,
                          concat(escaped(curve.name), curve.name.empty() ? "epoch " : ", epoch ",
                                 i + 1, ": ", fixed(curve.values[i], 4)));
        }
    }
    if (!path.empty()) path = concat("<path class=\"curve", number, "\" d=\"", path, "\"/>");
    if (curve.name.empty()) return path + marks;
    const double x = CurveAxes::left + 122 * static_cast<double>(number);
    return path + marks +
           concat("<path class=\"curve", number, "\" d=\"M", x, " 36h26\"/>", mark(x + 13, 36, ""),
                  "<text class=\"tick\" x=\"", x + 32, "\" y=\"40\">", escaped(curve.name),
                  "</text>");
}

/// A chart of up to two curves over the same epochs.
inline Drawing line_chart(std::string_view title, const std::vector<Curve>& curves) {
    const CurveAxes axes(curves);
    std::string elements = axes.elements(title);
    for (std::size_t i = 0; i < curves.size(); ++i) {
        elements += curve_elements(axes, curves[i], i);
    }
    return {CurveAxes::width, CurveAxes::height, elements};
}

/// A bar per class, as high as its probability: the true class is blue with a tick above, a wrong
/// prediction red with a cross, the rest grey.
inline Drawing probability_bars(TensorView<const float> probabilities, Index predicted,
                                Index label) {
    constexpr double width = 200, top = 18, base = 104;
    const double step = width / static_cast<double>(probabilities.size());
    std::string elements = concat("<path class=\"axis\" d=\"M0 ", base, "H", width, "\"/>");
    for (Index c = 0; c < probabilities.size(); ++c) {
        const auto p = static_cast<double>(probabilities[c]);
        const double height = std::isnan(p) ? 0 : (base - top) * std::clamp(p, 0.0, 1.0);
        const bool marked = c == label || c == predicted;
        const std::string_view kind = c == label ? "right" : c == predicted ? "wrong" : "rest";
        const double middle = (static_cast<double>(c) + 0.5) * step;
        elements += concat("<rect class=\"", kind, "\" x=\"", fixed(middle - 0.41 * step, 2),
                           "\" y=\"", fixed(base - height, 2), "\" width=\"", fixed(0.82 * step, 2),
                           "\" height=\"", fixed(height, 2), "\"/>");
        if (marked) {
            elements += concat("<text class=\"", kind, " middle\" x=\"", fixed(middle, 2),
                               "\" y=\"", fixed(base - height - 4, 2), "\">",
                               c == label ? "&#10003;" : "&#10007;", "</text>");
        }
        if (marked || probabilities.size() <= 12) {
            elements += concat("<text class=\"tick middle\" x=\"", fixed(middle, 2), "\" y=\"",
                               base + 14, "\">", c, "</text>");
        }
    }
    return {width, base + 20, elements};
}

}  // namespace weft::detail
