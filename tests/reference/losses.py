"""Losses, and their options: label smoothing and sample weights."""

import keras
import numpy as np
import tensorflow as tf

from common import normal, one_hot, probabilities, tensor


def loss_case(kind, label, predictions, targets, from_logits=None, label_smoothing=None, sample_weight=None):
    """One case. The predictions are a plain constant, so Keras sees no softmax or sigmoid to undo.

    per_sample knows nothing of sample_weight, which has one number per sample however many losses a sample has.
    """
    predictions = tf.constant(np.asarray(predictions, dtype=np.float64))
    targets = np.asarray(targets)
    options = {"from_logits": from_logits, "label_smoothing": label_smoothing}
    options = {key: value for key, value in options.items() if value is not None}
    loss_class = getattr(keras.losses, kind)

    losses = loss_class(reduction="none", **options)(targets, predictions).numpy()
    weights = {}
    if sample_weight is not None:
        weights["sample_weight"] = sample_weight.reshape(-1, *[1] * (losses.ndim - 1))
    with tf.GradientTape() as tape:
        tape.watch(predictions)
        loss = loss_class(reduction="sum_over_batch_size", **options)(targets, predictions, **weights)
    per_sample = losses.reshape(len(losses), -1).mean(axis=1)

    suffix = {None: "", True: "_logits", False: "_probabilities"}[from_logits]
    case = {
        "name": f"{kind}{suffix}_{label}",
        "type": kind,
        **options,
        "predictions": tensor(predictions),
        "targets": tensor(targets),
        **({} if sample_weight is None else {"sample_weight": tensor(sample_weight)}),
        "per_sample": tensor(per_sample),
        "loss": float(loss),
        "dpredictions": tensor(tape.gradient(loss, predictions)),
    }
    if sample_weight is None and not np.isclose(per_sample.mean(), case["loss"], rtol=1e-14, atol=0):
        case["note"] = "loss is not the mean of per_sample"
    return case


# Keras clips probabilities to [1e-7, 1 - 1e-7]; the last rows sit on those bounds and just outside them.
HARD_ROWS = [
    [1.0, 0.0, 0.0],
    [0.0, 0.0, 1.0],
    [0.0, 1.0, 0.0],
    [0.5, 0.5, 0.0],
    [1e-7, 1 - 1e-7, 0.0],
    [1e-8, 1 - 1e-8, 0.0],
]
UNNORMALISED_ROWS = [[0.2, 0.3, 0.1], [0.9, 0.8, 0.7], [0.05, 0.01, 0.02], [2.0, 0.5, 3.0]]
EXTREME_LOGITS = [
    [1000.0, -1000.0, 0.0],
    [1000.0, -1000.0, 0.0],
    [100.0, -100.0, 99.0],
    [-100.0, 100.0, -99.0],
    [-1000.0, -1000.0, -1000.0],
    [0.0, 1e-30, -1e-30],
]


def class_loss_cases():
    """Categorical losses: predictions (N, ..., C); labels (N, ...) if sparse, else (N, ..., C)."""
    rng = np.random.default_rng(4)
    cases = []
    for from_logits in (False, True):
        inputs = {}
        for label, shape in {"rank_2": (5, 4), "batch_of_one": (1, 3), "rank_3": (2, 3, 4)}.items():
            predictions = normal(rng, shape, 2.0) if from_logits else probabilities(rng, shape)
            inputs[label] = predictions, rng.integers(0, shape[-1], shape[:-1])
        if from_logits:
            inputs["extreme"] = EXTREME_LOGITS, np.array([0, 1, 2, 0, 1, 2])
        else:
            inputs["zero_and_one"] = HARD_ROWS, np.array([0, 0, 2, 1, 0, 1])
            inputs["not_summing_to_one"] = UNNORMALISED_ROWS, np.array([1, 2, 0, 2])

        for label, (predictions, labels) in inputs.items():
            classes = np.shape(predictions)[-1]
            cases.append(loss_case("SparseCategoricalCrossentropy", label, predictions, labels, from_logits))
            cases.append(
                loss_case("CategoricalCrossentropy", label, predictions, one_hot(labels, classes), from_logits)
            )
        # Soft targets sum to one: TensorFlow's gradient with respect to logits takes that for granted.
        for label in ("rank_2", "rank_3"):
            predictions = inputs[label][0]
            soft = probabilities(rng, predictions.shape)
            cases.append(loss_case("CategoricalCrossentropy", f"soft_{label}", predictions, soft, from_logits))
        hard = EXTREME_LOGITS if from_logits else HARD_ROWS
        soft = probabilities(rng, np.shape(hard))
        cases.append(loss_case("CategoricalCrossentropy", "soft_hard_rows", hard, soft, from_logits))
    return cases


def binary_loss_cases():
    rng = np.random.default_rng(5)
    cases = []
    for from_logits in (False, True):
        shapes = {"rank_2": (4, 3), "one_column": (5, 1), "batch_of_one": (1, 4), "rank_3": (2, 3, 4)}
        for label, shape in shapes.items():
            predictions = normal(rng, shape, 2.0) if from_logits else rng.uniform(0.02, 0.98, shape).round(3)
            labels = rng.integers(0, 2, shape).astype(np.float64)
            soft = rng.uniform(0.0, 1.0, shape).round(3)
            cases.append(loss_case("BinaryCrossentropy", label, predictions, labels, from_logits))
            cases.append(loss_case("BinaryCrossentropy", f"soft_{label}", predictions, soft, from_logits))
        hard = EXTREME_LOGITS if from_logits else HARD_ROWS
        labels = rng.integers(0, 2, np.shape(hard)).astype(np.float64)
        soft = rng.uniform(0.0, 1.0, np.shape(hard)).round(3)
        label = "extreme" if from_logits else "zero_and_one"
        cases.append(loss_case("BinaryCrossentropy", label, hard, labels, from_logits))
        cases.append(loss_case("BinaryCrossentropy", f"soft_{label}", hard, soft, from_logits))
    return cases


def squared_loss_cases():
    rng = np.random.default_rng(6)
    shapes = {
        "rank_2": (4, 3),
        "one_column": (5, 1),
        "batch_of_one": (1, 4),
        "rank_3": (2, 3, 4),
        "rank_4": (2, 3, 4, 5),
    }
    return [
        loss_case("MeanSquaredError", label, normal(rng, shape, 2.0), normal(rng, shape))
        for label, shape in shapes.items()
    ]


def loss_option_cases():
    """Label smoothing of 0.1 and 0.3, and sample weights: the loss is sum(weight * loss of the sample) / N."""
    rng = np.random.default_rng(14)
    cases = []
    for from_logits in (False, True):

        def drawn(shape):
            return normal(rng, shape, 2.0) if from_logits else probabilities(rng, shape)

        def add(kind, label, predictions, targets, **options):
            cases.append(loss_case(kind, label, predictions, targets, from_logits, **options))

        for label, shape in {"rank_2": (5, 4), "batch_of_one": (1, 3), "rank_3": (2, 3, 4)}.items():
            categorical, binary = "CategoricalCrossentropy", "BinaryCrossentropy"
            for smoothing in (0.1, 0.3):
                name, option = f"smoothing_{smoothing}_{label}", {"label_smoothing": smoothing}
                hard = one_hot(rng.integers(0, shape[-1], shape[:-1]), shape[-1])
                add(categorical, name, drawn(shape), hard, **option)
                independent = normal(rng, shape, 2.0) if from_logits else rng.uniform(0.02, 0.98, shape).round(3)
                add(binary, name, independent, rng.integers(0, 2, shape).astype(np.float64), **option)

            weight = rng.uniform(0.2, 3.0, shape[:1]).round(3)
            if len(weight) > 2:
                weight[2] = 0.0
            for name, weight in {"weights": weight, "zero_weights": np.zeros_like(weight)}.items():
                name, labels = f"{name}_{label}", rng.integers(0, shape[-1], shape[:-1])
                hard = one_hot(labels, shape[-1])
                if name.startswith("zero") and label != "rank_2":
                    continue
                add("SparseCategoricalCrossentropy", name, drawn(shape), labels, sample_weight=weight)
                add(categorical, name, drawn(shape), hard, sample_weight=weight)
                add(binary, name, drawn(shape), hard, sample_weight=weight)
                if label == "rank_2":
                    options = {"sample_weight": weight, "label_smoothing": 0.1}
                    add(categorical, f"smoothing_0.1_{name}", drawn(shape), hard, **options)
    for label, shape in {"rank_2": (5, 4), "one_column": (5, 1), "rank_3": (2, 3, 4)}.items():
        weight = rng.uniform(0.2, 3.0, shape[:1]).round(3)
        weight[1] = 0.0
        x, y = normal(rng, shape, 2.0), normal(rng, shape)
        cases.append(loss_case("MeanSquaredError", f"weights_{label}", x, y, sample_weight=weight))
    return cases
