#!/usr/bin/env python3
"""Spoils the CUDA path in one place at a time, and shows which test notices.

    python3 tests/cuda_sim/mutate.py                     # all places
    python3 tests/cuda_sim/mutate.py --list              # what there is to spoil
    python3 tests/cuda_sim/mutate.py --only reduce.cuh   # places, kinds or texts that have this regex
    python3 tests/cuda_sim/mutate.py --exceptions        # those that no test can notice, and why

All places are spoilt at once in copies of the files, each behind a switch: `a < b` becomes
`(spoilt(7) ? (a <= b) : (a < b))`. So the kernels and their tests are compiled once, for the
simulator, and a place is spoilt by an environment variable. First each test case runs by itself where
nothing is spoilt, and its time and the switches that it asked are recorded. Then each place is asked
of the cases that reach it, the quick ones first. A case that fails, aborts, or takes ten times as
long, has noticed. Results are kept in the folder, so a run that was stopped goes on where it was; what
was noticed is not asked again until its file changes. It is run by hand. It ends with 1 if a place
was not noticed that is not among the EXCEPTIONS of mutate_rules.py, where the rules are too.
"""

import argparse
import collections
import concurrent.futures
import dataclasses
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import time
import xml.etree.ElementTree

import mutate_rules as rules

root = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(root / "tests" / "mutation"))
from spoilt import MOST_PLACES, SWITCH, ask, build_program, write_if_changed


@dataclasses.dataclass
class Place:
    """What can be spoilt: the text [begin, end) of a file; or more of them, which belong together."""

    file: str
    line: int
    kind: str
    what: str
    edits: list  # (begin, end, text with {s} for the switch's condition)
    at: str  # the code from the beginning of its line on
    number: int = 0

    def name(self):
        return f"{self.file}:{self.line}: {self.kind}: {self.what}"


def one_line(text):
    return re.sub(r"\s+", " ", text).strip()


# ---- Places ------------------------------------------------------------------------------------------


def masked(text):
    """The text with comments and strings blanked, at the same places."""
    blank = lambda match: re.sub(r"[^\n]", " ", match.group())
    return re.sub(r'//[^\n]*|"[^"\n]*"', blank, text)


def operand_end(code, at, step):
    """Where an operand of a comparison ends, to the right (step 1) or left (-1) of a place."""
    opening, closing = ("([{", ")]}") if step > 0 else (")]}", "([{")
    depth = 0
    while 0 <= at < len(code):
        c = code[at]
        if depth == 0:
            rest = code[at : at + 2] if step > 0 else code[at - 1 : at + 1]
            if c in closing or c in ",;?{}" or rest in ("&&", "||"):
                break
            if c == ":" and ":" not in (code[at - 1], code[at + 1]):
                break
            if c == "=" or (step < 0 and c == "!"):
                break
            if step < 0 and re.match(r"return\s", code[at - 5 : at + 2]) and c == "n":
                break
        depth += (c in opening) - (c in closing)
        at += step
    return at if step > 0 else at + 1


def comparisons(code):
    """All comparisons, but those that the compiler makes."""
    for match in re.finditer(r" (<=|>=|<|>|==|!=)\s", code):
        line_begin = code.rfind("\n", 0, match.start()) + 1
        line = code[line_begin : code.find("\n", match.start())]
        if re.search(r"\bif constexpr\b|static_assert|static constexpr|constexpr (int|bool|auto)|template", line):
            continue
        begin = operand_end(code, match.start(), -1)
        end = operand_end(code, match.end(), 1)
        left, right = code[begin : match.start()].strip(), code[match.end() : end].strip()
        if not left or not right:
            continue
        begin += len(code[begin : match.start()]) - len(code[begin : match.start()].lstrip())
        end = match.end() + len(code[match.end() : end].rstrip())
        before = code[max(0, begin - 300) : begin]
        in_loop = re.search(r"\b(for \([^()]*(\([^()]*\)[^()]*)*;[^;()]*|while \()$", before) is not None
        for operator in rules.COMPARISONS[match.group(1)]:
            if operator in ("true", "false"):
                if in_loop:
                    continue  # it would not end
                text = operator
            else:
                text = f"{left} {operator} {right}"
            original = one_line(code[begin:end])
            yield "comparison", f"{original}  ->  {text}", [(begin, end, text)]


def places_of(file):
    text = (root / file).read_text()
    code = masked(text)
    found = list(comparisons(code)) if re.search(rules.COMPARED, file) else []
    for kind, files, pattern, replacements in rules.EXPRESSIONS:
        if not re.search(files, file):
            continue
        for match in re.finditer(pattern, code):
            for replacement in replacements:
                new = match.expand(replacement)
                what = f"{one_line(match.group())}  ->  {one_line(new)}"
                found.append((kind, what, [(*match.span(), new)]))
    for kind, files, pattern in rules.STATEMENTS:
        if not re.search(files, file):
            continue
        for match in re.finditer(pattern, code):
            following = code[match.end() :].strip().split("\n")[0]
            what = f"without {one_line(match.group())} before {following}"
            found.append((kind, what, [(*match.span(), None)]))
    for kind, files, what, changes in rules.EDITS:
        if not re.search(files, file):
            continue
        edits = []
        for pattern, new in changes:
            match = re.search(pattern, code)
            if match is None:
                sys.exit(f"mutate: {file} has no {pattern}")
            edits.append((*match.span(), new))
        found.append((kind, what, edits))
    found.sort(key=lambda each: each[2][0][0])
    line_of = lambda begin: one_line(text[text.rfind("\n", 0, begin) + 1 :][:200])
    return [
        Place(file, text.count("\n", 0, edits[0][0]) + 1, kind, what, edits, line_of(edits[0][0]))
        for kind, what, edits in found
    ]


def spoil(text, places):
    """The file with all places behind switches. Spans that lie in others are done first."""
    spans = collections.defaultdict(list)
    for place in places:
        for begin, end, new in place.edits:
            spans[begin, end].append((place.number, new))
    ordered = sorted(spans, key=lambda span: (span[1] - span[0], span))
    for i, (begin, end) in enumerate(ordered):
        for other in ordered[i + 1 :]:
            if begin < other[0] < end < other[1] or other[0] < begin < other[1] < end:
                sys.exit(f"mutate: places overlap: {text[begin:end]!r}, {text[slice(*other)]!r}")

    def rendered(begin, end, but=None):
        """The text there, with the places inside of it spoilt."""
        result, at = [], begin
        inner = [s for s in ordered if begin <= s[0] and s[1] <= end and s != but]
        outermost = [
            s for s in inner if not any(o != s and o[0] <= s[0] and s[1] <= o[1] for o in inner)
        ]
        for span in sorted(outermost):
            result += [text[at : span[0]], wrapped(span)]
            at = span[1]
        return "".join(result + [text[at:end]])

    def wrapped(span):
        whole = rendered(*span, but=span)
        for number, new in spans[span]:
            switch = f"weft_spoilt({number})"
            if new is None:
                whole = f"if (!{switch}) {{ {whole} }}"
            elif "{s}" in new:
                whole = new.replace("{s}", switch).replace("{old}", whole)
            else:
                whole = f"({switch} ? ({new}) : ({whole}))"
        return whole

    return rendered(0, len(text))


def all_places():
    """All places. Those of a file have numbers of its own, so that a change of it leaves the others."""
    files = [path for pattern in rules.FILES for path in sorted(root.glob(pattern))]
    places = []
    for of_file, path in enumerate(files, 1):
        for number, place in enumerate(places_of(str(path.relative_to(root)))):
            place.number = 1000 * of_file + number
            places.append(place)
    assert all(place.number < MOST_PLACES for place in places)
    codes = {str(path.relative_to(root)): masked(path.read_text()) for path in files}
    for _, of, pattern, *_ in [*rules.EXPRESSIONS, *rules.STATEMENTS]:
        if not any(re.search(of, file) and re.search(pattern, code) for file, code in codes.items()):
            sys.exit(f"mutate: no file has {pattern}")
    return places


# ---- The program -------------------------------------------------------------------------------------

def build(folder, places, jobs, compiler):
    """The tests with all places in them, each behind its switch."""
    spoilt = folder / "spoilt"
    write_if_changed(spoilt / "switch.hpp", SWITCH)
    by_file = collections.defaultdict(list)
    for place in places:
        by_file[place.file].append(place)
    for path in [p for pattern in rules.COPIED for p in root.glob(pattern)]:
        name = str(path.relative_to(root))
        write_if_changed(spoilt / name, spoil(path.read_text(), by_file.pop(name, [])))
    for name, of_file in by_file.items():
        write_if_changed(spoilt / name, spoil((root / name).read_text(), of_file))

    command = (
        f"{compiler} -std=c++20 -O1 -march=native -fopenmp -w -MMD -include {spoilt}/switch.hpp "
        f"-fsanitize={'bounds' if 'clang' in compiler else 'bounds-strict'} "  # see cuda_sim/bounds.cpp
        f"-I{spoilt}/include -I{spoilt}/src/cuda -I{root}/tests/cuda_sim -I{root}/include -I{root} "
        f"-isystem /usr/include/eigen3 -DDOCTEST_CONFIG_VOID_CAST_EXPRESSIONS "
        f"-DWEFT_SOURCE_DIR='\"{root}\"' -x c++"
    )
    sources = sorted(spoilt.glob("src/cuda/*.cu"))
    for pattern in rules.TESTS:
        sources += sorted(root.glob(pattern))
    sources.sort(key=lambda path: -path.stat().st_size)
    base = lambda path: spoilt if spoilt in path.parents else root
    once = f"-include {root}/tests/support/kernels_once.hpp"  # the CPU's kernels are compiled apart
    named = [
        (path, str(path.relative_to(base(path))).replace("/", "_"), once if path.match("*_test.cpp") else "")
        for path in sources
    ]
    return build_program(folder, named, command, "-ldl -lz", jobs)


# ---- Runs --------------------------------------------------------------------------------------------


@dataclasses.dataclass
class Case:
    """A test case: what it takes, and the places whose code it runs."""

    file: str
    name: str
    seconds: float
    reached: set


def pattern_of(name):
    """What doctest's filter takes for the name of a case; a comma would end it."""
    return re.sub(r"[,\\]", "?", name)


def run(program, cases, number, limit, **variables):
    """How the cases notice the fault `number`, or None if they pass. Fault 0 is none."""
    filters = ["--test-case=" + ",".join(pattern_of(name) for name in cases)]
    how, output = ask(program, filters, number, limit, OMP_NUM_THREADS="1", **variables)
    if how in (None, "hangs"):
        return how
    failed = re.search(r"TEST CASE:\s+(.*)", output)
    return f"{failed.group(1) if failed else 'a case'} {how}"


def all_cases(program):
    listed = subprocess.run(
        [program, "--list-test-cases", "--reporters=xml"], capture_output=True, text=True, check=True
    ).stdout
    for each in xml.etree.ElementTree.fromstring(listed).iter("TestCase"):
        yield each.get("filename").rpartition("tests/")[2], each.get("name")


def recorded_cases(program, folder):
    """All cases, each run by itself where nothing is spoilt. They are recorded once for a program."""
    record, note = folder / "cases.json", folder / "reached"
    if record.exists() and record.stat().st_mtime > program.stat().st_mtime:
        return [Case(file, name, seconds, set(reached)) for file, name, seconds, reached in json.loads(record.read_text())]
    cases = []
    for file, name in all_cases(program):
        note.unlink(missing_ok=True)
        start = time.time()
        how = run(program, [name], 0, 600, WEFT_REACHED=str(note))
        if how:
            sys.exit(f"mutate: {file}: {name}: {how} where nothing is spoilt")
        cases.append(Case(file, name, time.time() - start, set(map(int, note.read_text().split()))))
    record.write_text(json.dumps([[c.file, c.name, c.seconds, sorted(c.reached)] for c in cases]))
    return cases


def lots(cases, most):
    """Cases in lots, each of which is one run: the quick ones first, each lot four times as long as the one
    before. Of `most` seconds in all, but at least five cases."""
    lot, taken, total, limit = [], 0, 0, 0.5
    for rank, case in enumerate(sorted(cases, key=lambda case: case.seconds)):
        if rank >= 5 and total + case.seconds > most:
            break
        if lot and taken + case.seconds > limit:
            yield lot
            lot, taken, limit = [], 0, 4 * limit
        lot.append(case)
        taken += case.seconds
        total += case.seconds
    if lot:
        yield lot


def noticed_by(program, place, cases, most):
    """Who notices the fault; None if nobody does; "" if no case reaches it."""
    reaching = [case for case in cases if place.number in case.reached]
    if not reaching:
        return ""
    for lot in lots(reaching, most):
        how = run(program, [case.name for case in lot], place.number, 10 + 10 * sum(c.seconds for c in lot))
        if how:
            return how
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--list", action="store_true", help="what there is to spoil")
    parser.add_argument("--exceptions", action="store_true", help="what no test can notice, and why")
    parser.add_argument("--only", metavar="PATTERN", default="", help="a regex of file:line: kind: what")
    parser.add_argument("--again", action="store_true", help="also what was noticed in an earlier run")
    parser.add_argument("--seconds", type=float, default=60, help="of test cases for a place, at most; a tenth for an exception")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--folder", type=pathlib.Path, default=root / "build" / "mutate")
    parser.add_argument("--compiler", default="g++")
    options = parser.parse_args()

    places = all_places()
    reasons = {}
    for file, what, reason, *at in rules.EXCEPTIONS:
        of_it = [
            p
            for p in places
            if re.search(file, p.file)
            and re.search(what, f"{p.kind}: {p.what}")
            and all(re.match(text, p.at) for text in at)
        ]
        if not of_it:
            print(f"mutate: an exception is of no place: {file}: {what}")
        for place in of_it:
            reasons.setdefault(place.number, reason)
    chosen = [p for p in places if re.search(options.only, p.name())]
    if options.list or options.exceptions:
        for place in chosen:
            if options.list or place.number in reasons:
                print(place.name(), *([f"({reasons[place.number]})"] if place.number in reasons else []))
        return 0

    folder = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    program = build(folder, places, options.jobs, options.compiler)
    cases = recorded_cases(program, folder)
    print(f"{len(chosen)} of {len(places)} places, {len(cases)} test cases", flush=True)

    # What was noticed once is not asked again, unless its file has changed.
    record = folder / "noticed.json"
    noticed = json.loads(record.read_text()) if record.exists() and not options.again else {}
    texts = {file: (root / file).read_text() for file in {place.file for place in places}}
    key_of = lambda p: hashlib.sha1(f"{p.file} {p.number % 1000} {texts[p.file]}".encode()).hexdigest()
    keys = {place.number: key_of(place) for place in places}

    def noticer_of(place):
        known = noticed.get(keys[place.number])
        most = options.seconds / 10 if place.number in reasons else options.seconds
        return known if known else noticed_by(program, place, cases, most)

    summary = collections.defaultdict(collections.Counter)
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for place, by in zip(chosen, pool.map(noticer_of, chosen)):
            reason = reasons.get(place.number)
            if by:
                state, text = "noticed", by + (" (though an exception)" if reason else "")
                noticed[keys[place.number]] = by
                record.write_text(json.dumps(noticed))
            elif reason:
                state, text = "exception", f"not noticed: {reason}"
            else:
                state, text = "NOT NOTICED", "NOT NOTICED" if by is None else "NOT REACHED"
                failed += 1
            summary[place.kind][state] += 1
            print(f"{place.name()}: {text}", flush=True)
    print()
    for kind, counts in sorted(summary.items()):
        print(f"{kind:24} {sum(counts.values()):4}  " + ", ".join(f"{n} {s}" for s, n in counts.items()))
    total = sum(summary.values(), collections.Counter())
    print(f"{'all':24} {len(chosen):4}  " + ", ".join(f"{n} {s}" for s, n in total.items()))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
