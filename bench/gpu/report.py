#!/usr/bin/env python3
"""Tables of what weft_gpu_bench and pytorch.py measured on a GPU, in Markdown.

    python3 bench/gpu/report.py gpu.json [pytorch.json] >report.md
"""

import argparse
import json
import re
import sys

NUMBERS = {True: "TF32", False: "float"}


def parse_training(benchmarks):
    """{(network, batch, tf32): benchmark}"""
    found = {}
    for row in benchmarks:
        match = re.match(r"training/([\w-]+):(\d+)/(fp32|tf32)", row["name"])
        if match and not row.get("error_occurred"):
            found[match[1], int(match[2]), match[3] == "tf32"] = row
    return found


def missed_goals(network, batch, step_us, times_floor, graph_us):
    """What falls short of the goals: within 2 times the floor at 500 and more, and as fast as PyTorch's
    graph of a whole step; 1.3 times for dense layers at 32, 1.2 times for convolutions at 500."""
    missed = []
    if batch >= 500 and times_floor > 2:
        missed.append(f"{times_floor:.1f} of 2 times the floor")
    if graph_us:
        goal = (1.3 if network.startswith("mlp") and batch == 32 else
                1.2 if network.startswith("cnn") and batch == 500 else 1.0)
        if graph_us / step_us < goal:
            missed.append(f"{graph_us / step_us:.2f} of {goal} times the graph")
    return missed


def training_table(weft, torch):
    ways = [way for way in ("eager", "compiled", "graph") if any(key[3] == way for key in torch)]
    head = ["network", "batch", "numbers", "weft, us a step", "images/s", "times the floor",
            *(f"PyTorch {way}, us" for way in ways), *(["weft is"] if ways else []), "goals"]
    lines = [head, ["---"] * len(head)]
    for (network, batch, tf32), row in weft.items():
        own = row["real_time"]
        cells = [f"`{network}`", str(batch), NUMBERS[tf32], f"{own:.1f}",
                 f"{row['images_per_second']:,.0f}", f"{row['times_floor']:.1f}"]
        others = [torch.get((network, batch, tf32, way)) for way in ways]
        cells += [f"{other:.1f}" if other else "" for other in others]
        if ways:
            known = [other for other in others if other]
            cells.append(f"{min(known) / own:.2f}x the fastest" if known else "")
        missed = missed_goals(network, batch, own, row["times_floor"],
                              torch.get((network, batch, tf32, "graph")))
        cells.append("missed: " + ", ".join(missed) if missed else "reached")
        lines.append(cells)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def layer_table(benchmarks):
    lines = ["| layer | us | GFLOP/s or GB/s |", "|---|---|---|"]
    for row in benchmarks:
        if row["name"].startswith("layers/"):
            name = row["name"].removeprefix("layers/").removesuffix("/manual_time")
            rate = row.get("gflops", row.get("gbs", 0))
            lines.append(f"| {name} | {row['real_time']:.1f} | {rate:,.0f} |")
    return "\n".join(lines)


def report(gpu, pytorch):
    context = gpu["context"]
    torch = {(r["network"], r["batch"], r["tf32"], r["way"]): r["step_us"]
             for r in pytorch.get("rows", [])}
    beside = f" beside PyTorch {pytorch['version']}" if torch else ""
    reached = (f"{float(context['memory_gbs']):,.0f} GB/s of memory, "
               f"{float(context['fp32_gflops']):,.0f} GFLOP/s in float, "
               f"{float(context['tf32_gflops']):,.0f} in TF32, "
               f"{float(context['graph_node_us']):.2f} us a kernel in a graph")
    return (f"# weft {context['weft']} on {context['gpu']}{beside}\n\n"
            f"Reached by the GPU itself: {reached}.\n\n"
            f"## Training\n\n{training_table(parse_training(gpu['benchmarks']), torch)}\n\n"
            f"## Layers\n\n{layer_table(gpu['benchmarks'])}\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gpu", type=argparse.FileType())
    parser.add_argument("pytorch", type=argparse.FileType(), nargs="?")
    options = parser.parse_args()
    pytorch = json.load(options.pytorch) if options.pytorch else {}
    sys.stdout.write(report(json.load(options.gpu), pytorch))


if __name__ == "__main__":
    main()
