#!/usr/bin/env python3
"""Runs the programs of this folder in turns and compares the medians. run.sh builds and calls it.

The first round tries several variants of each peer's use (memory layout, eager or compiled, an
allocator that keeps freed memory), the later rounds only the one that trained fastest. Each figure
is the median of the variant that is best at it; the ratio of training speeds is the median over the
rounds of weft's run to the peer's next to it. Every run must train as many parameters as the
tutorial's network has, and its loss must fall. Ctrl-C ends early, with the rounds so far.
"""

import argparse
import datetime
import itertools
import json
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent

# samples: of a chunk. warm_up: chunks before the timed ones, 1,600 steps or more of mlp and cnn. By then
# moments of weights without gradient have decayed through the subnormal numbers, which take about 830
# steps to reach and slow some processors down. --long takes as many steps of cnn-deep: some minutes a run.
# parameters: those that an optimiser trains, so without moving statistics.
MODELS = {
    "mlp": {"batch": 32, "samples": 19200, "warm_up": 3, "parameters": 101770},
    "cnn": {"batch": 32, "samples": 3200, "warm_up": 16, "parameters": 804554},
    "cnn-deep": {"batch": 500, "samples": 1000, "warm_up": 1, "parameters": 906890},
}
PROGRAMS = {
    "weft": ("weft_peer", ["default"]),
    "dlib": ("dlib_peer", ["default", "default+keep"]),
    "libtorch": ("torch_peer", ["contiguous", "contiguous+keep", "channels_last+keep"]),
}
FIGURES = {"images_per_second": max, "peak_mib": min, "predict_latency_us": min,
           "predict_images_per_second": max}  # and which of two is the better

# "+keep": glibc gives no memory back to the system between steps, which PyTorch's tuning guide
# gets from another allocator. It makes libtorch up to twice as fast, and larger.
KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(2**25), "MALLOC_TRIM_THRESHOLD_": str(2**40)}


def parse():
    def names(text):
        return text.split(",")

    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=argparse.FileType("w"), required=True,
                        help="JSON file to write")
    parser.add_argument("--quick", action="store_true", help="two rounds of two chunks")
    parser.add_argument("--long", action="store_true", help="1,600 steps of cnn-deep first, too")
    parser.add_argument("--python", default="python3", help="that has PyTorch and Keras")
    parser.add_argument("--models", type=names, default=list(MODELS))
    parser.add_argument("--threads", type=names, default=["1", "2"])
    parser.add_argument("--rounds", type=int, help="runs of each, 5 unless told, 2 with --quick")
    parser.add_argument("--frameworks", type=names, help="of those installed, only these")
    parser.add_argument("--build", type=Path, required=True, help="folder of the programs")
    options = parser.parse_args()
    options.rounds = options.rounds or (2 if options.quick else 5)
    options.chunks = 2 if options.quick else 5
    if options.long:
        MODELS["cnn-deep"]["warm_up"] = 800
    if unknown := set(options.models) - set(MODELS):
        parser.error(f"there is no model {', '.join(unknown)}")
    return options


def find_frameworks(options):
    """{framework: (command, variants)} of what is installed."""
    found = {name: ([str(options.build / program)], variants)
             for name, (program, variants) in PROGRAMS.items()
             if (options.build / program).exists()}
    script = [options.python, str(HERE / "python_peers.py")]
    try:
        available = json.loads(subprocess.check_output([*script, "--available"]))
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"peers: {options.python} does not run: {error}", file=sys.stderr)
        available = {}
    for name, variants in available.items():
        found[name] = ([*script, "--framework", name], variants)
    for name in [*PROGRAMS, "pytorch", "keras"]:
        if name not in found:
            print(f"peers: {name} is not installed, so left out", file=sys.stderr)
    if options.frameworks:
        found = {name: use for name, use in found.items() if name in options.frameworks}
    return found


def run(command, variant, model, threads, chunks):
    """The JSON object of one run. Raises ValueError when it failed or did not train."""
    task = MODELS[model]
    use, _, keep = variant.partition("+")
    environment = os.environ | {"OMP_NUM_THREADS": threads} | (KEEP_MEMORY if keep else {})
    process = subprocess.run(
        [*command, "--variant", use, "--model", model, "--threads", threads, "--warm-up",
         str(task["warm_up"]), "--chunks", str(chunks), "--batch", str(task["batch"]),
         "--samples", str(task["samples"])],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=7200)
    if process.returncode != 0:
        raise ValueError("\n".join(process.stderr.strip().splitlines()[-5:])
                         or f"exit status {process.returncode}")
    result = json.loads(process.stdout.strip().splitlines()[-1])
    if result["parameters"] != task["parameters"]:
        raise ValueError(f"{result['parameters']} parameters, expected {task['parameters']}")
    if not result["losses"][-1] < result["losses"][0]:
        raise ValueError(f"the loss does not fall: {result['losses']}")
    return result


def run_all(options, frameworks, runs, failures):
    """Fills runs {(model, threads, framework, variant): results} and failures."""
    for turn in range(options.rounds):
        for model, threads in itertools.product(options.models, options.threads):
            for framework, (command, variants) in frameworks.items():
                key = (model, threads, framework)
                for variant in variants if turn == 0 else fastest(runs, key, variants):
                    name = f"{model}, {threads} threads, {framework} {variant}"
                    try:
                        result = run(command, variant, model, threads, options.chunks)
                    except (ValueError, subprocess.TimeoutExpired) as error:
                        failures.append(name)
                        print(f"peers: {name} failed: {error}", file=sys.stderr)
                        continue
                    runs.setdefault((*key, variant), []).append(result)
                    print(f"round {turn + 1}: {name}: {result['images_per_second']:,.0f} images/s",
                          file=sys.stderr)


def fastest(runs, key, variants):
    """[the variant that trained fastest in the first round], or none if each failed."""
    tried = [variant for variant in variants if (*key, variant) in runs]
    return sorted(tried, key=lambda v: -runs[(*key, v)][0]["images_per_second"])[:1]


def summarise(options, frameworks, runs):
    """One row for each model, thread count and framework, weft's before its peers'."""
    rows = []
    for model, threads in itertools.product(options.models, options.threads):
        weft = None
        for framework, (_, variants) in frameworks.items():
            key = (model, threads, framework)
            for variant in fastest(runs, key, variants):
                own = runs[(*key, variant)]
                row = {k: own[0][k] for k in ("model", "framework", "version", "batch", "threads",
                                              "parameters")}
                row["variant"] = variant
                for figure, best in FIGURES.items():
                    row[figure] = round(best(statistics.median(r[figure] for r in runs[(*key, v)])
                                             for v in variants if (*key, v) in runs), 2)
                row["runs"] = [round(r["images_per_second"], 1) for r in own]
                if framework == "weft":
                    weft = row
                elif weft:
                    row["weft_over_peer_images_per_second"] = round(statistics.median(
                        ours / theirs for ours, theirs in zip(weft["runs"], row["runs"])), 3)
                rows.append(row)
    return rows


def print_table(rows):
    print(f"{'model':9} {'threads':>7} {'framework':16} {'images/s':>9} {'weft is':>8} "
          f"{'peak MiB':>8} {'one image, us':>13} {'256 images, images/s':>20}")
    for row in rows:
        name = f"{row['framework']} {row['version'].split()[0].split('+')[0]}"
        ratio = row.get("weft_over_peer_images_per_second")
        print(f"{row['model']:9} {row['threads']:7} {name:16} "
              f"{row['images_per_second']:9,.0f} {f'{ratio:.2f}x' if ratio else '':>8} "
              f"{row['peak_mib']:8,.0f} {row['predict_latency_us']:13,.1f} "
              f"{row['predict_images_per_second']:20,.0f}")


def machine():
    """The processor's name, as far as the system tells."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.machine()


def main():
    options = parse()
    frameworks = find_frameworks(options)
    print(f"{machine()}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}, "
          f"{datetime.date.today()}; {options.rounds} rounds")
    runs, failures = {}, []
    try:
        run_all(options, frameworks, runs, failures)
    except KeyboardInterrupt:
        failures.append("interrupted")
    rows = summarise(options, frameworks, runs)
    with options.out as file:
        file.write(json.dumps(rows, indent=1) + "\n")
    print_table(rows)
    if failures:
        print("peers: not complete: " + "; ".join(failures), file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
