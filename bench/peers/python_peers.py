#!/usr/bin/env python3
"""Trains a tutorial's network with PyTorch or Keras, as the C++ programs of this folder do.

    python3 python_peers.py --framework pytorch --variant compile --model cnn --threads 2 ...

compare.py names all options. Prints one JSON object. With --available it prints instead which of
the frameworks this Python has and which variants of their use compare.py tries.
"""

import argparse
import gzip
import importlib.util
import json
import os
import statistics
import time

PREDICT_BATCH = 256
DATA = "/usr/share/datasets/fashion-mnist/train-"
VARIANTS = {
    "pytorch": ["eager", "eager_channels_last+keep", "compile+keep"],
    "keras": ["graph+keep", "xla+keep"],
}


def available():
    """{framework: variants} of what is installed, found without importing it."""
    modules = {"pytorch": ["torch"], "keras": ["keras", "tensorflow"]}
    return {framework: VARIANTS[framework] for framework, needs in modules.items()
            if all(importlib.util.find_spec(module) for module in needs)}


def load_data(samples):
    """Images (N, 784) from 0 to 1 and labels (N): peer.hpp's load_data."""
    import numpy as np

    def read(name, header, size):
        with gzip.open(DATA + name, "rb") as file:
            file.read(header)
            return np.frombuffer(file.read(size), np.uint8)

    try:
        images = read("images-idx3-ubyte.gz", 16, samples * 784).reshape(samples, 784)
        labels = read("labels-idx1-ubyte.gz", 8, samples)
    except FileNotFoundError:
        states, state = bytearray(), 1
        for _ in range(samples * 785):
            state = (state * 1664525 + 1013904223) % 2**32
            states.append(state >> 24)
        images = np.frombuffer(states, np.uint8)[:samples * 784].reshape(samples, 784).copy()
        labels = np.frombuffer(states, np.uint8)[samples * 784:] % 10
        for image, label in zip(images, labels):
            image[56 * int(label):56 * int(label) + 56] = 255
    pixels = images.astype(np.float32)
    pixels /= 255  # in place: peak_mib counts
    return pixels, labels.astype(np.int64)


def peak_mib():
    """The process's largest resident size so far."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM:"))


class Report:
    """Times the run: end_chunk(loss) is called after each chunk."""

    def __init__(self, task, version, parameters):
        self.task = task
        self.result = {"model": task.model, "framework": task.framework, "version": version,
                       "variant": task.variant, "batch": task.batch, "threads": task.threads,
                       "parameters": parameters}
        self.losses, self.speeds = [], []

    def end_chunk(self, loss):
        now = time.perf_counter()
        if len(self.losses) >= self.task.warm_up:
            self.speeds.append(self.task.samples / (now - self.chunk_start))
        self.losses.append(float(loss))
        self.result["peak_mib"] = round(peak_mib(), 1)
        self.chunk_start = time.perf_counter()

    def time_prediction(self, predict):
        """predict(i, count) predicts the samples i ... i + count - 1."""
        self.result["predict_latency_us"] = 1e6 * self.median_seconds(predict, 1)
        self.result["predict_images_per_second"] = (
            PREDICT_BATCH / self.median_seconds(predict, PREDICT_BATCH))

    def median_seconds(self, predict, count):
        """Of a call, each with the next samples, for a second; the first fifth warms up."""
        predict(0, count)  # may compile
        times, first, start = [], 0, time.perf_counter()
        while time.perf_counter() - start < 1:
            first = 0 if first + count > self.task.samples else first
            call_start = time.perf_counter()
            predict(first, count)
            call_end = time.perf_counter()
            if call_end - start > 0.2:
                times.append(call_end - call_start)
            first += count
        return statistics.median(times)

    def print(self):
        print(json.dumps(self.result | {"images_per_second": statistics.median(self.speeds),
                                        "losses": self.losses}))


def torch_network(model):
    from torch import nn

    def convolution(channels, filters, kernel):
        return [nn.Conv2d(channels, filters, kernel, padding="same"), nn.ReLU()]

    def dense(features, units):
        return [nn.Linear(features, units), nn.ReLU()]

    if model == "mlp":
        layers = [nn.Flatten(), *dense(784, 128), nn.Linear(128, 10)]
    elif model == "cnn":
        layers = [*convolution(1, 32, 3), nn.MaxPool2d(2), nn.Flatten(), *dense(6272, 128),
                  nn.Linear(128, 10)]
    else:
        layers, channels = [], 1
        for filters in (64, 64, 128, 128):
            layers += [*convolution(channels, filters, 2), nn.BatchNorm2d(filters),
                       nn.MaxPool2d(2), nn.Dropout(0.3)]
            channels = filters
        layers += [nn.Flatten(), *dense(128, 1024), *dense(1024, 512), *dense(512, 256),
                   nn.Dropout(0.5), nn.Linear(256, 10)]
    return nn.Sequential(*layers)


def run_pytorch(task):
    import torch

    torch.set_num_threads(task.threads)
    torch.set_num_interop_threads(1)
    torch.manual_seed(1)
    images, labels = map(torch.from_numpy, load_data(task.samples))
    images = images.reshape(-1, 1, 28, 28)
    layout = torch.contiguous_format if task.variant == "eager" else torch.channels_last

    network = torch_network(task.model).to(memory_format=layout)
    parameters = sum(p.numel() for p in network.parameters())
    optimizer = torch.optim.Adam(network.parameters(), lr=0.001, fused=True)
    loss_of = torch.nn.CrossEntropyLoss()
    if task.variant == "compile":
        network.compile()

    report = Report(task, torch.__version__, parameters)
    network.train()
    for _ in range(task.warm_up + task.chunks):
        loss_sum = torch.zeros(())
        for batch in torch.randperm(task.samples).split(task.batch):
            x = images[batch].contiguous(memory_format=layout)
            optimizer.zero_grad(set_to_none=True)
            loss = loss_of(network(x), labels[batch])
            loss.backward()
            optimizer.step()
            loss_sum += loss.detach() * len(batch)
        report.end_chunk(loss_sum.item() / task.samples)

    @torch.inference_mode()
    def predict(i, count):
        return network(images[i:i + count].contiguous(memory_format=layout)).softmax(1)

    network.eval()
    report.time_prediction(predict)
    report.print()


def keras_network(model):
    """Up to the logits: their loss is faster than that of probabilities."""
    from keras import Input, Sequential, layers

    def block(filters):
        return [layers.Conv2D(filters, 2, padding="same", activation="relu"),
                layers.BatchNormalization(), layers.MaxPooling2D(), layers.Dropout(0.3)]

    if model == "mlp":
        stack = [layers.Flatten(), layers.Dense(128, "relu")]
    elif model == "cnn":
        stack = [layers.Conv2D(32, 3, padding="same", activation="relu"), layers.MaxPooling2D(),
                 layers.Flatten(), layers.Dense(128, "relu")]
    else:
        stack = [*block(64), *block(64), *block(128), *block(128), layers.Flatten(),
                 *(layers.Dense(units, "relu") for units in (1024, 512, 256)),
                 layers.Dropout(0.5)]
    return Sequential([Input((28, 28, 1)), *stack, layers.Dense(10)])


def run_keras(task):
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    os.environ["KERAS_BACKEND"] = "tensorflow"
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(task.threads)
    tf.config.threading.set_inter_op_parallelism_threads(task.threads)
    import keras

    keras.utils.set_random_seed(1)
    images, labels = load_data(task.samples)
    images = images.reshape(-1, 28, 28, 1)
    xla = task.variant == "xla"

    network = keras_network(task.model)
    parameters = sum(int(v.shape.num_elements()) for v in network.trainable_variables)
    network.compile(keras.optimizers.Adam(0.001),
                    keras.losses.SparseCategoricalCrossentropy(from_logits=True),
                    jit_compile=xla,
                    steps_per_execution=min(25, task.samples // task.batch))
    report = Report(task, f"{keras.__version__} (TensorFlow {tf.__version__})", parameters)

    class EndChunk(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            report.end_chunk(logs["loss"])

    network.fit(images, labels, batch_size=task.batch, epochs=task.warm_up + task.chunks,
                verbose=0,
                callbacks=[EndChunk()])

    # Keras's predict() is for many batches; its documentation advises a call for small inputs.
    @tf.function(jit_compile=xla)
    def probabilities(x):
        return tf.nn.softmax(network(x, training=False))

    report.time_prediction(lambda i, count: probabilities(
        tf.convert_to_tensor(images[i:i + count])).numpy())
    report.print()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--available", action="store_true")
    parser.add_argument("--framework", choices=VARIANTS)
    parser.add_argument("--variant", default="")
    parser.add_argument("--model", choices=["mlp", "cnn", "cnn-deep"])
    for option, default in {"threads": 1, "warm-up": 1, "chunks": 3, "batch": 32, "samples": 6400}.items():
        parser.add_argument("--" + option, type=int, default=default)
    task = parser.parse_args()
    if task.available:
        print(json.dumps(available()))
    else:
        {"pytorch": run_pytorch, "keras": run_keras}[task.framework](task)


if __name__ == "__main__":
    main()
