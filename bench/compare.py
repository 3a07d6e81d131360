#!/usr/bin/env python3
"""Names what became slower between two runs of the benchmarks.

    python3 bench/compare.py OLD.json NEW.json [--threshold 0.1] [--filter matmul]

Takes report.json of bench/run.sh or the JSON that weft_bench writes. A benchmark of weft regressed
when its median time grew by more than the threshold and its fastest repetition is slower than the
slowest of before, as far as there are repetitions; or when it is missing or fails now. The exit
status is 1 when something regressed, 2 when nothing could be compared.
"""

import argparse
import sys

from results import read_runs


def is_weft(name):
    return name.startswith("growth/") or name.endswith("/weft")


def compare(old_runs, new_runs, threshold=0.1, pattern=""):
    """([(description, ratio of times or None)] of the regressions, how many were compared)."""
    new_by_threads = {run["threads"]: run for run in new_runs}
    regressions, compared = [], 0
    for old_run in old_runs:
        threads = old_run["threads"]
        if threads not in new_by_threads:
            continue
        new = new_by_threads[threads]["benchmarks"]
        for name, before in old_run["benchmarks"].items():
            if not is_weft(name) or pattern not in name or "error" in before:
                continue
            compared += 1
            where = f"{name} (threads: {threads})"
            after = new.get(name, {"error": "missing"})
            if "error" in after:
                regressions.append((f"{where}: {after['error']}", None))
                continue
            ratio = after["seconds"] / before["seconds"]
            beyond_noise = after["fastest_seconds"] > before["slowest_seconds"]
            if ratio > 1 + threshold and beyond_noise:
                times = f"{before['seconds']:.3g} s -> {after['seconds']:.3g} s"
                regressions.append((f"{where}: {times}, {ratio:.2f} times as long", ratio))
    regressions.sort(key=lambda entry: -(entry[1] or float("inf")))
    return regressions, compared


def main(arguments=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("old")
    parser.add_argument("new")
    parser.add_argument("--threshold", type=float, default=0.1, help="0.1 allows 10 %% more time")
    parser.add_argument("--filter", default="", help="only names that contain this")
    options = parser.parse_args(arguments)
    regressions, compared = compare(
        read_runs(options.old), read_runs(options.new), options.threshold, options.filter
    )
    for description, _ in regressions:
        print("slower:", description)
    print(f"{compared} benchmarks compared, {len(regressions)} regressed")
    if compared == 0:
        return 2
    return 1 if regressions else 0


if __name__ == "__main__":
    sys.exit(main())
