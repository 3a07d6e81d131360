#!/usr/bin/env python3
"""Writes the report of the benchmarks: report.md, report.json and charts as SVG.

    python3 bench/report.py FOLDER [--docs PAGE.md]

FOLDER holds what bench/run.sh left: weft-*.json of weft_bench, one for each number of threads, and,
where other frameworks were measured, peers*.json of bench/peers/run.sh: lists of {"model",
"framework", "version", "batch", "threads", "images_per_second", "peak_mib"}, and more. The report
goes into the same folder; with --docs its summary and charts also go into that page, between its two
lines about results, and into a folder beside it.
"""

import argparse
import glob
import json
import math
import os
import platform
import shutil
import sys

import charts
from results import cases, geometric_mean, ratios, read_runs

OTHERS = {"onednn": "oneDNN", "eigen": "Eigen", "openblas": "OpenBLAS"}
PRODUCTS = ("forward", "weight_gradient", "input_gradient")
AXES = {
    "batch": "samples in a batch",
    "width": "units of each of 2 hidden layers",
    "depth": "hidden layers of 128 units",
    "image": "height and width of the images",
    "threads": "threads",
}
TITLES = {"image": "image size", "batch": "batch size"}
ADAM_BYTES = 4 * 7  # of a parameter: reads p, g, m and v, writes p, m and v


def is_tutorial(case):
    return "resnet" not in case


def is_first_layer(case):
    return any(name in case for name in ("/cnn-1:", "/cnn-deep-1:", "/cnn-wide-1:"))


SUMMARY = (
    ("products, all", "matmul/", lambda case: True),
    *((f"products, {product}", f"matmul/{product}/", lambda case: True) for product in PRODUCTS),
    ("convolutions of the tutorials", "convolution/", is_tutorial),
    ("first layers of the tutorials", "convolution/", is_first_layer),
    ("convolutions of ResNet", "convolution/", lambda case: not is_tutorial(case)),
    ("pooling", "pooling/", lambda case: True),
    ("batch norm", "batch_norm/", lambda case: True),
    ("activations", "activation/", lambda case: True),
    ("Adam", "optimizer/adam", lambda case: True),
    ("epoch of mlp", "training/epoch/mlp-6400", lambda case: True),
)


def table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def short(value, digits=3):
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.{digits}g}"


def thread_count(threads):
    return f"{threads} thread" + ("s" if threads > 1 else "")


def cpu_name():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next(line.split(":", 1)[1].strip() for line in file if "model name" in line)
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def machine_section(report):
    rows = [("processor", report["cpu"])]
    context = report["runs"][0]["context"]
    rows += [(key.replace("_", " "), context[key])
             for key in ("weft", "instruction_set", "compiler", "flags", "onednn", "openblas", "date")
             if key in context]
    for run in report["runs"]:
        c = run["context"]
        load = ", ".join(f"{value:.1f}" for value in c.get("load_avg", [])[:1])
        rows.append((
            f"threads: {run['threads']}",
            f"{float(c['peak_gflops']):.0f} GFLOP/s, memory {float(c['peak_memory_gbs']):.0f} GB/s, "
            f"caches {float(c['peak_cache_gbs']):.0f} GB/s"
            + (f"; load when it began: {load}" if load else ""),
        ))
    return "## The machine\n\n" + table(("", ""), rows)


def summarise(report):
    """[{"group", "threads", "other", "ratio", "cases"}]: the geometric means."""
    found = []
    for run in report["runs"]:
        for group, prefix, accept in SUMMARY:
            for other in OTHERS:
                by_case = ratios(run, other, prefix, accept)
                fastest = ratios(run, other, prefix, accept, "fastest_seconds")
                if by_case:
                    found.append({"group": group, "threads": run["threads"], "other": other,
                                  "cases": len(by_case), "ratio": geometric_mean(by_case.values()),
                                  "ratio_of_fastest": geometric_mean(fastest.values())})
    return found


def summary_section(report):
    columns = [(run["threads"], other) for other in OTHERS for run in report["runs"]
               if any(s["other"] == other for s in report["summary"])]

    def cell(entry):
        return f"{entry['ratio']:.2f} ({entry['ratio_of_fastest']:.2f})" if entry else ""

    rows = []
    for group in dict.fromkeys(entry["group"] for entry in report["summary"]):
        entries = {(s["threads"], s["other"]): s for s in report["summary"] if s["group"] == group}
        rows.append((group, next(iter(entries.values()))["cases"],
                     *(cell(entries.get(column)) for column in columns)))
    header = ("work", "cases", *(f"{OTHERS[other]}, {threads} thr." for threads, other in columns))
    return ("## How many times as fast as others\n\nGeometric means of the ratios of median times; "
            "above 1 weft is faster. In brackets the same of the fastest repetitions, which other load "
            "on the machine disturbs less. Of oneDNN's convolutions the better layout counts, conversions "
            "from and to NHWC included. Plain Eigen uses threads in products alone.\n\n"
            + table(header, rows))


def kernel_sections(run):
    text = ""
    for title, prefix, unit, key in (
        ("Products", "matmul/", "GFLOP/s", "gflops"),
        ("Convolutions", "convolution/", "GFLOP/s", "gflops"),
        ("Layers with products", "layers/", "GFLOP/s", "gflops"),
        ("Everything else", "", "GB/s", "gbs"),
    ):
        by_case = {
            case: contenders for case, contenders in cases(run, prefix).items()
            if all(key in numbers for numbers in contenders.values())
            and (key == "gflops" or not case.startswith(("matmul/", "convolution/")))
        }
        if not by_case:
            continue
        names = list(dict.fromkeys(name for contenders in by_case.values() for name in contenders))
        rows = [(case, *(short(contenders.get(name, {}).get(key)) for name in names),
                 short(contenders["weft"]["of_peak"], 2))
                for case, contenders in by_case.items() if "weft" in contenders]
        text += f"### {title}, {unit}\n\n" + table(("", *names, "weft, of peak"), rows) + "\n"
    return text


def training_section(run):
    rows = []
    for case, contenders in cases(run).items():
        if not case.startswith(("training/", "predict/")):
            continue
        for name, numbers in contenders.items():
            rows.append((f"{case} ({name})", short(numbers["images_per_second"]),
                         short(1e3 * numbers["seconds"]), short(numbers.get("gflops")),
                         short(numbers.get("of_peak"), 2), short(numbers.get("workspace_mib")),
                         short(numbers.get("parameters"))))
    return (f"## Training and prediction, {thread_count(run['threads'])}\n\n"
            "GFLOP/s count the operations of the layers' definitions, so Winograd's convolutions may exceed "
            "the machine's peak.\n\n"
            + table(("", "images/s", "ms", "GFLOP/s", "of peak", "workspace, MiB", "parameters"), rows)) if rows else ""


def growth(run):
    """{axis: {model: [(x, numbers)]}}."""
    found = {}
    for name, numbers in run["benchmarks"].items():
        if name.startswith("growth/") and "error" not in numbers:
            _, axis, model, x = name.split("/")
            found.setdefault(axis, {}).setdefault(model, []).append((int(x), numbers))
    for models in found.values():
        for points in models.values():
            points.sort(key=lambda point: point[0])
    return found


def shares(run, numbers):
    """What parts of the time the products take at the machine's peak, and Adam when it runs alone."""
    arithmetic = min(numbers["gflops"] / float(run["context"]["peak_gflops"]), 1)  # Winograd's may exceed it
    parameters = numbers["parameters"]
    alone = {int(case.split("/")[-1]): contenders["weft"]["gbs"]
             for case, contenders in cases(run, "optimizer/adam/").items()}
    nearest = min(alone, key=lambda size: abs(math.log(size / parameters)), default=None)
    gbs = alone.get(nearest, float(run["context"]["peak_memory_gbs"]))
    seconds = 1e-9 * ADAM_BYTES * parameters * numbers["optimizer_steps"] / gbs
    adam = min(seconds / numbers["seconds"], 1 - arithmetic)
    return arithmetic, adam, 1 - arithmetic - adam


def growth_section(run):
    rows = []
    for axis, models in growth(run).items():
        for model, points in models.items():
            for x, numbers in points:
                parts = shares(run, numbers)
                most = ("products", "Adam", "the rest")[parts.index(max(parts))]
                rows.append((axis, model, f"{x:,}", short(numbers["images_per_second"]),
                             short(numbers["workspace_mib"]),
                             *(f"{100 * part:.0f} %" for part in parts), most))
    return ("### Growth\n\nOf the time of training: what the products would take at the peak of "
            "arithmetic, what Adam's updates take at the speed they have alone (for the nearest number "
            "of parameters), and the rest: products below the peak, other layers, threads.\n\n"
            + table(("grows", "model", "to", "images/s", "workspace, MiB", "products", "Adam", "rest",
                     "most of it"), rows)) if rows else ""


def peers_section(report):
    rows = []
    for key, entries in peer_groups(report).items():
        for entry in entries:
            variant = entry.get("variant", "default")
            name = f"{entry['framework']} {entry['version']}" + (f", {variant}" if variant != "default" else "")
            rows.append((*key, name, short(entry["images_per_second"]), short(weft_over(entry, entries)),
                         short(entry.get("peak_mib")), short(entry.get("predict_latency_us")),
                         short(entry.get("predict_images_per_second"))))
    return ("## Training beside other frameworks\n\nThe same model, data, batch and threads.\n\n"
            + table(("model", "batch", "threads", "framework", "training, images/s",
                     "weft is so many times as fast", "peak memory, MiB", "one image, µs",
                     "prediction, images/s"), rows)) if rows else ""


def peer_groups(report):
    """{(model, batch, threads): entries}."""
    found = {}
    for entry in report["peers"]:
        found.setdefault((entry["model"], entry["batch"], entry["threads"]), []).append(entry)
    return found


def weft_over(entry, entries):
    """How many times as fast as that framework weft trains: of paired runs, where they tell."""
    if "weft_over_peer_images_per_second" in entry:
        return entry["weft_over_peer_images_per_second"]
    ours = next((e["images_per_second"] for e in entries if e["framework"] == "weft"), None)
    return ours / entry["images_per_second"] if ours else None


def draw_charts(report, folder):
    """Writes the charts; returns [(file, what it shows)]."""
    drawn = []

    def chart(name, caption, draw, *arguments):
        draw(os.path.join(folder, name), caption, *arguments)
        drawn.append((name, caption))

    for run in report["runs"]:
        threads = run["threads"]
        on = thread_count(threads)
        for title, prefix in (("Products", "matmul/"), ("Convolutions", "convolution/")):
            series = {}
            for other in OTHERS:
                by_case = ratios(run, other, prefix)
                if by_case:
                    series[OTHERS[other]] = {
                        case.removeprefix(prefix).replace("_", " ").replace("/", "  "): ratio
                        for case, ratio in by_case.items()}
            if series:
                chart(f"{prefix[:-1]}-{threads}.svg", f"{title} of weft beside others, {on}",
                      charts.ratio_bars, series, "times as fast as the other library (right: weft is faster)")
        groups = {}
        for name, prefix in (("products", "matmul/"), ("convolutions", "convolution/")):
            points = [(c["weft"]["flop_per_byte"], c["weft"]["gflops"], case)
                      for case, c in cases(run, prefix).items() if "weft" in c]
            if points:
                groups[name] = points
        if groups:
            c = run["context"]
            chart(f"roofline-{threads}.svg", f"Roofline of weft's kernels, {on}", charts.roofline,
                  float(c["peak_gflops"]),
                  {"memory": float(c["peak_memory_gbs"]), "caches": float(c["peak_cache_gbs"])}, groups)
        curves = growth(run)
        panels = []
        for what, key, label in (("Throughput", "images_per_second", "images/s"),
                                 ("Memory", "workspace_mib", "workspace, MiB")):
            for axis, models in curves.items():
                if axis == "threads" and key == "workspace_mib":
                    continue
                lines = {model: [(x, numbers[key]) for x, numbers in points]
                         for model, points in models.items()}
                panels.append((f"{what} over {TITLES.get(axis, axis)}", AXES[axis], label, lines))
        if panels:
            chart(f"growth-{threads}.svg", f"Training as it grows, {on}", charts.curves, panels,
                  len(curves))
    peer_bars = {}
    for (model, batch, threads), entries in peer_groups(report).items():
        for entry in entries:
            ratio = weft_over(entry, entries)
            if ratio and entry["framework"] != "weft":
                row = f"{model}, batch {batch}, threads {threads}"
                peer_bars.setdefault(entry["framework"], {})[row] = ratio
    if peer_bars:
        chart("peers.svg", "Training with weft beside other frameworks", charts.ratio_bars, peer_bars,
              "times as fast as the other framework (right: weft is faster)")
    return drawn


BEGIN, END = "<!-- results: bash bench/run.sh --docs PAGE -->", "<!-- end of results -->"


def update_page(page, text, drawn, folder):
    """Puts the text and the charts between the page's marks."""
    with open(page, encoding="utf-8") as file:
        before, rest = file.read().split(BEGIN)
    after = rest.split(END)[1]
    pictures = os.path.splitext(page)[0]
    os.makedirs(pictures, exist_ok=True)
    for old in glob.glob(os.path.join(pictures, "*.svg")):
        os.remove(old)
    for name, caption in drawn:
        shutil.copy(os.path.join(folder, name), pictures)
        text += f"\n![{caption}]({os.path.basename(pictures)}/{name})\n"
    with open(page, "w", encoding="utf-8") as file:
        file.write(f"{before}{BEGIN}\n\n{text}\n{END}{after}")


def main(folder, page=None):
    files = sorted(glob.glob(os.path.join(folder, "weft-*.json")))
    if not files:
        sys.exit(f"report: no weft-*.json in {folder}")
    runs = sorted((run for file in files for run in read_runs(file)), key=lambda run: run["threads"])
    peers = []
    for file in sorted(glob.glob(os.path.join(folder, "peers*.json"))):
        with open(file, encoding="utf-8") as content:
            try:
                peers += json.load(content)
            except json.JSONDecodeError as error:
                print(f"report: {file} is left out: {error}", file=sys.stderr)
    report = {"cpu": cpu_name(), "runs": runs, "peers": peers}
    report["summary"] = summarise(report)
    with open(os.path.join(folder, "report.json"), "w", encoding="utf-8") as file:
        json.dump(report, file, indent=1)

    drawn = draw_charts(report, folder)
    errors = [(name, numbers["error"], run["threads"]) for run in runs
              for name, numbers in run["benchmarks"].items() if "error" in numbers]
    failed = "## Failed\n\n" + table(("benchmark", "error", "threads"), errors) if errors else ""
    summary = "\n".join(
        part for part in (machine_section(report), failed, summary_section(report), peers_section(report),
                          *map(training_section, runs))
        if part)
    text = ["# weft's benchmarks\n", summary, *(f"![{caption}]({name})\n" for name, caption in drawn)]
    for run in runs:
        text += [f"## With {thread_count(run['threads'])}\n",
                 kernel_sections(run), growth_section(run)]
    with open(os.path.join(folder, "report.md"), "w", encoding="utf-8") as file:
        file.write("\n".join(part for part in text if part))
    if page:
        update_page(page, summary, drawn, folder)
    print(os.path.join(folder, "report.md"))
    return 1 if errors else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--docs", metavar="PAGE.md")
    arguments = parser.parse_args()
    sys.exit(main(arguments.folder, arguments.docs))
