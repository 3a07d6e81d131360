#!/usr/bin/env python3
"""Tests of compare.py and of how results.py reads what weft_bench writes."""

import contextlib
import io
import json
import math
import os
import tempfile
import unittest

import compare
import results


def google_benchmark(times, threads=2):
    """JSON as weft_bench writes it: {name: microseconds of each repetition}."""
    entries = []
    for name, repetitions in times.items():
        for microseconds in repetitions:
            entries.append(
                {
                    "name": name + "/real_time",
                    "run_type": "iteration",
                    "real_time": microseconds,
                    "time_unit": "us",
                    "GFLOP/s": 1e3 / microseconds,
                }
            )
        entries.append({"name": name + "_median", "run_type": "aggregate", "real_time": 0})
    return {"context": {"threads": str(threads)}, "benchmarks": entries}


class CompareTest(unittest.TestCase):
    def run_compare(self, old, new, *options):
        with tempfile.TemporaryDirectory() as folder:
            paths = [os.path.join(folder, name) for name in ("old.json", "new.json")]
            for path, content in zip(paths, (old, new)):
                with open(path, "w", encoding="utf-8") as file:
                    json.dump(content, file)
            output = io.StringIO()
            with contextlib.redirect_stdout(output):
                status = compare.main([*paths, *options])
            return status, output.getvalue()

    def test_the_same_times_pass(self):
        times = google_benchmark({"matmul/forward/8x8x8/weft": [10, 11, 12]})
        self.assertEqual(self.run_compare(times, times)[0], 0)

    def test_a_regression_is_named(self):
        old = google_benchmark({"a/weft": [10, 11, 12], "b/weft": [5, 5, 5]})
        new = google_benchmark({"a/weft": [20, 21, 22], "b/weft": [5, 5, 5]})
        status, output = self.run_compare(old, new)
        self.assertEqual(status, 1)
        self.assertIn("a/weft (threads: 2)", output)
        self.assertIn("1.91 times", output)
        self.assertNotIn("b/weft", output)

    def test_the_threshold_counts(self):
        old = google_benchmark({"a/weft": [10, 10, 10]})
        new = google_benchmark({"a/weft": [12, 12, 12]})
        self.assertEqual(self.run_compare(old, new, "--threshold", "0.3")[0], 0)
        self.assertEqual(self.run_compare(old, new, "--threshold", "0.1")[0], 1)

    def test_what_overlaps_is_noise(self):
        old = google_benchmark({"a/weft": [10, 10, 40]})
        new = google_benchmark({"a/weft": [12, 13, 14]})
        self.assertEqual(self.run_compare(old, new)[0], 0)

    def test_what_is_missing_or_fails_regressed(self):
        old = google_benchmark({"a/weft": [10], "b/weft": [10]})
        new = google_benchmark({"b/weft": [10]})
        self.assertEqual(self.run_compare(old, new)[0], 1)
        failed = google_benchmark({"a/weft": [10]})
        failed["benchmarks"].append(
            {"name": "b/weft/real_time", "error_occurred": True, "error_message": "is wrong"}
        )
        status, output = self.run_compare(old, failed)
        self.assertEqual(status, 1)
        self.assertIn("is wrong", output)

    def test_other_libraries_and_thread_counts_are_not_compared(self):
        old = google_benchmark({"a/eigen": [10]})
        new = google_benchmark({"a/eigen": [99]})
        self.assertEqual(self.run_compare(old, new)[0], 2)
        old, new = google_benchmark({"a/weft": [1]}, 1), google_benchmark({"a/weft": [9]}, 2)
        self.assertEqual(self.run_compare(old, new)[0], 2)

    def test_a_report_can_be_compared_with_a_run(self):
        run = google_benchmark({"growth/batch/mlp/32": [10]})
        report = {"runs": [results.read_google_benchmark(run)]}
        slower = google_benchmark({"growth/batch/mlp/32": [30]})
        self.assertEqual(self.run_compare(report, run)[0], 0)
        self.assertEqual(self.run_compare(report, slower)[0], 1)


class ResultsTest(unittest.TestCase):
    def test_medians_and_ratios(self):
        run = results.read_google_benchmark(
            google_benchmark(
                {
                    "convolution/forward/a/weft": [20, 10, 30],
                    "convolution/forward/a/onednn": [50, 50, 50],
                    "convolution/forward/a/onednn-nhwc": [40, 40, 40],
                    "convolution/forward/b/weft": [80, 80, 80],
                    "convolution/forward/b/onednn": [40, 40, 40],
                }
            )
        )
        self.assertAlmostEqual(run["benchmarks"]["convolution/forward/a/weft"]["seconds"], 20e-6)
        self.assertAlmostEqual(run["benchmarks"]["convolution/forward/a/weft"]["gflops"], 50)
        found = results.ratios(run, "onednn")
        self.assertAlmostEqual(found["convolution/forward/a"], 2)  # the better layout
        self.assertAlmostEqual(found["convolution/forward/b"], 0.5)
        self.assertAlmostEqual(results.geometric_mean(found.values()), 1)
        self.assertEqual(results.ratios(run, "eigen"), {})
        self.assertTrue(math.isclose(results.geometric_mean([2, 8]), 4))


if __name__ == "__main__":
    unittest.main()
