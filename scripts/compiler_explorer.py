#!/usr/bin/env python3
"""A link that opens a program in Compiler Explorer, with weft as one header from the web.

    bash scripts/single_header.sh weft.hpp      # which is then put where browsers may fetch it
    python3 scripts/compiler_explorer.py https://<host>/weft.hpp [program.cpp]
    python3 scripts/compiler_explorer.py https://<host>/weft.hpp --page first.html

The program is examples/first.cpp by itself. The link holds it and the compiler's options (Compiler Explorer's
"clientstate": base64 of JSON). The browser fetches the header, so its host has to allow that (CORS).
With --page it is a page with the program and the link.
"""

import argparse
import base64
import html
import json
import pathlib
import re
import sys

root = pathlib.Path(__file__).resolve().parents[1]


def state_of(program, header):
    source, count = re.subn(r"^#include [<\"]weft/weft\.hpp[>\"]$", lambda _: f"#include <{header}>", program, flags=re.M)
    if count != 1 or re.search(r"^#include [<\"]weft/", source, re.M):
        sys.exit("compiler_explorer: a program has to include weft/weft.hpp, and nothing else of weft")
    compiler = {"id": "g122", "libs": [{"name": "eigen", "ver": "340"}], "options": "-std=c++20 -O1"}
    session = {"id": 1, "language": "c++", "source": source, "compilers": [], "executors": [{"compiler": compiler}]}
    return json.dumps({"sessions": [session]}, separators=(",", ":"))


def link_of(program, header):
    # In an address a "/" would end the state, and a "+" would be a blank.
    coded = base64.b64encode(state_of(program, header).encode()).decode().replace("+", "%2B").replace("/", "%2F")
    return f"https://godbolt.org/clientstate/{coded}"


def body_of(name, program, link):
    return (f'<h1>{html.escape(name)}</h1>\n<p><a href="{html.escape(link)}">Open it in Compiler '
            f"Explorer</a></p>\n<pre><code>{html.escape(program)}</code></pre>\n")


def body_of_site(name, program):
    """Of a page beside the header: only the browser knows the address of both, and completes the link."""
    state = json.dumps(state_of(program, "@HEADER@")).replace("</", "<\\/")
    note = ('<p id="no-address" hidden>Compiler Explorer fetches <a href="weft.hpp">weft.hpp</a>, which lies beside '
            "this page: put the site on a server first.</p>\n")
    script = f"""<script>
const state = {state}.replace("@HEADER@", new URL("weft.hpp", location).href);
document.getElementById("compiler-explorer").href =
    "https://godbolt.org/clientstate/" + encodeURIComponent(btoa(String.fromCharCode(...new TextEncoder().encode(state))));
document.getElementById("no-address").hidden = location.protocol !== "file:";
</script>
"""
    body = body_of(name, program, "https://godbolt.org/").replace("<a ", '<a id="compiler-explorer" ', 1)
    return body + note + script


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("header", help="the address of the single header")
    parser.add_argument("program", nargs="?", type=pathlib.Path, default=root / "examples/first.cpp")
    parser.add_argument("--page", type=pathlib.Path, help="writes a page instead of printing the link")
    options = parser.parse_args()
    if not re.fullmatch(r"https?://[^\s<>\"]+", options.header):
        sys.exit(f"compiler_explorer: {options.header} is no address, expected https://...")
    program = options.program.read_text()
    link = link_of(program, options.header)
    if not options.page:
        print(link)
        return
    body = body_of(options.program.name, program, link)
    options.page.write_text('<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
                            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
                            f"<title>{html.escape(options.program.name)}</title>\n{body}</html>\n")


if __name__ == "__main__":
    main()
