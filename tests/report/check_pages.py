"""Reports as a browser shows them: what is on the page, at the width of a phone and of a desk.

    check_pages.py DIR [SCREENSHOTS]      DIR from tests/report/samples.cpp, or any report's parent;
                                          exits with 77 where there is no Chromium

Each page runs in headless Chromium with a script of this test's added, which measures and leaves its
findings in the page; the page's own policy, which would stop it, is taken out for that alone.
"""

import html
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from browser import find  # noqa: E402

MEASURE = """
const all = (selector) => [...document.querySelectorAll(selector)];
const luminance = (colour) => {
    const c = colour.match(/[\\d.]+/g).slice(0, 3).map((v) => v / 255)
        .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2];
};
const contrast = (a, b) => {
    const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (high + 0.05) / (low + 0.05);
};
const ground = getComputedStyle(document.body).backgroundColor;
const captions = all('figcaption').map((e) => ({
    kind: e.className, text: e.textContent, colour: getComputedStyle(e).color}));
const rows = (id) => {
    const section = document.getElementById(id);
    if (!section) return [];
    const tops = [...section.parentElement.querySelectorAll('li')]
        .map((e) => Math.round(e.getBoundingClientRect().top));
    return [...new Set(tops)].map((top) => tops.filter((t) => t === top).length);
};
const texts = all('p, td, th, figcaption, svg text').filter((e) => e.textContent.trim());
const colour = (e) => e.closest('svg') ? getComputedStyle(e).fill : getComputedStyle(e).color;
const font = (e) => {
    const svg = e.closest('svg');
    const scale = svg ? svg.getBoundingClientRect().width / svg.viewBox.baseVal.width : 1;
    return parseFloat(getComputedStyle(e).fontSize) * scale;
};
const result = {
    title: document.title,
    width: innerWidth,
    overflow: document.documentElement.scrollWidth - innerWidth,
    broken: all('img').filter((i) => !i.complete || i.naturalWidth === 0).length,
    images: all('img').length,
    square: all('img').filter((i) => Math.abs(i.clientWidth - i.clientHeight) <= 1).length,
    small_images: all('figure img').filter((i) => i.clientWidth < 28).length,
    scripts: all('script').length,
    requests: performance.getEntriesByType('resource').map((e) => e.name)
        .filter((n) => !n.startsWith('data:')),
    dead_links: all('a').filter((a) => !document.querySelector(a.getAttribute('href'))).length,
    unlabelled: all('img:not([alt]), svg[role=img]:not([aria-label]), .scroll:not([tabindex])')
        .length,
    headings: all('h1, h2, h3').map((e) => +e.tagName[1]),
    least_contrast: Math.min(...texts.map((e) => contrast(colour(e), ground))),
    least_font: Math.min(...texts.map(font)),
    captions: captions,
    bars: all('figure svg').map((e) => [...e.querySelectorAll('rect')].map((r) => ({
        kind: r.className.baseVal, height: r.getBoundingClientRect().height,
        colour: getComputedStyle(r).fill}))),
    grid: rows('grid'), samples: rows('samples'), predictions: rows('predictions'),
};
const output = document.createElement('pre');
output.id = 'measured';
output.textContent = JSON.stringify(result);
document.body.append(output);
"""


def chromium():
    name = find()
    if not name:
        print("skipped: there is no Chromium here")
        sys.exit(77)
    return name


def run(browser, *options):
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
    with tempfile.TemporaryDirectory() as profile:
        done = subprocess.run(
            [*command, f"--user-data-dir={profile}", *options], capture_output=True, timeout=120
        )
    return done.stdout.decode("utf-8")


def measure(browser, page, width, dark):
    """What the script above finds in the page, in a frame of that width."""
    text = page.read_text(encoding="utf-8")
    text, policies = re.subn(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text)
    assert policies == 1, "the page has no policy against scripts and fetches"
    if dark:
        text = text.replace("screen and (prefers-color-scheme:dark)", "screen")
    text = text.replace("</body>", f"<script>onload = () => {{{MEASURE}}};</script></body>")
    with tempfile.TemporaryDirectory() as folder:
        outer = pathlib.Path(folder) / "outer.html"
        # A window has a least width, a frame has not.
        outer.write_text(
            '<!doctype html><meta charset="utf-8">'
            f'<iframe style="width:{width}px;height:900px;border:0" srcdoc="{html.escape(text)}">'
            "</iframe><pre id='found'></pre><script>const frame = document.querySelector('iframe');"
            "const wait = setInterval(() => {"
            "const m = frame.contentDocument.getElementById('measured'); if (!m) return;"
            "clearInterval(wait); found.textContent = m.textContent; frame.remove();}, 20);</script>",
            encoding="utf-8",
        )
        dom = run(browser, "--virtual-time-budget=20000", "--dump-dom", outer.as_uri())
    return json.loads(html.unescape(re.search(r'<pre id="found">(.*?)</pre>', dom, re.S)[1]))


def check(found, width):
    assert found["width"] == width, found["width"]
    assert found["overflow"] <= 0, f"{found['overflow']} pixels wider than the screen"
    assert found["images"] > 0 and found["broken"] == 0
    assert found["square"] == found["images"]
    assert found["small_images"] == 0
    assert found["scripts"] == 1, "a script that is not this test's"
    assert found["requests"] == []
    assert found["dead_links"] == 0 and found["unlabelled"] == 0
    levels = found["headings"]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(levels, levels[1:]))
    # WCAG 2.1, 1.4.3: text stands out from the page by 4.5 to 1.
    assert found["least_contrast"] >= 4.5, found["least_contrast"]
    assert found["least_font"] >= 8.5, found["least_font"]

    kinds = {"right": "\u2713", "wrong": "\u2717"}
    colours = {kind: set() for kind in kinds}
    for caption in found["captions"]:
        if caption["kind"] in kinds:
            assert caption["text"].startswith(kinds[caption["kind"]]), caption
            assert re.search(r"\d+\s%", caption["text"]), caption
            colours[caption["kind"]].add(caption["colour"])
    assert all(len(colour) <= 1 for colour in colours.values())
    red, green, blue = map(int, re.findall(r"\d+", colours["right"].pop())[:3])
    assert blue > green > red, "right predictions are blue"
    for colour in colours["wrong"]:
        red, green, blue = map(int, re.findall(r"\d+", colour)[:3])
        assert red > max(green, blue), "wrong predictions are red"
    for bars in found["bars"]:
        assert [bar["kind"] for bar in bars].count("right") == 1
        highest = max(bars, key=lambda bar: bar["height"])
        assert highest["kind"] in kinds, "the highest bar is the prediction"
        for bar in bars:
            red, green, blue = map(int, re.findall(r"\d+", bar["colour"])[:3])
            if bar["kind"] == "right":
                assert blue > max(red, green), f"the true class is blue: {bar}"
            elif bar["kind"] == "wrong":
                assert red > max(green, blue), f"a wrong prediction is red: {bar}"
            else:
                assert max(red, green, blue) - min(red, green, blue) < 40, f"the rest is grey: {bar}"
    assert found["grid"] == [5] * 5, found["grid"]
    assert sum(found["samples"]) == 15 and sum(found["predictions"]) == 15
    assert found["predictions"] == ([1] * 15 if width < 600 else [3] * 5), found["predictions"]


root = pathlib.Path(sys.argv[1]).resolve()
browser = chromium()
pages = sorted(root.glob("*/index.html"))
assert pages, f"{root}: holds no report"
for page in pages:
    # As XML every tag has to be closed, and every picture's own file too.
    for file in [page, *page.parent.glob("*.svg")]:
        xml.etree.ElementTree.parse(file)
    for width, dark in [(360, False), (1200, False), (1200, True)]:
        found = measure(browser, page, width, dark)
        check(found, width)
        assert found["title"] != "broken"
    if len(sys.argv) > 2:
        for width, height in [(390, 9500), (1200, 5600)]:
            shot = pathlib.Path(sys.argv[2]) / f"{page.parent.name}-{width}.png"
            run(browser, f"--window-size={width},{height}", f"--screenshot={shot}", page.as_uri())
            assert shot.stat().st_size > 10000
    print(f"{page}: {found['images']} pictures, contrast {found['least_contrast']:.1f}")
