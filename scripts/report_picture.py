#!/usr/bin/env python3
"""Draws a report's page as a picture: whole sections, in columns, in a window of a fixed width. Needs Chromium,
and pngquant, which leaves 128 colours of a picture.

    bash examples/fashion_mnist/run.sh --model cnn --epochs 5 --validation-split 0.2 --report report
    python3 scripts/report_picture.py report/index.html docs/report.png
    python3 scripts/report_picture.py report/index.html docs/report-page.png --width 3300 --scale 0.55 \\
        --sections summary,curves,confusion/classes,grid,samples/predictions,mistakes,filters

A / begins a column; all are equally wide. The sections of a page are the addresses of its links, such as #curves.
"""

import argparse
import pathlib
import subprocess
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "tests/support"))
import browser  # noqa: E402

# Sections stay whole; what is not asked for, and the links to it, are left out.
ARRANGE = """((columns) => {
    const main = document.querySelector('main');
    const chosen = columns.map((ids) => ids.map((id) => {
        const heading = document.getElementById(id);
        if (!heading) throw new Error('the page has no section ' + id);
        return heading.closest('section');
    }));
    main.replaceChildren(...chosen.map((sections) => {
        const column = document.createElement('div');
        column.append(...sections);
        return column;
    }));
    document.querySelectorAll('nav, footer, .skip').forEach((e) => e.remove());
    document.body.style.maxWidth = 'none';
    main.style.cssText = `display: grid; grid-template-columns: repeat(${columns.length}, minmax(0, 1fr)); gap: 2.5rem`;
    document.querySelectorAll('main > div > section:first-child > h2').forEach((e) => { e.style.marginTop = '0'; });
    return Math.ceil(document.body.getBoundingClientRect().height);
})"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("page", type=pathlib.Path)
    parser.add_argument("picture", type=pathlib.Path)
    parser.add_argument("--sections", default="summary,curves/predictions")
    parser.add_argument("--width", type=int, default=2200, help="of the window, in pixels")
    parser.add_argument("--scale", type=float, default=0.65, help="of the picture")
    options = parser.parse_args()
    program = browser.find()
    if not program:
        sys.exit("report_picture: there is no Chromium")
    columns = [part.split(",") for part in options.sections.split("/")]
    with browser.Browser(program) as tab:
        tab.visit(options.page.resolve().as_uri(), options.width)
        height = tab.run(f"{ARRANGE}({columns!r})")
        tab.picture(options.picture, options.width, height, options.scale)
    subprocess.run(["pngquant", "--force", "--strip", "--output", options.picture, "128", options.picture], check=True)
    print(f"{options.picture}: {options.width} x {height} pixels of the page, {options.picture.stat().st_size} bytes")


if __name__ == "__main__":
    main()
