#!/usr/bin/env python3
"""Trains the tutorials' networks with PyTorch on a GPU, as weft_gpu_bench does with weft.

    python3 bench/gpu/pytorch.py --out build/gpu/pytorch.json

Random pictures that lie on the GPU, cross-entropy, Adam; no augmentation, no penalties.
Three ways of use: eager; compiled; and a whole step as one CUDA graph, which gathers its batch too. All of
them channels last, with the fused Adam that graphs can hold. Writes {network, batch, tf32, way, step_us} for
each: medians of five epochs after one. Ends with 77 where PyTorch finds no GPU.
"""

import argparse
import json
import statistics
import sys
import time

WAYS = ("eager", "compiled", "graph")
BATCHES = (32, 500, 4096)
MOST_SAMPLES, MOST_STEPS, EPOCHS = 60_000, 500, 6

# The parameters that an optimiser trains, which networks here must have.
PARAMETERS = {"mlp": 101_770, "mlp-wide": 218_058, "dense-on-rows": 29_898, "cnn": 804_554,
              "mlp-deep": 2_222_460, "cnn-deep": 906_890, "cnn-bn": 890_218, "cnn-wide": 5_259_594,
              "cnn-augmented": 288_618}


def network(name):
    """Of torch, up to the logits."""
    from torch import nn

    def dense(sizes, last=True):
        layers = []
        for features, units in zip(sizes, sizes[1:]):
            layers += [nn.Linear(features, units), nn.ReLU()]
        return layers[:-1] if last else layers

    def convolution(channels, filters, size, padding="same", norm=False):
        layers = [nn.Conv2d(channels, filters, size, padding=padding), nn.ReLU()]
        return layers + [nn.BatchNorm2d(filters)] if norm else layers

    if name == "mlp":
        return nn.Sequential(nn.Flatten(), *dense([784, 128, 10]))
    if name == "mlp-wide":
        return nn.Sequential(nn.Flatten(), *dense([784, 256, 64, 10]))
    if name == "dense-on-rows":
        return nn.Sequential(nn.Flatten(1, 2), *dense([28, 128, 64], last=False), nn.Flatten(),
                             nn.Linear(28 * 64, 10))
    if name == "cnn":
        return nn.Sequential(*convolution(1, 32, 3), nn.MaxPool2d(2), nn.Flatten(),
                             *dense([6272, 128, 10]))
    if name == "mlp-deep":
        layers, features = [nn.Flatten()], 784
        for units in (1000, 800, 500, 300, 200, 100):
            layers += [*dense([features, units], last=False), nn.Dropout(0.2)]
            features = units
        return nn.Sequential(*layers, *dense([100, 50, 10]))
    if name == "cnn-deep":
        layers, channels = [], 1
        for filters in (64, 64, 128, 128):
            layers += [*convolution(channels, filters, 2, norm=True), nn.MaxPool2d(2),
                       nn.Dropout(0.3)]
            channels = filters
        return nn.Sequential(*layers, nn.Flatten(), *dense([128, 1024, 512, 256], last=False),
                             nn.Dropout(0.5), nn.Linear(256, 10))
    if name == "cnn-bn":
        layers, channels = [], 1
        for filters, padding in ((32, "same"), (64, "valid")):
            for _ in range(2):
                layers += convolution(channels, filters, 3, padding, norm=True)
                channels = filters
            layers += [nn.MaxPool2d(2), nn.Dropout(0.25)]
        return nn.Sequential(*layers, nn.Flatten(), *dense([1600, 512], last=False),
                             nn.Dropout(0.5), nn.Linear(512, 10))
    if name == "cnn-wide":
        return nn.Sequential(
            *convolution(1, 64, 3), *convolution(64, 64, 3), nn.MaxPool2d(2),
            *convolution(64, 128, 3), *convolution(128, 256, 3, "valid"), nn.MaxPool2d(2),
            nn.Flatten(), *dense([9216, 512], last=False), nn.Dropout(0.5),
            *dense([512, 256], last=False), nn.Dropout(0.5), nn.Linear(256, 10))
    layers, channels = [], 1
    for filters in (32, 64, 128):
        for _ in range(2):
            layers += convolution(channels, filters, 3, norm=True)
            channels = filters
        layers.append(nn.MaxPool2d(2) if filters < 128 else nn.AdaptiveAvgPool2d(1))
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(128, 10))


class Step:
    """step(indices) trains on those samples."""

    def __init__(self, name, batch, samples, way, device):
        import torch

        torch.manual_seed(1)
        self.torch, self.way = torch, way
        self.x = torch.rand(samples, 1, 28, 28, device=device)
        self.y = torch.arange(samples, device=device) * 7 % 10
        self.network = network(name).to(device, memory_format=torch.channels_last)
        count = sum(p.numel() for p in self.network.parameters())
        if count != PARAMETERS[name]:
            raise ValueError(f"{name}: {count} parameters, expected {PARAMETERS[name]}")
        on_gpu = device == "cuda"
        self.optimizer = torch.optim.Adam(self.network.parameters(), fused=on_gpu,
                                          capturable=on_gpu)
        self.loss_of = torch.nn.CrossEntropyLoss()
        self.loss_sum = torch.zeros((), device=device)
        if way == "compiled":
            self.network.compile(mode="max-autotune-no-cudagraphs" if on_gpu else "default")
        self.indices = torch.zeros(batch, dtype=torch.int64, device=device)
        self.graph = self.capture() if way == "graph" else None

    def run(self, indices):
        x = self.x[indices].contiguous(memory_format=self.torch.channels_last)
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.loss_of(self.network(x), self.y[indices])
        loss.backward()
        self.optimizer.step()
        self.loss_sum += loss.detach()

    def capture(self):
        """As PyTorch's notes on CUDA graphs say: some steps on another stream first."""
        torch = self.torch
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(3):
                self.run(self.indices)
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.run(self.indices)
        return graph

    def __call__(self, indices):
        if self.graph is None:
            self.run(indices)
        else:
            self.indices.copy_(indices)
            self.graph.replay()


def seconds_of_step(name, batch, way, device, steps):
    import torch

    step = Step(name, batch, steps * batch, way, device)
    seconds = []
    for _ in range(EPOCHS):
        step.loss_sum.zero_()
        start = time.perf_counter()
        for indices in torch.randperm(steps * batch, device=device).split(batch):
            step(indices)
        loss = step.loss_sum.item()  # waits
        seconds.append((time.perf_counter() - start) / steps)
        if loss != loss:
            raise ValueError(f"{name}: the loss is not a number")
    return statistics.median(seconds[1:])


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=argparse.FileType("w"), required=True)
    parser.add_argument("--networks", nargs="+", choices=PARAMETERS, default=list(PARAMETERS))
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS)
    parser.add_argument("--batches", nargs="+", type=int, default=BATCHES)
    parser.add_argument("--steps", type=int, default=MOST_STEPS, help="an epoch at most")
    parser.add_argument("--cpu", action="store_true", help="only to see that it runs")
    options = parser.parse_args()
    try:
        import torch
    except ModuleNotFoundError:
        print("pytorch.py: PyTorch is not installed", file=sys.stderr)
        return 77
    if not options.cpu and not torch.cuda.is_available():
        print("pytorch.py: PyTorch finds no GPU", file=sys.stderr)
        return 77

    device = "cpu" if options.cpu else "cuda"
    rows, failed = [], False
    for name in options.networks:
        for batch in options.batches:
            for tf32 in (False,) if options.cpu else (False, True):
                torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32
                torch.backends.cudnn.benchmark = True
                for way in options.ways:
                    what = f"{name}, batch {batch}, {'TF32' if tf32 else 'float'}, {way}"
                    steps = max(1, min(options.steps, MOST_SAMPLES // batch))
                    try:
                        seconds = seconds_of_step(name, batch, way, device, steps)
                    except (RuntimeError, ValueError) as error:
                        failed = True
                        print(f"{what}: failed: {error}", file=sys.stderr)
                        continue
                    rows.append({"network": name, "batch": batch, "tf32": tf32, "way": way,
                                 "step_us": 1e6 * seconds})
                    print(f"{what}: {1e6 * seconds:.1f} us a step", file=sys.stderr)
    with options.out as file:
        json.dump({"version": torch.__version__, "rows": rows}, file, indent=1)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
