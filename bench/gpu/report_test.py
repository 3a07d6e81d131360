#!/usr/bin/env python3
"""A test of report.py: what was measured becomes tables, beside PyTorch and alone."""

import unittest

import report

GPU = {
    "context": {"weft": "0.1.0", "gpu": "a GPU", "memory_gbs": "3000.4", "fp32_gflops": "60000",
                "tf32_gflops": "400000", "graph_node_us": "1.5"},
    "benchmarks": [
        {"name": "layers/forward/dense:mlp-1:32/tf32/manual_time", "real_time": 4.0, "gflops": 1600.0},
        {"name": "layers/forward/max_pool2d:cnn:32/fp32/manual_time", "real_time": 5.0, "gbs": 800.0},
        {"name": "training/mlp:32/fp32/iterations:1/manual_time", "real_time": 20.0,
         "images_per_second": 1.6e6, "times_floor": 10.0},
        {"name": "training/cnn-deep:500/tf32/iterations:1/manual_time", "real_time": 500.0,
         "images_per_second": 1e6, "times_floor": 1.5},
        {"name": "training/cnn:32/fp32/iterations:1/manual_time", "error_occurred": True}],
}
PYTORCH = {"version": "2.9", "rows": [
    {"network": "mlp", "batch": 32, "tf32": False, "way": "eager", "step_us": 200.0},
    {"network": "mlp", "batch": 32, "tf32": False, "way": "graph", "step_us": 50.0}]}


class ReportTest(unittest.TestCase):
    def test_beside_pytorch(self):
        text = report.report(GPU, PYTORCH)
        self.assertIn("# weft 0.1.0 on a GPU beside PyTorch 2.9", text)
        self.assertIn("3,000 GB/s", text)
        self.assertIn("| `mlp` | 32 | float | 20.0 | 1,600,000 | 10.0 | 200.0 | 50.0 | 2.50x the fastest | reached |",
                      text)
        self.assertIn("| `cnn-deep` | 500 | TF32 | 500.0 | 1,000,000 | 1.5 |  |  |  | reached |", text)
        self.assertNotIn("`cnn`", text)  # it failed

    def test_alone(self):
        text = report.report(GPU, {})
        self.assertIn("| `mlp` | 32 | float | 20.0 | 1,600,000 | 10.0 | reached |\n", text)
        self.assertIn("| forward/dense:mlp-1:32/tf32 | 4.0 | 1,600 |", text)
        self.assertIn("| forward/max_pool2d:cnn:32/fp32 | 5.0 | 800 |", text)

    def test_goals(self):
        self.assertEqual(report.missed_goals("mlp", 32, 10, 9, 13.1), [])
        self.assertEqual(report.missed_goals("mlp", 32, 10, 9, 12.9), ["1.29 of 1.3 times the graph"])
        self.assertEqual(report.missed_goals("cnn", 500, 10, 2.1, 11),
                         ["2.1 of 2 times the floor", "1.10 of 1.2 times the graph"])
        self.assertEqual(report.missed_goals("dense-on-rows", 32, 10, 9, 9.9),
                         ["0.99 of 1.0 times the graph"])
        self.assertEqual(report.missed_goals("cnn", 32, 10, 9, None), [])


if __name__ == "__main__":
    unittest.main()
