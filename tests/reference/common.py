"""What every topic needs: Keras in float64 on one thread, the JSON form of tensors, inputs and gradients.

Keras hands some Python floats to tf.cast or tf.convert_to_tensor, which round them to float32 on the way to
float64 (Adam's 1 - beta_2^t is then off by 1e-5), but leave a NumPy float64 alone. So options that take that
path are given as np.float64 here.
"""

import json
import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"

import keras
import numpy as np
import tensorflow as tf

keras.backend.set_floatx("float64")
keras.config.set_image_data_format("channels_last")
tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)

FOLDER = Path(__file__).resolve().parent
GENERATOR = f"keras {keras.__version__}, tensorflow {tf.__version__}, float64"


def tensor(array):
    """The JSON form of an array: its shape and its values, row major."""
    array = np.asarray(array)
    return {"shape": list(array.shape), "values": array.ravel().tolist()}


def dump(value, indent=0):
    """JSON with one field a line, but every tensor and every list of numbers on a line of its own."""
    is_tensor = isinstance(value, dict) and set(value) == {"shape", "values"}
    is_nested = isinstance(value, dict) or (
        isinstance(value, list) and any(isinstance(item, (dict, list)) for item in value)
    )
    if is_tensor or not is_nested or not value:
        return json.dumps(value, allow_nan=False)
    if isinstance(value, dict):
        lines = [f"{json.dumps(key)}: {dump(item, indent + 1)}" for key, item in value.items()]
        opening, closing = "{", "}"
    else:
        lines = [dump(item, indent + 1) for item in value]
        opening, closing = "[", "]"
    inner = "\n" + " " * (indent + 1)
    return opening + inner + ("," + inner).join(lines) + "\n" + " " * indent + closing


def write(name, cases):
    text = dump({"generator": GENERATOR, "cases": cases}) + "\n"
    (FOLDER / name).write_text(text, encoding="utf-8", newline="\n")
    print(f"{name}: {len(cases)} cases, {len(text)} bytes")


def normal(rng, shape, scale=1.0):
    return (scale * rng.standard_normal(shape)).round(3)


def distinct(rng, shape):
    """Values of both signs, no two equal and none zero, so that every maximum has one place."""
    count = int(np.prod(shape))
    return (0.017 * (rng.permutation(count) - count // 2) + 0.006).round(3).reshape(shape)


def probabilities(rng, shape):
    """Positive rows that sum to one."""
    weights = rng.uniform(0.05, 1.0, shape)
    return weights / weights.sum(axis=-1, keepdims=True)


def one_hot(labels, classes):
    return np.eye(classes)[labels]


def backward(rng, function, variables):
    """y = function(), a random upstream gradient dy, and for each variable the gradient of sum(dy * y)."""
    with tf.GradientTape() as tape:
        tape.watch(variables)
        y = function()
    dy = normal(rng, y.shape)
    return y, dy, tape.gradient(y, variables, output_gradients=tf.constant(dy))


def layer_case(rng, name, layer, x, **fields):
    """The case of a layer without weights, or of any function of one tensor."""
    x = tf.constant(x)
    y, dy, (dx,) = backward(rng, lambda: layer(x), [x])
    return {"name": name, **fields, "x": tensor(x), "y": tensor(y), "dy": tensor(dy), "dx": tensor(dx)}
