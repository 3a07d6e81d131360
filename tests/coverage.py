"""Prints what llvm-cov counted, per folder of include/weft and src, and every place that no test reaches.

    python3 tests/coverage.py coverage.json <weft> [folder]...

coverage.json is written by `llvm-cov export`. A template has one function for each of its instances: a line or one
side of a branch is covered when it is in any of them. Exits with 0 whatever is covered.
"""

import collections
import json
import sys
from pathlib import Path

CODE = 0  # the kind of region that is code, neither a gap nor an expanded macro


def read(path, root):
    """For each file below root/include/weft and root/src: {region: count} and {branch: (times true, times false)}, keyed by place."""
    regions = collections.defaultdict(collections.Counter)
    branches = collections.defaultdict(lambda: collections.defaultdict(lambda: [0, 0]))
    roots = root / "include/weft", root / "src"
    is_ours = lambda file: any(file.is_relative_to(folder) for folder in roots)
    for function in json.loads(path.read_text())["data"][0]["functions"]:
        files = [Path(name).resolve() for name in function["filenames"]]
        for *place, count, file, _, kind in function["regions"]:
            if kind == CODE and is_ours(files[file]):
                regions[files[file]][tuple(place)] += count
        for *place, count_true, count_false, file, _, _ in function["branches"]:
            if is_ours(files[file]):
                sides = branches[files[file]][tuple(place)]
                sides[0] += count_true
                sides[1] += count_false
    return regions, branches


def contains(outer, inner):
    return outer[:2] <= inner[:2] and inner[2:] <= outer[2:]


def lines_of(regions):
    """{line: whether it ran}: by a region that begins on it, else by the innermost around it."""
    ran = {}
    for (first, _, last, _), count in sorted(regions.items(), key=lambda item: item[0][0] - item[0][2]):
        for line in range(first, last + 1):  # larger regions first, so inner ones overwrite them
            ran[line] = count > 0
    for (first, *_), count in regions.items():
        ran[first] = ran[first] or count > 0
    return ran


def is_forbidden(region, source):
    """Whether a region is there to say that nothing comes to it."""
    first, _, last, _ = region
    return last - first < 4 and any("assert(false" in line for line in source[first - 1 : last])


def is_whole_switch(place, source):
    """Whether a branch is that of a switch to none of its cases, which compilers warn of."""
    return source[place[0] - 1][: place[1] - 1].endswith("switch (")


def main():
    root = Path(sys.argv[2]).resolve()
    regions, branches = read(Path(sys.argv[1]), root)
    totals = collections.defaultdict(lambda: [0, 0, 0, 0])  # lines, those that ran, sides, those taken
    missing = []
    for file, of_file in sorted(regions.items()):
        name = file.relative_to(root)
        if name.is_relative_to("include/weft"):
            name = name.relative_to("include/weft")
        # With the folders in it; sources of a part count in its folder of headers.
        folder = name.parts[1] if name.is_relative_to("src") else name.parts[0]
        names = name, name.relative_to("src") if name.is_relative_to("src") else name
        wanted = [Path(only) for only in sys.argv[3:]]
        if wanted and not any(only in (each, *each.parents) for each in names for only in wanted):
            continue
        source = file.read_text().splitlines()
        forbidden = [region for region in of_file if is_forbidden(region, source)]
        forbidden_lines = {line for first, _, last, _ in forbidden for line in range(first, last + 1)}
        of_file = {region: count for region, count in of_file.items() if region not in forbidden}
        ran = lines_of(of_file)
        totals[folder][0] += len(ran)
        totals[folder][1] += sum(ran.values())
        never = sorted(line for line, did in ran.items() if not did)
        for line in never:
            missing.append((str(name), line, 0, "never runs: " + source[line - 1].strip()))
        for place, sides in branches[file].items():
            if place[0] in forbidden_lines:
                continue
            around = [region for region in of_file if contains(region, place)]
            reached = of_file[max(around, key=lambda region: (region[:2], (-region[2], -region[3])))] if around else 0
            if reached and sides == [0, 0]:
                continue  # a constant of every instance
            if source[place[0] - 1].rstrip().endswith("= default;") or is_whole_switch(place, source):
                continue  # a comparison that the compiler wrote, a default that cannot be
            totals[folder][2] += 2
            totals[folder][3] += sum(count > 0 for count in sides)
            text = source[place[0] - 1][place[1] - 1 : place[3] - 1 if place[0] == place[2] else None]
            for side, count in zip(("true", "false"), sides):
                if count == 0 and place[0] not in never:
                    missing.append((str(name), place[0], place[1], f"never {side}: {text}"))

    def row(label, lines, ran, sides, taken):
        def share(part, whole):
            return f"{100 * part / whole:6.1f} %" if whole else "        "

        print(f"{label:32} {ran:6} of {lines:6}{share(ran, lines)} {taken:7} of {sides:6}{share(taken, sides)}")

    print(f"{'folder of include/weft and src':32} {'lines':>16} {'':8} {'branches':>14}")
    for folder, counts in sorted(totals.items()):
        row(folder, *counts)
    row("all", *(sum(column) for column in zip(*totals.values())))
    for name, line, column, complaint in sorted(missing):
        print(f"{name}:{line}: {complaint}")


main()
