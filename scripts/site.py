"""Makes the site of weft's guides: README.md and docs/*.md as pages, beside them the API reference, the files
of the tree that pages link to, and the first program's page for Compiler Explorer. Called by scripts/site.sh:
    site.py <source> <site>

Fails where a link of a page leads nowhere.
"""

import html
import pathlib
import re
import shutil
import sys
import urllib.parse
import xml.etree.ElementTree

import markdown

import compiler_explorer

root, site = (pathlib.Path(p).resolve() for p in sys.argv[1:3])
template = (root / "docs/site/page.html").read_text()
# In the order of the README's list.
pages = [root / "README.md"]
pages += [root / name for name in re.findall(r"^- .*?\]\((\S+\.md)\)", pages[0].read_text(), re.M)]
pages += [page for page in sorted((root / "docs").glob("*.md")) if page not in pages]
pages += [root / ".github/CONTRIBUTING.md", root / ".github/SECURITY.md"]
faults = []
sources = set()
made = ["first.html", "weft.hpp"]  # for the site alone
api_pages = {}
for found in xml.etree.ElementTree.parse(site / "api.tag").iterfind("compound[@kind='file']"):
    api_pages[root / "include" / found.findtext("path") / found.findtext("name")] = found.findtext("filename")


def slug(text, _separator):
    """As hosts of repositories name headings."""
    return re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")


def address(file):
    """Where a file of the tree is in the site."""
    if file == root / "README.md":
        return site / "index.html"
    if file.suffix == ".md":
        return site / (file.stem.lower() + ".html")
    if file.is_file() and file.suffix in (".svg", ".png"):
        return site / "pictures" / file.relative_to(root)
    if file in api_pages:
        return site / "api" / api_pages[file]
    return site / "source" / (str(file.relative_to(root)) + ("/index.html" if file.is_dir() else ".html"))


def relative(target, folder):
    up = 0
    while not target.is_relative_to(folder):
        folder = folder.parent
        up += 1
    return "../" * up + str(target.relative_to(folder))


def link(target, file, page):
    """The address that stands for `target` in the page made of `file`."""
    if re.match(r"[a-z]+:", target):
        return target
    path, _, anchor = target.partition("#")
    if target in made:
        return relative(site / target, page.parent)
    found = (file.parent / urllib.parse.unquote(path)).resolve() if path else file
    if not found.exists() or not found.is_relative_to(root):
        faults.append(f"{file.relative_to(root)}: {target} leads nowhere")
        return target
    to = address(found)
    if to.is_relative_to(site / "source"):
        sources.add(found)
    elif to.is_relative_to(site / "pictures"):
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(found, to)
    return relative(to, page.parent) + (f"#{anchor}" if anchor else "")


def write(page, title, body, here):
    entries = []
    for file in pages:
        name = titles[file]
        current = ' aria-current="page"' if file == here else ""
        entries.append(f'<a href="{relative(address(file), page.parent)}"{current}>{html.escape(name)}</a>')
    text = template.replace("@TITLE@", html.escape(title)).replace("@BODY@", body)
    text = text.replace("@PAGES@", "\n".join(entries)).replace("@API@", relative(site / "api/index.html", page.parent))
    text = text.replace("@HOME@", relative(site / "index.html", page.parent))
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(text)


titles = {file: re.search(r"^# (.+)", file.read_text(), re.M)[1] for file in pages}
for file in pages:
    page = address(file)
    maker = markdown.Markdown(extensions=["tables", "fenced_code", "toc", "sane_lists"],
                              extension_configs={"toc": {"slugify": slug}})
    # What links to pages that only the site has is a comment elsewhere.
    body = maker.convert(re.sub(r"<!-- in the site: (.*?) -->", r"\1", file.read_text(), flags=re.S))
    body = re.sub(r'(<a href|<img [^>]*?src)="([^"]+)"',
                  lambda m: f'{m[1]}="{html.escape(link(html.unescape(m[2]), file, page))}"', body)
    body = body.replace("\\|", "|")  # as a table has to have it in code
    body = body.replace("<table>", '<div class="wide"><table>').replace("</table>", "</table></div>")
    write(page, titles[file], body, file)

# The first program, for Compiler Explorer, with the header beside it.
first = root / "examples/first.cpp"
write(site / "first.html", first.name, compiler_explorer.body_of_site(first.name, first.read_text()), None)

for source in sorted(sources):
    name = str(source.relative_to(root))
    if source.is_dir():
        body = f"<h1>{html.escape(name)}</h1><ul>" + "".join(
            f"<li>{html.escape(entry.name)}</li>" for entry in sorted(source.iterdir())) + "</ul>"
    else:
        body = f"<h1>{html.escape(name)}</h1><pre><code>{html.escape(source.read_text(errors='replace'))}</code></pre>"
    write(address(source), name, body, None)

# Anchors are known once all pages are there.
for page in site.glob("*.html"):
    for target in re.findall(r'href="([^":]+#[^"]+|[^":#]+\.html)"', page.read_text()):
        path, _, anchor = html.unescape(target).partition("#")
        to = (page.parent / path).resolve() if path else page
        if not to.exists():
            faults.append(f"{page.name}: there is no {path}")
        elif anchor and f'id="{anchor}"' not in to.read_text():
            faults.append(f"{page.name}: {path} has no heading {anchor}")

print("\n".join(sorted(set(faults))) or f"{len(pages)} pages, {len(sources)} files that they show", file=sys.stderr)
sys.exit(1 if faults else 0)
