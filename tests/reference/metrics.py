"""Accuracies, top-k accuracies, and what follows from a confusion matrix."""

import keras
import numpy as np

from common import one_hot, tensor


def accuracy_case(name, kind, predictions, targets, **options):
    """in_top_k takes float32 only, so all metrics are given that; predictions are such that it changes nothing."""
    metric = getattr(keras.metrics, kind)(dtype="float32", **options)
    function = {
        "SparseTopKCategoricalAccuracy": keras.metrics.sparse_top_k_categorical_accuracy,
        "TopKCategoricalAccuracy": keras.metrics.top_k_categorical_accuracy,
        "SparseCategoricalAccuracy": keras.metrics.sparse_categorical_accuracy,
        "CategoricalAccuracy": keras.metrics.categorical_accuracy,
        "BinaryAccuracy": keras.metrics.binary_accuracy,
    }[kind]
    scores = predictions.astype(np.float32)
    matches = np.asarray(function(targets, scores, **options), dtype=np.float64)
    per_sample = matches.reshape(len(scores), -1).mean(axis=1)
    value = per_sample.mean()
    np.testing.assert_allclose(metric(targets, scores), value, rtol=1e-6)
    return {
        "name": f"{kind}_{name}",
        "type": kind,
        **options,
        "predictions": tensor(predictions),
        "targets": tensor(targets),
        "per_sample": tensor(per_sample),
        "value": float(value),
    }


def accuracy_cases():
    """Ties: argmax takes the first of the largest; a class is in the top k if fewer than k scores are above its own."""
    rng = np.random.default_rng(17)
    classes = 7
    plain = np.stack([rng.permutation(classes) for _ in range(11)]) * 0.125
    tied = rng.integers(0, 3, (11, classes)) * 0.25
    tied[0] = 0.5  # all alike
    cases = []
    for label, predictions in {"plain": plain, "ties": tied, "batch_of_one": plain[:1]}.items():
        labels = rng.integers(0, classes, len(predictions))
        hard = one_hot(labels, classes)
        cases.append(accuracy_case(label, "SparseCategoricalAccuracy", predictions, labels))
        cases.append(accuracy_case(label, "CategoricalAccuracy", predictions, hard))
        for k in (1, 3, 5, classes):
            cases.append(accuracy_case(f"{k}_{label}", "SparseTopKCategoricalAccuracy", predictions, labels, k=k))
            cases.append(accuracy_case(f"{k}_{label}", "TopKCategoricalAccuracy", predictions, hard, k=k))
    for label, shape in {"one_column": (9, 1), "columns": (5, 4)}.items():
        predictions = rng.integers(0, 9, shape) * 0.125  # 0.5 among them, which is not above the threshold
        cases.append(accuracy_case(label, "BinaryAccuracy", predictions, rng.integers(0, 2, shape), threshold=0.5))
    return cases


def report_case(name, predicted, targets, classes):
    """By formula, where 0 / 0 is 0: Keras's F1Score adds 1e-7 to each denominator.

    confusion[i, j]: how many samples of class i were taken for class j.
    """
    confusion = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(confusion, (targets, predicted), 1)

    def ratio(numerator, denominator):
        return np.divide(numerator, denominator, out=np.zeros(classes), where=denominator != 0)

    hits = np.diag(confusion).astype(np.float64)
    support = confusion.sum(axis=1)
    precision = ratio(hits, confusion.sum(axis=0))
    recall = ratio(hits, support)
    f1 = ratio(2 * precision * recall, precision + recall)

    keras_f1 = keras.metrics.F1Score(average=None)(one_hot(targets, classes), one_hot(predicted, classes))
    np.testing.assert_allclose(keras_f1, f1, atol=1e-6)
    return {
        "name": f"Report_{name}",
        "type": "Report",
        "classes": classes,
        "predicted": tensor(predicted),
        "targets": tensor(targets),
        "confusion": tensor(confusion),
        "support": tensor(support),
        "precision": tensor(precision),
        "recall": tensor(recall),
        "f1": tensor(f1),
        "accuracy": float(hits.sum() / len(targets)),
    }


def metric_cases():
    rng = np.random.default_rng(18)
    cases = accuracy_cases()
    targets = rng.integers(0, 4, 29)
    guesses = np.where(rng.uniform(size=29) < 0.6, targets, rng.integers(0, 4, 29))
    cases.append(report_case("all_classes", guesses, targets, 4))
    # Class 1 is never predicted, 3 never occurs, 4 neither.
    targets, guesses = rng.choice([0, 1, 2], 17), rng.choice([0, 2, 3], 17)
    cases.append(report_case("missing_classes", guesses, targets, 5))
    cases.append(report_case("all_wrong", np.array([1, 2, 0, 1]), np.array([0, 1, 2, 0]), 3))
    cases.append(report_case("all_right", np.array([1, 2, 0, 1]), np.array([1, 2, 0, 1]), 3))
    cases.append(report_case("batch_of_one", np.array([1]), np.array([1]), 2))
    return cases
