"""Writes the reference values that the tests compare against, computed by Keras in float64.

    python3 -m venv v
    v/bin/pip install tensorflow-cpu==2.21.0 keras==3.15.1 numpy==2.4.6
    v/bin/python tests/reference/generate.py

One JSON file per topic appears beside this script: {"generator": ..., "cases": [...]}. A tensor is
{"shape": [...], "values": [...]}, row major, each double written so that reading it back gives the same bits.
Inputs are drawn from a fixed seed and rounded to three decimals; what Keras computes is never rounded.
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


# --- Writing -------------------------------------------------------------------------------------------


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


# --- Drawing -------------------------------------------------------------------------------------------


def normal(rng, shape, scale=1.0):
    return (scale * rng.standard_normal(shape)).round(3)


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


# --- Layers --------------------------------------------------------------------------------------------


def dense_cases():
    rng = np.random.default_rng(1)
    activations = ["linear", "relu", "sigmoid", "tanh", "softmax"]
    plans = [("rank_2", (3, 5), 4, activation, bias) for activation in activations for bias in (True, False)]
    plans += [("rank_3", (2, 3, 5), 4, activation, bias) for activation in activations for bias in (True, False)]
    plans += [("rank_4", (3, 2, 4, 5), 6, activation, i % 2 == 0) for i, activation in enumerate(activations)]
    plans += [("batch_of_one", (1, 4), 3, activation, True) for activation in activations]
    plans += [("one_unit", (3, 2), 1, "sigmoid", True), ("one_feature", (3, 1), 2, "tanh", True)]

    cases = []
    for label, shape, units, activation, use_bias in plans:
        layer = keras.layers.Dense(units, activation=activation, use_bias=use_bias)
        layer.build(shape)
        x = tf.constant(normal(rng, shape))
        kernel = normal(rng, (shape[-1], units), 0.6)
        bias = normal(rng, (units,), 0.5)
        layer.set_weights([kernel, bias] if use_bias else [kernel])

        variables = [x] + [weight.value for weight in layer.weights]
        y, dy, (dx, *dweights) = backward(rng, lambda: layer(x), variables)
        case = {
            "name": f"{label}_{activation}_{'bias' if use_bias else 'no_bias'}",
            "units": units,
            "activation": activation,
            "use_bias": use_bias,
            "x": tensor(x),
            "kernel": tensor(kernel),
            "bias": tensor(bias),
            "y": tensor(y),
            "dy": tensor(dy),
            "dx": tensor(dx),
            "dkernel": tensor(dweights[0]),
            "dbias": tensor(dweights[-1]),
        }
        if not use_bias:
            del case["bias"], case["dbias"]
        cases.append(case)
    return cases


def activation_cases():
    rng = np.random.default_rng(2)
    layers = {
        "ReLU": keras.layers.ReLU(),
        "Softmax": keras.layers.Softmax(),
        "Sigmoid": keras.layers.Activation("sigmoid"),
        "Tanh": keras.layers.Activation("tanh"),
    }
    extreme = [
        [1000, -1000, 80, -80, 0],
        [80, -80, 0, 1e-30, -1e-30],
        [0, 1e-30, -1e-30, 0, 1e-30],
        [-1000, -1000, -1000, -1000, -1000],
        [1000, 1000, 1000, 1000, 1000],
        [-80, -1000, -80, -1000, -1000],
    ]

    cases = []
    for kind, layer in layers.items():
        inputs = {
            "rank_2": normal(rng, (3, 5), 2.0),
            "rank_3": normal(rng, (2, 3, 4), 2.0),
            "batch_of_one": normal(rng, (1, 4), 2.0),
            "extreme": np.array(extreme, dtype=np.float64),
        }
        for label, values in inputs.items():
            x = tf.constant(values)
            y, dy, (dx,) = backward(rng, lambda: layer(x), [x])
            cases.append(
                {
                    "name": f"{kind}_{label}",
                    "type": kind,
                    "x": tensor(x),
                    "y": tensor(y),
                    "dy": tensor(dy),
                    "dx": tensor(dx),
                }
            )
    return cases


def flatten_cases():
    rng = np.random.default_rng(3)
    shapes = {
        "rank_2": (3, 4),
        "rank_3": (2, 3, 4),
        "rank_4": (2, 3, 4, 5),
        "rank_5": (2, 3, 1, 4, 5),
        "batch_of_one": (1, 2, 3, 4),
    }

    cases = []
    for data_format in ("channels_last", "channels_first"):
        for label, shape in shapes.items():
            x = tf.constant(normal(rng, shape))
            layer = keras.layers.Flatten(data_format=data_format)
            y, dy, (dx,) = backward(rng, lambda: layer(x), [x])
            cases.append(
                {
                    "name": f"{label}_{data_format}",
                    "data_format": data_format,
                    "x": tensor(x),
                    "y": tensor(y),
                    "dy": tensor(dy),
                    "dx": tensor(dx),
                }
            )
    return cases


# --- Losses --------------------------------------------------------------------------------------------


def loss_case(kind, label, predictions, targets, from_logits=None):
    """One case. The predictions are a plain constant, so Keras sees no softmax or sigmoid to undo."""
    predictions = tf.constant(np.asarray(predictions, dtype=np.float64))
    targets = np.asarray(targets)
    options = {} if from_logits is None else {"from_logits": from_logits}
    loss_class = getattr(keras.losses, kind)

    losses = loss_class(reduction="none", **options)(targets, predictions).numpy()
    with tf.GradientTape() as tape:
        tape.watch(predictions)
        loss = loss_class(reduction="sum_over_batch_size", **options)(targets, predictions)
    per_sample = losses.reshape(len(losses), -1).mean(axis=1)

    suffix = {None: "", True: "_logits", False: "_probabilities"}[from_logits]
    case = {
        "name": f"{kind}{suffix}_{label}",
        "type": kind,
        **options,
        "predictions": tensor(predictions),
        "targets": tensor(targets),
        "per_sample": tensor(per_sample),
        "loss": float(loss),
        "dpredictions": tensor(tape.gradient(loss, predictions)),
    }
    if not np.isclose(per_sample.mean(), case["loss"], rtol=1e-14, atol=0):
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


# --- Optimizers ----------------------------------------------------------------------------------------


def options_of(optimizer):
    names = {"Adam": ["learning_rate", "beta_1", "beta_2", "epsilon"], "SGD": ["learning_rate", "momentum"]}
    config = optimizer.get_config()
    return {name: float(config[name]) for name in names[type(optimizer).__name__]}


def adam(learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    """Keras's Adam, whose defaults these are, in float64 throughout.

    Keras hands beta to tf.cast, which rounds a Python float to float32 on the way to float64 (1 - beta_2^t is
    then off by 1e-5), but leaves a NumPy float64 alone.
    """
    return keras.optimizers.Adam(learning_rate, np.float64(beta_1), np.float64(beta_2), epsilon)


def optimizer_cases():
    rng = np.random.default_rng(7)
    shapes = [(3, 4), (5,), (2, 1, 3)]
    initial = [normal(rng, shape) for shape in shapes]
    gradients = [[normal(rng, shape) for shape in shapes] for _ in range(6)]
    gradients[0][2][:] = 0.0  # a tensor whose first gradient is zero: 0 / (0 + epsilon)
    gradients[2] = [np.zeros(shape) for shape in shapes]
    gradients[3][0] *= 1e6
    gradients[3][1] *= 1e-9
    gradients[4][1][:] = 0.0
    gradients[5][2][1, 0, 2] = -1e10

    optimizers = {
        "Adam_defaults": adam(),
        "Adam_options": adam(learning_rate=0.01, beta_1=0.8, beta_2=0.95, epsilon=1e-3),
        "SGD_defaults": keras.optimizers.SGD(),
        "SGD_options": keras.optimizers.SGD(learning_rate=0.1),
    }
    cases = []
    for name, optimizer in optimizers.items():
        variables = [keras.Variable(value) for value in initial]
        optimizer.build(variables)
        values = []
        for step in gradients:
            optimizer.apply([tf.constant(gradient) for gradient in step], variables)
            values.append([tensor(variable) for variable in variables])
        cases.append(
            {
                "name": name,
                "type": type(optimizer).__name__,
                "options": options_of(optimizer),
                "initial": [tensor(value) for value in initial],
                "gradients": [[tensor(gradient) for gradient in step] for step in gradients],
                "values": values,
            }
        )
    return cases


# --- Training ------------------------------------------------------------------------------------------


def training_case(name, units, activation, loss, optimizer, x, y, x_val, y_val, seed):
    """Flatten -> Dense(7, relu) -> Dense(units, activation), four epochs over batches of five, in order."""
    batch_size, epochs = 5, 4
    rng = np.random.default_rng(seed)
    model = keras.Sequential(
        [
            keras.Input(x.shape[1:]),
            keras.layers.Flatten(),
            keras.layers.Dense(7, activation="relu"),
            keras.layers.Dense(units, activation=activation),
        ]
    )
    model.set_weights([normal(rng, weight.shape, 0.5) for weight in model.weights])
    initial = model.get_weights()

    classifies = activation != "linear"
    model.compile(optimizer, loss, metrics=["accuracy"] if classifies else None, jit_compile=False)
    history = model.fit(
        x, y, batch_size=batch_size, epochs=epochs, shuffle=False, validation_data=(x_val, y_val), verbose=0
    ).history
    case = {
        "name": name,
        "units": units,
        "activation": activation,
        "loss": {"type": type(loss).__name__},
        "optimizer": {"type": type(optimizer).__name__, "options": options_of(optimizer)},
        "batch_size": batch_size,
        "epochs": epochs,
        "initial_weights": [tensor(weight) for weight in initial],
        "x": tensor(x),
        "y": tensor(y),
        "x_val": tensor(x_val),
        "y_val": tensor(y_val),
        "history": history,
        "final_weights": [tensor(weight) for weight in model.get_weights()],
        "predictions": tensor(model.predict(x_val, batch_size=batch_size, verbose=0)),
        "evaluate": model.evaluate(x_val, y_val, batch_size=batch_size, verbose=0, return_dict=True),
    }
    if classifies:
        case["loss"]["from_logits"] = False
    return case


def training_cases():
    rng = np.random.default_rng(8)
    train, validation, shape, classes = 23, 9, (3, 2), 4
    x = normal(rng, (train + validation, *shape))
    flat = x.reshape(len(x), -1)
    scores = flat @ rng.standard_normal((flat.shape[1], classes))
    labels = scores.argmax(axis=1)
    positive = (scores[:, :1] > 0).astype(np.float64)
    regression = scores[:, :2].round(3)

    def case(name, units, activation, loss, optimizer, y, seed):
        return training_case(
            name, units, activation, loss, optimizer,
            x[:train], y[:train], x[train:], y[train:], seed,
        )  # fmt: skip

    # Seeds of the weights under which accuracy changes every epoch and no unit comes near a tie or a kink.
    losses = keras.losses
    return [
        case("sparse", classes, "softmax", losses.SparseCategoricalCrossentropy(), adam(0.01), labels, 48),
        case("one_hot", classes, "softmax", losses.CategoricalCrossentropy(), adam(0.01), one_hot(labels, classes), 47),
        case("binary", 1, "sigmoid", losses.BinaryCrossentropy(), adam(0.01), positive, 49),
        case("regression", 2, "linear", losses.MeanSquaredError(), keras.optimizers.SGD(), regression, 50),
    ]


if __name__ == "__main__":
    write("dense.json", dense_cases())
    write("activations.json", activation_cases())
    write("flatten.json", flatten_cases())
    write("losses.json", class_loss_cases() + binary_loss_cases() + squared_loss_cases())
    write("optimizers.json", optimizer_cases())
    write("training.json", training_cases())
