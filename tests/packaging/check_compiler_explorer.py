"""Decodes a link of scripts/compiler_explorer.py and writes what it holds: program.cpp, which includes a header
that is here instead of the one in the web, and options.txt.

    check_compiler_explorer.py <script> <weft> <single header>
"""

import base64
import json
import pathlib
import re
import subprocess
import sys
import urllib.parse

script, weft, header = sys.argv[1:]
address = "https://example.org/a~b/weft.hpp"


def run(*arguments):
    return subprocess.run([sys.executable, script, *arguments], capture_output=True, text=True)


link = run(address).stdout.strip()
state = re.fullmatch(r"https://godbolt\.org/clientstate/([\w%=-]+)", link)[1]
(session,) = json.loads(base64.b64decode(urllib.parse.unquote(state), validate=True))["sessions"]
compiler = session["executors"][0]["compiler"]
assert session["language"] == "c++" and compiler["libs"][0]["name"] == "eigen"
first = (pathlib.Path(weft) / "examples/first.cpp").read_text()
assert session["source"] == first.replace("<weft/weft.hpp>", f"<{address}>") != first
pathlib.Path("program.cpp").write_text(session["source"].replace(f"<{address}>", f'"{header}"'))
pathlib.Path("options.txt").write_text(compiler["options"])

# The page has the same link, and the program's text.
assert run(address, "--page", "first.html").returncode == 0
page = pathlib.Path("first.html").read_text()
assert f'<a href="{link}">' in page and "&lt;weft/weft.hpp&gt;" in page

# What cannot be shown is refused.
quickstart = run(address, f"{weft}/examples/quickstart.cpp")
assert quickstart.returncode != 0 and "nothing else of weft" in quickstart.stderr, quickstart
no_address = run("weft.hpp")
assert no_address.returncode != 0 and "is no address" in no_address.stderr, no_address
