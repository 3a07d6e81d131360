"""Charts as SVG: bars of ratios, a roofline, and small multiples of curves.

Colours are Okabe and Ito's, told apart also by the colour-blind; series differ in shape too.
"""

import math
from xml.sax.saxutils import escape

BLUE, ORANGE, GREEN, RED, PURPLE, SKY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9"
SERIES = (BLUE, RED, GREEN, PURPLE, ORANGE, SKY)
INK, FAINT, GRID = "#222222", "#666666", "#DDDDDD"


class Svg:
    """A picture that is drawn element by element."""

    def __init__(self, width, height, title):
        self.elements = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}" font-family="Helvetica, Arial, sans-serif">',
            f"<title>{escape(title)}</title>",
            f'<rect width="{width}" height="{height}" fill="white"/>',
        ]
        self.text(16, 26, title, size=16, weight="bold")

    def text(self, x, y, text, size=12, anchor="start", color=INK, weight="normal", turn=0):
        turned = f' transform="rotate({turn} {x:.1f} {y:.1f})"' if turn else ""
        self.elements.append(
            f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" '
            f'fill="{color}" font-weight="{weight}"{turned}>{escape(str(text))}</text>'
        )

    def line(self, x1, y1, x2, y2, color=INK, width=1.0, dash=""):
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        self.elements.append(
            f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
            f'stroke="{color}" stroke-width="{width}"{dashed}/>'
        )

    def rect(self, x, y, width, height, color):
        self.elements.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{color}"/>'
        )

    def polyline(self, points, color, width=2.0):
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.elements.append(
            f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="{width}"/>'
        )

    def marker(self, x, y, kind, color, size=4.5, label=""):
        """kind: 0 a disc, 1 a square, 2 a triangle, 3 a diamond. The label shows on hovering."""
        hint = f"<title>{escape(label)}</title>" if label else ""
        style = f'fill="{color}" fill-opacity="0.85" stroke="white" stroke-width="0.8"'
        corners = {
            1: ((-1, -1), (1, -1), (1, 1), (-1, 1)),
            2: ((0, -1.3), (1.2, 0.9), (-1.2, 0.9)),
            3: ((0, -1.4), (1.4, 0), (0, 1.4), (-1.4, 0)),
        }
        if kind % 4 == 0:
            shape = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{size}" {style}>{hint}</circle>'
        else:
            path = " ".join(f"{x + size * i:.1f},{y + size * j:.1f}" for i, j in corners[kind % 4])
            shape = f'<polygon points="{path}" {style}>{hint}</polygon>'
        self.elements.append(shape)

    def save(self, path):
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join([*self.elements, "</svg>"]) + "\n")


def log_scale(low, high, start, end):
    """Maps [low, high] to pixels, by the logarithm."""
    factor = (end - start) / math.log(high / low)
    return lambda value: start + factor * math.log(value / low)


def number(value):
    """Short: 0.05, 2, 64, 1k, 1.5M."""
    for limit, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= limit:
            return f"{value / limit:.3g}{letter}"
    return f"{value:.3g}"


def decades(low, high):
    """The powers of ten in [low, high]; with 2 and 5 between them where there are few."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    steps = (1, 2, 5) if math.log10(high / low) < 2.5 else (1,)
    ticks = [step * 10.0**power for power in range(first, last + 1) for step in steps]
    return [tick for tick in ticks if low * 0.999 <= tick <= high * 1.001]


def ratio_bars(path, title, series, axis_label):
    """Bars from 1 to each ratio. series: {name: {row: ratio}}; rows in the order of the first."""
    rows = list(dict.fromkeys(row for values in series.values() for row in values))
    bar, gap = 10, 8
    row_height = bar * len(series) + gap
    left = 24 + max(6.4 * len(row) for row in rows)
    width, top = left + 520, 78
    height = top + row_height * len(rows) + 56
    picture = Svg(width, height, title)

    values = [value for by_row in series.values() for value in by_row.values()]
    low = max(0.02, min(0.5, min(values) / 1.35))
    high = min(50, max(2.0, max(values) * 1.25))
    x_of = log_scale(low, high, left, width - 50)
    legend_x = left
    for index, name in enumerate(series):
        picture.rect(legend_x, 46, 12, 12, SERIES[index])
        picture.text(legend_x + 17, 56, name)
        legend_x += 17 + 7 * len(name) + 26
    bottom = top + row_height * len(rows)
    ticks = [t for t in (0.02, 0.05, 0.1, 0.2, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10, 20, 50) if low <= t <= high]
    previous = -100
    for tick in ticks:
        x = x_of(tick)
        if tick != 1:
            picture.line(x, top - 6, x, bottom, GRID)
        if x - previous > 26 or tick == 1:
            picture.text(x, bottom + 16, f"{tick:g}", size=11, anchor="middle")
            previous = x
    for index, row in enumerate(rows):
        y = top + index * row_height
        picture.text(left - 8, y + (bar * len(series)) / 2 + 4, row, size=11, anchor="end")
        for place, by_row in enumerate(series.values()):
            if row not in by_row:
                continue
            ratio = by_row[row]
            x = x_of(min(max(ratio, low), high))
            start, end = sorted((x_of(1), x))
            picture.rect(start, y + place * bar, max(end - start, 1), bar - 1, SERIES[place])
            anchor, offset = ("start", 4) if ratio >= 1 else ("end", -4)
            picture.text(x + offset, y + place * bar + bar - 2, f"{ratio:.2f}", 9, anchor, FAINT)
    picture.line(x_of(1), top - 6, x_of(1), bottom, INK, 1.5)
    picture.text((left + width - 50) / 2, bottom + 38, axis_label, anchor="middle")
    picture.save(path)


def roofline(path, title, peak_gflops, bandwidths, groups):
    """bandwidths: {name: GB/s}; groups: {name: [(FLOP/byte, GFLOP/s, label)]}."""
    points = [point for group in groups.values() for point in group]
    width, height, left, right, top, bottom = 860, 540, 74, 190, 50, 58
    x_low = min(0.2, min(p[0] for p in points) / 1.5)
    x_high = max(500, max(p[0] for p in points) * 1.5)
    y_low = min(peak_gflops / 20, min(p[1] for p in points) / 1.5)
    y_high = max(peak_gflops, max(p[1] for p in points))
    y_high *= (y_high / y_low) ** 0.12  # room for what is written above the line
    x_of = log_scale(x_low, x_high, left, width - right)
    y_of = log_scale(y_low, y_high, height - bottom, top)
    picture = Svg(width, height, title)
    for tick in decades(x_low, x_high):
        picture.line(x_of(tick), top, x_of(tick), height - bottom, GRID)
        picture.text(x_of(tick), height - bottom + 17, number(tick), 11, "middle")
    for tick in decades(y_low, y_high):
        picture.line(left, y_of(tick), width - right, y_of(tick), GRID)
        picture.text(left - 7, y_of(tick) + 4, number(tick), 11, "end")
    picture.line(x_of(x_low), y_of(peak_gflops), width - right, y_of(peak_gflops), INK, 2)
    picture.text(width - right - 6, y_of(peak_gflops) - 7,
                 f"multiply-adds: {peak_gflops:.0f} GFLOP/s", 12, "end")
    slope = math.atan2((height - bottom - top) / math.log(y_high / y_low),
                       (width - right - left) / math.log(x_high / x_low))
    for index, (name, gbs) in enumerate(bandwidths.items()):
        start = max(x_low, y_low / gbs)
        ridge = peak_gflops / gbs
        if ridge <= start:
            continue
        dash = "" if index == 0 else "7 4"
        picture.line(x_of(start), y_of(start * gbs), x_of(ridge), y_of(peak_gflops), INK, 2, dash)
        middle = math.sqrt(start * ridge)
        picture.text(x_of(middle) - 8 * math.sin(slope), y_of(middle * gbs) - 8 * math.cos(slope),
                     f"{name}: {gbs:.0f} GB/s", 12, "middle", turn=round(-math.degrees(slope), 1))
    for index, (name, group) in enumerate(groups.items()):
        for intensity, gflops, label in group:
            picture.marker(x_of(intensity), y_of(gflops), index, SERIES[index % 6],
                           label=f"{label}: {gflops:.1f} GFLOP/s")
        y = top + 24 + 22 * index
        picture.marker(width - right + 22, y - 4, index, SERIES[index % 6])
        picture.text(width - right + 34, y, name)
    picture.text((left + width - right) / 2, height - 16,
                 "arithmetic intensity, FLOP per byte that must be moved", anchor="middle")
    picture.text(20, (top + height - bottom) / 2, "GFLOP/s", anchor="middle", turn=-90)
    picture.save(path)


def curves(path, title, panels, columns):
    """Small multiples, log-log. panels: [(title, x label, y label, {name: [(x, y)]})]."""
    cell_width, cell_height = 330, 240
    rows = math.ceil(len(panels) / columns)
    picture = Svg(columns * cell_width + 20, rows * cell_height + 50, title)
    for index, (name, x_label, y_label, lines) in enumerate(panels):
        draw_panel(picture, 10 + index % columns * cell_width, 40 + index // columns * cell_height,
                   cell_width, cell_height, name, x_label, y_label, lines)
    picture.save(path)


def draw_panel(picture, x0, y0, cell_width, cell_height, name, x_label, y_label, lines):
    left, right, top, bottom = x0 + 58, x0 + cell_width - 52, y0 + 26, y0 + cell_height - 46
    points = [point for line in lines.values() for point in line]
    xs, ys = sorted({x for x, _ in points}), [y for _, y in points]
    low, high = min(ys), max(ys)
    if high / low < 4:  # room for at least two ticks
        low, high = low / 2, high * 2
    x_of = log_scale(xs[0], max(xs[-1], xs[0] * 1.01), left, right)
    y_of = log_scale(low / 1.15, high * 1.15, bottom, top)
    picture.text((left + right) / 2, y0 + 14, name, 12.5, "middle", weight="bold")
    for tick in decades(low / 1.15, high * 1.15):
        picture.line(left, y_of(tick), right, y_of(tick), GRID)
        picture.text(left - 5, y_of(tick) + 4, number(tick), 10, "end")
    previous = -100
    for x in xs:
        picture.line(x_of(x), bottom, x_of(x), bottom + 4, INK)
        if x_of(x) - previous > 24:
            picture.text(x_of(x), bottom + 16, number(x) if x >= 10000 else f"{x:g}", 10, "middle")
            previous = x_of(x)
    picture.line(left, bottom, right, bottom)
    picture.line(left, top, left, bottom)
    ends = []
    for index, (label, line) in enumerate(lines.items()):
        placed = [(x_of(x), y_of(y)) for x, y in line]
        picture.polyline(placed, SERIES[index])
        for (x, y), (value, measured) in zip(placed, line):
            picture.marker(x, y, index, SERIES[index], 3.5, f"{label}, {value:g}: {number(measured)}")
        ends.append([placed[-1][1], label, SERIES[index]])
    ends.sort()
    for above, below in zip(ends, ends[1:]):
        below[0] = max(below[0], above[0] + 13)
    for y, label, color in ends:
        picture.text(right + 7, y + 4, label, 11, color=color, weight="bold")
    picture.text((left + right) / 2, bottom + 33, x_label, 11, "middle")
    picture.text(x0 + 13, (top + bottom) / 2, y_label, 11, "middle", turn=-90)
