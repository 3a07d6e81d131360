"""Callbacks that act on a score, epoch by epoch, in runs whose scores are given."""

import keras
import numpy as np


class ScriptedModel:
    """What the callbacks ask of a model: its learning rate, its weights, and to stop."""

    def __init__(self):
        self.optimizer = keras.optimizers.SGD(1.0)
        self.stop_training = False
        self.weights = 0

    def get_weights(self):
        return self.weights

    def set_weights(self, weights):
        self.weights = weights


def callback_case(name, kind, options, scores):
    """rates: after each epoch that ran. The weights of an epoch are its number, from 1."""
    model = ScriptedModel()
    callback = getattr(keras.callbacks, kind)(**options)
    callback.set_model(model)
    callback.on_train_begin()
    rates = []
    for epoch, score in enumerate(scores):
        model.weights = epoch + 1
        callback.on_epoch_end(epoch, {options["monitor"]: score})
        rates.append(float(model.optimizer.learning_rate))
        if model.stop_training:
            break
    callback.on_train_end()
    outcome = {"rates": rates} if kind == "ReduceLROnPlateau" else {"epochs_run": len(rates), "weights": model.weights}
    return {"name": name, "type": kind, "options": options, "scores": scores, **outcome}


def callback_cases():
    """Scores that wander, so that plateaus begin, end, and come back while a callback waits or cools down."""
    rng = np.random.default_rng(31)
    cases = []
    for i in range(36):
        falling = np.linspace(2.0, 1.6, 16) + rng.normal(0.0, 0.15, 16)
        rising = i % 3 == 2
        scores = [float(value) for value in ((1.0 - falling / 4) if rising else falling).round(2)]
        options = {
            "monitor": "val_accuracy" if rising else "val_loss",
            "mode": "max" if rising else "min",
            "patience": int(rng.integers(0, 4)),
            "min_delta": float(rng.choice([0.0, 0.02, 0.1])),
        }
        if i % 2 == 0:
            options |= {"factor": 0.5, "cooldown": int(i // 2 % 5), "min_lr": float(rng.choice([0.0, 0.1]))}
            cases.append(callback_case(f"plateau_{i}", "ReduceLROnPlateau", options, scores))
        else:
            options |= {"restore_best_weights": True}
            cases.append(callback_case(f"stopping_{i}", "EarlyStopping", options, scores))
    return cases
