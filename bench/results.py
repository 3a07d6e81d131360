"""What weft_bench measured, read from Google Benchmark's JSON or from a report.json."""

import json
import math
import statistics

RATES = {"GFLOP/s": "gflops", "GB/s": "gbs", "items_per_second": "images_per_second", "of_peak": "of_peak"}
PLAIN = ("flop_per_byte", "workspace_mib", "parameters", "optimizer_steps")


def read_runs(path):
    """The runs in a file, each {"threads", "context", "benchmarks": {name: numbers}}."""
    with open(path, encoding="utf-8") as file:
        content = json.load(file)
    if "runs" in content:
        return content["runs"]
    return [read_google_benchmark(content)]


def read_google_benchmark(content):
    """Medians over the repetitions, with the fastest and the slowest; rates are of the median."""
    repetitions = {}
    errors = {}
    # As they were registered: runs may be interleaved at random.
    for entry in sorted(content["benchmarks"], key=lambda entry: entry.get("family_index", 0)):
        if entry.get("run_type") == "aggregate":
            continue
        name = entry["name"].removesuffix("/real_time")
        if entry.get("error_occurred"):
            errors[name] = entry["error_message"]
        else:
            repetitions.setdefault(name, []).append(entry)
    benchmarks = {name: summarise(entries) for name, entries in repetitions.items()}
    for name, message in errors.items():
        benchmarks[name] = {"error": message}
    context = content["context"]
    return {"threads": int(context["threads"]), "context": context, "benchmarks": benchmarks}


def summarise(entries):
    unit = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}[entries[0]["time_unit"]]
    seconds = [entry["real_time"] * unit for entry in entries]
    numbers = {
        "seconds": statistics.median(seconds),
        "fastest_seconds": min(seconds),
        "slowest_seconds": max(seconds),
        "repetitions": len(seconds),
    }
    for counter, name in RATES.items():
        if counter in entries[0]:
            numbers[name] = statistics.median(entry[counter] for entry in entries)
    for counter in PLAIN:
        if counter in entries[0]:
            numbers[counter] = entries[0][counter]
    return numbers


def geometric_mean(values):
    return math.exp(statistics.fmean(math.log(value) for value in values))


def cases(run, prefix=""):
    """{case: {contender: numbers}} of the benchmarks named prefix.../case/contender."""
    found = {}
    for name, numbers in run["benchmarks"].items():
        case, _, contender = name.rpartition("/")
        if name.startswith(prefix) and not name.startswith("growth/") and "error" not in numbers:
            found.setdefault(case, {})[contender] = numbers
    return found


def seconds_of(contenders, name, which="seconds"):
    """A contender's time, None where it did not run; its better one where it has several variants."""
    times = [
        numbers[which]
        for contender, numbers in contenders.items()
        if contender == name or contender.startswith(name + "-")
    ]
    return min(times, default=None)


def ratios(run, other, prefix="", accept=lambda case: True, which="seconds"):
    """{case: how many times as fast as the other weft is}, by median or by "fastest_seconds"."""
    found = {}
    for case, contenders in cases(run, prefix).items():
        ours, theirs = (seconds_of(contenders, name, which) for name in ("weft", other))
        if ours and theirs and accept(case):
            found[case] = theirs / ours
    return found
