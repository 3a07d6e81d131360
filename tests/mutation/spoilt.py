"""A program of tests whose sources have faults in them, each behind a switch; shared by the scripts that plant
faults in the CPU's code (mutate.py) and in the GPU's (tests/cuda_sim/mutate.py)."""

import concurrent.futures
import os
import subprocess
import sys

MOST_PLACES = 1 << 16  # their numbers are below it

# A switch also notes that it was asked. The program's end writes which were, if WEFT_REACHED names a file.
SWITCH = f"""#pragma once
#include <cstdio>
#include <cstdlib>
#include <type_traits>
inline const int weft_spoilt_place =
    std::getenv("WEFT_SPOILT") ? std::atoi(std::getenv("WEFT_SPOILT")) : 0;
inline unsigned char weft_reached[{MOST_PLACES}];
constexpr bool weft_spoilt(int place) {{
    if (std::is_constant_evaluated()) return false;
    weft_reached[place] = 1;
    return place == weft_spoilt_place;
}}
inline const struct WeftReached {{
    ~WeftReached() {{
        const char* const name = std::getenv("WEFT_REACHED");
        std::FILE* const file = name != nullptr ? std::fopen(name, "w") : nullptr;
        if (file == nullptr) return;
        for (int place = 0; place < {MOST_PLACES}; ++place) {{
            if (weft_reached[place] != 0) std::fprintf(file, "%d\\n", place);
        }}
        std::fclose(file);
    }}
}} weft_reached_at_the_end;
"""


def write_if_changed(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def is_fresh(target, command):
    """Whether nothing that the object was made of is newer than it."""
    record, depends = target.with_suffix(".command"), target.with_suffix(".d")
    if not (target.exists() and depends.exists() and record.exists()) or record.read_text() != command:
        return False
    files = depends.read_text().replace("\\\n", " ").split(":", 1)[1].split()
    return all(os.path.exists(f) and os.path.getmtime(f) <= target.stat().st_mtime for f in files)


def build_program(folder, sources, command, libraries, jobs):
    """Compiles the sources, (path, name of its object, further options) each, and links them; what is fresh is
    kept."""

    def compile_one(source):
        path, name, *more = source
        target = folder / "objects" / f"{name}.o"
        target.parent.mkdir(parents=True, exist_ok=True)
        line = f"{' '.join([command, *more])} -c {path} -o {target} -MF {target.with_suffix('.d')}"
        if is_fresh(target, line):
            return target, None
        target.with_suffix(".command").write_text(line)
        result = subprocess.run(line, shell=True, capture_output=True, text=True)
        if result.returncode == 0:
            return target, None
        target.unlink(missing_ok=True)
        return target, result.stderr[:4000]

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        made = list(pool.map(compile_one, sources))
    errors = [error for _, error in made if error]
    if errors:
        sys.exit("\n".join(errors))
    program, objects = folder / "tests", [target for target, _ in made]
    link = f"{command.split()[0]} -fopenmp {' '.join(map(str, sorted(objects)))} {libraries} -o {program}"
    record = folder / "link.command"
    is_old = not (program.exists() and record.exists() and record.read_text() == link)
    if is_old or any(o.stat().st_mtime >= program.stat().st_mtime for o in objects):
        if subprocess.run(link, shell=True).returncode != 0:
            sys.exit("mutate: linking failed")
        record.write_text(link)
    return program


def ask(program, filters, number, limit, **variables):
    """How the test cases that doctest's filters choose notice fault `number`, None if they pass; and what they
    print. Fault 0 is none."""
    environment = dict(os.environ, WEFT_SPOILT=str(number), **variables)
    command = [program, *filters, "--abort-after=1"]
    try:
        result = subprocess.run(command, capture_output=True, env=environment, timeout=limit)
    except subprocess.TimeoutExpired:
        return "hangs", ""
    output = result.stdout.decode(errors="replace")
    if result.returncode == 0:
        return None, output
    return "fails" if "[doctest] test cases:" in output else "aborts", output
