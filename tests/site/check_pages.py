"""The site as a browser shows it, at the width of a phone and of a desk, from a server as on the web.

    check_pages.py SITE [PICTURES]     SITE from scripts/site.sh; exits with 77 where there is no Chromium

Fails where something is wider than the window, the text has less than 0.6 of it on a phone, a cell of a table is
as narrow as a letter, a picture is broken, a page does not say that it fits a phone, or the console has an error.
First pages with these faults are looked at, which all have to be noticed. PICTURES: a folder for a picture of each
page.
"""

import base64
import functools
import http.server
import json
import pathlib
import sys
import tempfile
import threading
import urllib.parse

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import browser  # noqa: E402

PAGES = ["index.html", "performance.html", "testing.html", "getting-started.html", "first.html", "api/index.html",
         "api/structweft_1_1Dense.html", "api/classweft_1_1Trainer.html"]
WIDTHS = [390, 1200]

# What scrolls by itself may hold wider things: code, tables, the tree beside the API. What scrolls the page may not.
MEASURE = """(() => {
    const scrolls = (e) => /auto|scroll|hidden/.test(getComputedStyle(e).overflowX);
    const isHeld = (e) => {
        for (let p = e.parentElement; p && p !== document.body; p = p.parentElement) {
            if (p.id !== 'doc-content' && scrolls(p)) return true;
        }
        return false;
    };
    const name = (e) => e.tagName.toLowerCase() + (e.id ? '#' + e.id : '') + (e.className && e.className.split ? '.' + e.className : '');
    const wide = [...document.body.querySelectorAll('*')].filter((e) => {
        const box = e.getBoundingClientRect();
        return box.width > 0 && box.height > 0 && box.right > innerWidth + 1 && getComputedStyle(e).visibility !== 'hidden' && !isHeld(e);
    });
    const text = document.querySelector('main, #doc-content') || document.body;
    return {
        overflow: Math.max(document.documentElement.scrollWidth, document.body.scrollWidth) - innerWidth,
        wide: wide.slice(0, 3).map(name),
        text: text.getBoundingClientRect().width / innerWidth,
        height: Math.max(document.documentElement.scrollHeight, document.body.scrollHeight),
        broken: [...document.images].filter((i) => !i.complete || i.naturalWidth === 0).map((i) => i.src),
        squeezed: [...document.querySelectorAll('td, th')].filter((e) => {
            const box = e.getBoundingClientRect();
            return e.textContent.trim().length > 3 && box.width > 0 && box.width < 40 && box.height > 70;
        }).slice(0, 3).map((e) => e.textContent.trim().slice(0, 20)),
        fits: Boolean(document.querySelector('meta[name=viewport][content*="width=device-width"]')),
    };
})()"""


def faults_of(tab, address, width):
    """What is wrong with a page, and how high it is."""
    tab.visit(address, width)
    found = tab.run(MEASURE)
    faults = [f"console: {fault}" for fault in tab.faults]
    if found["overflow"] > 0:
        faults.append(f"{found['overflow']} pixels wider than the window")
    faults += [f"{name} is cut off by the window" for name in found["wide"]]
    faults += [f"{text!r} is squeezed into a letter a line" for text in found["squeezed"]]
    faults += [f"{source} is no picture" for source in found["broken"]]
    if width < 800 and found["text"] < 0.6:
        faults.append(f"the text has {found['text']:.2f} of the width, expected 0.6 or more")
    if not found["fits"]:
        faults.append("no meta viewport: phones show it as small as a desk's")
    return faults, found["height"]


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def serve(folder):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


def check_itself(tab):
    """Each planted fault is noticed, and the page without one has none."""
    head = '<!doctype html><meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">'
    planted = {
        "": "",
        "console": "<script>nothing.here()</script>",
        "no picture": '<img src="none.png">',
        "wider": '<div style="width: 2000px">x</div>',
        "cut off": '<div id="doc-content" style="overflow: auto"><p style="width: 2000px">x</p></div>',
        "squeezed": '<table><td style="width: 1px; overflow-wrap: anywhere">letters<td style="width: 100%">x</table>',
        "of the width": '<main style="margin-left: 250px">x</main>',
    }
    with tempfile.TemporaryDirectory() as folder:
        address = serve(folder)
        for number, (fault, body) in enumerate(planted.items()):
            (pathlib.Path(folder) / f"{number}.html").write_text(head + "<p>text</p>" + body)
            faults, _ = faults_of(tab, f"{address}/{number}.html", 390)
            noticed = any(fault in found for found in faults) if fault else not faults
            assert noticed, f"planted {body!r}, found {faults}"


def check_compiler_explorer(tab, address):
    """The page of the first program leads to Compiler Explorer with a header that this site has."""
    tab.visit(f"{address}/first.html", 1200)
    link = tab.run("document.getElementById('compiler-explorer').href")
    host, _, coded = link.partition("/clientstate/")
    state = json.loads(base64.b64decode(urllib.parse.unquote(coded)))
    assert host == "https://godbolt.org", link
    source = state["sessions"][0]["source"]
    assert f"#include <{address}/weft.hpp>\n" in source and "int main()" in source, source
    assert tab.run("fetch('weft.hpp').then(a => a.text()).then(t => t.includes('class Trainer'))")


site = pathlib.Path(sys.argv[1]).resolve()
pictures = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else None
program = browser.find()
if not program:
    print("skipped: there is no Chromium here")
    sys.exit(77)
failed = False
with browser.Browser(program) as tab:
    check_itself(tab)
    address = serve(str(site))
    check_compiler_explorer(tab, address)
    for page in PAGES:
        for width in WIDTHS:
            faults, height = faults_of(tab, f"{address}/{page}", width)
            print(f"{page}, {width} pixels wide: {'; '.join(faults) or 'as it should be'}")
            failed = failed or bool(faults)
            if pictures:
                pictures.mkdir(parents=True, exist_ok=True)
                name = page.replace("/", "-").removesuffix(".html")
                tab.picture(pictures / f"{name}-{width}.png", width, min(height, 4000))
sys.exit(1 if failed else 0)
