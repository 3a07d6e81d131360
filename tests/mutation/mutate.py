#!/usr/bin/env python3
"""Plants faults in the CPU's code, one at a time, and shows which the tests notice.

    python3 tests/mutation/mutate.py                 # all: half an hour of a processor, most of it compiling
    python3 tests/mutation/mutate.py --list          # what is planted
    python3 tests/mutation/mutate.py --check         # whether all of it can still be planted
    python3 tests/mutation/mutate.py --only dropout  # faults whose text or file has this regex

The faults are those of faults.py. As tests/cuda_sim/mutate.py does with the GPU's code, all of them are
planted at once in copies of the files, each behind a switch: `n > limit` becomes
`(weft_spoilt(7) ? (n >= limit) : (n > limit))`. So each test is compiled once, and an environment variable
plants a fault. A test that fails, aborts, or takes ten times as long, has noticed. It is run by hand, and
ends with 1 if a fault was not noticed that is not among the EXCEPTIONS.
"""

import argparse
import concurrent.futures
import os
import pathlib
import re
import sys
import time

from faults import EXCEPTIONS, FAULTS
from spoilt import SWITCH, ask, build_program, write_if_changed

root = pathlib.Path(__file__).resolve().parents[2]

def planted(old, new, number):
    switch = f"weft_spoilt({number})"
    if new is None:
        return f"if (!{switch}) {{ {old} }}"
    if "{s}" in new:
        return new.replace("{{", "{").replace("}}", "}").replace("{s}", switch).replace("{old}", old)
    return f"({switch} ? ({new}) : ({old}))"


def plant(folder):
    """Copies of include/ and src/ with all faults behind their switches."""
    texts = {}
    for number, (what, file, old, new, _) in enumerate(FAULTS, 1):
        text = texts.setdefault(file, (root / file).read_text())
        if text.count(old) != 1:
            sys.exit(f"mutate: {file} has {text.count(old)} times, expected once: {old}")
        texts[file] = text.replace(old, planted(old, new, number))
    write_if_changed(folder / "switch.hpp", SWITCH)
    for path in [*root.glob("include/**/*.hpp"), *root.glob("src/io/*.cpp")]:
        name = str(path.relative_to(root))
        write_if_changed(folder / name, texts.get(name, path.read_text()))


def build(folder, tests, jobs, compiler):
    spoilt = folder / "spoilt"
    plant(spoilt)
    command = (
        f"{compiler} -std=c++20 -O1 -march=native -fopenmp -w -MMD -include {spoilt}/switch.hpp -I{spoilt}/include "
        f"-I{root} -isystem /usr/include/eigen3 -DDOCTEST_CONFIG_VOID_CAST_EXPRESSIONS "
        f"-DWEFT_SOURCE_DIR='\"{root}\"'"
    )
    sources = [root / f"tests/{test}_test.cpp" for test in tests]
    sources += [root / "tests/main.cpp", *root.glob("tests/support/*.cpp"), *spoilt.glob("src/io/*.cpp")]
    base = lambda path: spoilt if spoilt in path.parents else root
    named = [(path, str(path.relative_to(base(path))).replace("/", "_")) for path in sources]
    return build_program(folder, named, command, "", jobs)


def run(program, test, number, limit):
    """How the test notices fault `number`, or None. A test is a file, with "|" and a pattern behind it if not
    all of its cases are asked."""
    file, _, cases = test.partition("|")
    filters = [f"--source-file=*tests/{file}_test.cpp"] + ([f"--test-case={cases}"] if cases else [])
    how, output = ask(program, filters, number, limit, OMP_WAIT_POLICY="passive")
    if number == 0 and re.search(r"test cases: +0 ", output):
        sys.exit(f"mutate: there is no test {test}")
    return how


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--list", action="store_true", help="what is planted")
    parser.add_argument("--check", action="store_true", help="plants all, and runs nothing")
    parser.add_argument("--only", metavar="PATTERN", default="", help="a regex of file: what is wrong")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--folder", type=pathlib.Path, default=root / "build" / "mutation")
    parser.add_argument("--compiler", default="g++")
    options = parser.parse_args()

    chosen = [
        (number, *fault)
        for number, fault in enumerate(FAULTS, 1)
        if re.search(options.only, f"{fault[1]}: {fault[0]}")
    ]
    if options.list:
        for _, what, file, *_ in chosen:
            print(f"{file}: {what}")
        return 0
    folder = options.folder.resolve()
    if options.check:
        plant(folder / "spoilt")
        return 0
    tests = sorted({test for *_, asked in chosen for test in asked})
    program = build(folder, tests, options.jobs, options.compiler)

    # As they are, the tests pass; and so long they take.
    limits = {}
    for test in tests:
        start = time.time()
        how = run(program, test, 0, 600)
        if how:
            sys.exit(f"mutate: {test} {how} where nothing is planted")
        limits[test] = 10 * (time.time() - start) + 10

    def noticed_by(fault):
        number, *_, asked = fault
        for test in asked:
            how = run(program, test, number, limits[test])
            if how:
                return f"{test} {how}"
        return None

    counts = {"noticed": 0, "excepted": 0, "not noticed": 0}
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for (_, what, file, *_), by in zip(chosen, pool.map(noticed_by, chosen)):
            reason = next((text for start, text in EXCEPTIONS.items() if what.startswith(start)), None)
            if by:
                counts["noticed"] += 1
            else:
                counts["excepted" if reason else "not noticed"] += 1
                by = f"not noticed: {reason}" if reason else "NOT NOTICED"
            print(f"{file}: {what}: {by}", flush=True)
    print(f"{len(chosen)} faults: " + ", ".join(f"{n} {state}" for state, n in counts.items()))
    return 1 if counts["not noticed"] else 0


if __name__ == "__main__":
    sys.exit(main())
