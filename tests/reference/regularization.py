"""Regularizers and constraints."""

import keras
import numpy as np
import tensorflow as tf

from common import normal, tensor


def regularizer(kind, **factors):
    """A regularizer whose factors stay float64: its constructor makes Python floats of them, for tf.cast to round."""
    result = getattr(keras.regularizers, kind)(**factors)
    for name, value in factors.items():
        setattr(result, name, np.float64(value))
    return result


def regularizer_cases():
    """value = l1 * sum |x| + l2 * sum x^2, with a zero in x: its share of dx is zero."""
    rng = np.random.default_rng(15)
    plans = [
        ("L1_default", "L1", {"l1": 0.01}, (3, 4)),
        ("L1_options", "L1", {"l1": 0.3}, (2, 1, 3, 4)),
        ("L2_default", "L2", {"l2": 0.01}, (3, 4)),
        ("L2_options", "L2", {"l2": 0.3}, (2, 1, 3, 4)),
        ("L1L2", "L1L2", {"l1": 0.2, "l2": 0.07}, (5, 3)),
        ("L1L2_vector", "L1L2", {"l1": 0.01, "l2": 0.01}, (5,)),
    ]
    cases = []
    for name, kind, factors, shape in plans:
        values = normal(rng, shape)
        values.ravel()[2] = 0.0
        x = tf.constant(values)
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = regularizer(kind, **factors)(x)
        dx = tape.gradient(value, x)
        cases.append(
            {"name": name, "type": kind, **factors, "x": tensor(x), "value": float(value), "dx": tensor(dx)}
        )
    return cases


def constraint_cases():
    """Norms run over axis; Keras divides by norm + 1e-7. One column of x is zero, and some are short."""
    rng = np.random.default_rng(16)
    constraints = keras.constraints
    plans = [
        ("MaxNorm_default", constraints.MaxNorm(), (3, 5)),
        ("MaxNorm_options", constraints.MaxNorm(max_value=0.7, axis=0), (4, 6)),
        ("MaxNorm_rows", constraints.MaxNorm(max_value=1.5, axis=1), (6, 3)),
        ("MaxNorm_kernel", constraints.MaxNorm(max_value=1.2, axis=[0, 1, 2]), (2, 3, 4, 5)),
        ("MaxNorm_bias", constraints.MaxNorm(max_value=1.1, axis=0), (6,)),
        ("UnitNorm_default", constraints.UnitNorm(), (3, 5)),
        ("UnitNorm_rows", constraints.UnitNorm(axis=1), (6, 3)),
        ("UnitNorm_kernel", constraints.UnitNorm(axis=[0, 1, 2]), (2, 3, 4, 5)),
        ("NonNeg_matrix", constraints.NonNeg(), (3, 5)),
        ("NonNeg_kernel", constraints.NonNeg(), (2, 1, 3, 4)),
    ]
    cases = []
    for name, constraint, shape in plans:
        shrinking = 1.0 if len(shape) == 1 else np.linspace(2.0, 0.0, shape[-1])
        x = (shrinking * normal(rng, shape)).round(3)
        config = constraint.get_config()
        if "axis" in config:
            config["axis"] = np.atleast_1d(config["axis"]).tolist()
        cases.append(
            {
                "name": name,
                "type": type(constraint).__name__,
                **config,
                "x": tensor(x),
                "y": tensor(constraint(tf.constant(x))),
            }
        )
    return cases
