#!/usr/bin/env python3
"""A test of report.py: a small run becomes tables, well-formed charts and a page with results."""

import contextlib
import io
import json
import os
import tempfile
import unittest
import xml.etree.ElementTree

import report

TIMES = {  # microseconds
    "matmul/forward/32x784x128/weft": 50,
    "matmul/forward/32x784x128/eigen": 100,
    "matmul/forward/32x784x128/onednn": 40,
    "convolution/forward/cnn-1:28x1-3x32/weft": 300,
    "convolution/forward/cnn-1:28x1-3x32/onednn": 900,
    "convolution/forward/cnn-1:28x1-3x32/onednn-nhwc": 600,
    "optimizer/adam/101770/weft": 30,
    "training/steps/mlp-batch-32/weft": 2000,
    "growth/batch/mlp/1": 100,
    "growth/batch/mlp/32": 400,
    "growth/threads/mlp/1": 400,
    "growth/threads/mlp/2": 250,
}


def entry(index, name, microseconds):
    flop, bytes_moved, images = 1e6, 1e5, 32
    rate = 1e6 / microseconds
    numbers = {"name": f"{name}/real_time", "family_index": index, "run_type": "iteration",
               "real_time": microseconds, "time_unit": "us", "of_peak": 0.5}
    if name.startswith(("matmul", "convolution")):
        numbers |= {"GFLOP/s": 1e-9 * flop * rate, "flop_per_byte": flop / bytes_moved}
    elif name.startswith("optimizer"):
        numbers |= {"GB/s": 1e-9 * bytes_moved * rate}
    else:
        numbers |= {"GFLOP/s": 1e-9 * flop * rate, "items_per_second": images * rate,
                    "workspace_mib": 1.5, "parameters": 101770, "optimizer_steps": 2}
    return numbers


def weft_bench_json(threads):
    context = {"threads": str(threads), "instruction_set": "avx2", "compiler": "GNU 12", "flags": "-O3",
               "peak_gflops": "118", "peak_memory_gbs": "20", "peak_cache_gbs": "110", "load_avg": [0.5]}
    return {"context": context,
            "benchmarks": [entry(index, *item) for index, item in enumerate(TIMES.items())]}


PEERS = [
    {"model": "mlp", "framework": framework, "version": "1", "batch": 32, "threads": 2,
     "images_per_second": speed, "peak_mib": 100, **more}
    for framework, speed, more in (("weft", 1000, {}), ("dlib", 250, {}),
                                   ("pytorch", 500, {"weft_over_peer_images_per_second": 1.9}))
]


class ReportTest(unittest.TestCase):
    def test_a_run_becomes_a_report(self):
        with tempfile.TemporaryDirectory() as folder:
            for threads in (1, 2):
                with open(os.path.join(folder, f"weft-{threads}.json"), "w", encoding="utf-8") as file:
                    json.dump(weft_bench_json(threads), file)
            with open(os.path.join(folder, "peers.json"), "w", encoding="utf-8") as file:
                json.dump(PEERS, file)
            page = os.path.join(folder, "performance.md")
            with open(page, "w", encoding="utf-8") as file:
                file.write(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
            with contextlib.redirect_stdout(io.StringIO()):
                self.assertEqual(report.main(folder, page), 0)
                once = self.read(page)
                self.assertEqual(report.main(folder, page), 0)

            text = self.read(os.path.join(folder, "report.md"))
            self.assertIn("| products, all | 1 | 0.80 (0.80) | 0.80 (0.80) | 2.00 (2.00) |", text)
            self.assertIn("| first layers of the tutorials | 1 | 2.00 (2.00) |", text)
            self.assertIn("| mlp | 32 | 2 | dlib 1 | 250 | 4 | 100 |", text)
            self.assertIn("| mlp | 32 | 2 | pytorch 1 | 500 | 1.9 | 100 |", text)
            for name in ("matmul-1", "convolution-2", "roofline-2", "growth-1", "peers"):
                picture = xml.etree.ElementTree.parse(os.path.join(folder, f"{name}.svg"))
                self.assertGreater(len(picture.getroot()), 10)
                self.assertIn(f"(performance/{name}.svg)", once)
                self.assertTrue(os.path.exists(os.path.join(folder, "performance", f"{name}.svg")))
            self.assertEqual(self.read(page), once)
            self.assertTrue(once.startswith("before\n") and once.endswith("after\n"))
            self.assertNotIn("old", once)

    def test_a_failed_benchmark_fails_the_report(self):
        with tempfile.TemporaryDirectory() as folder:
            content = weft_bench_json(1)
            content["benchmarks"].append({"name": "pooling/x/weft/real_time", "error_occurred": True,
                                          "error_message": "differs from weft"})
            with open(os.path.join(folder, "weft-1.json"), "w", encoding="utf-8") as file:
                json.dump(content, file)
            with contextlib.redirect_stdout(io.StringIO()):
                self.assertEqual(report.main(folder), 1)
            self.assertIn("| pooling/x/weft | differs from weft | 1 |",
                          self.read(os.path.join(folder, "report.md")))

    @staticmethod
    def read(path):
        with open(path, encoding="utf-8") as file:
            return file.read()


if __name__ == "__main__":
    unittest.main()
