"""Models between weft and Keras, through weft's model files.

    python3 -m venv v
    v/bin/pip install tensorflow-cpu==2.21.0 keras==3.15.1 numpy==2.4.6 safetensors==0.8.0

    v/bin/python tests/reference/model_files.py check FILE_OR_FOLDER...
        Rebuilds the model of each file, which weft's save_model wrote, in Keras, holds the options of its layers
        against those in the file, and compares what it makes of the self-test's input to the output in the file:
        1e-5 relative to the largest, or this ends with 1.

    v/bin/python tests/reference/model_files.py train FILE NEW
        Does so, trains the model, of one input and one output, for some steps on random data, and writes it as a
        file for weft's load_model, whose self-test holds Keras's output.

    v/bin/python tests/reference/model_files.py write
        Makes keras_mlp.safetensors, keras_cnn.safetensors and keras_cnn_bn.safetensors beside this script:
        networks like the tutorials', only smaller, trained by Keras. tests/io/keras_model_file_test.cpp loads
        them.

The backend is the one that KERAS_BACKEND names, or the first that is installed. CTest runs `check` on models of
all layers (io/keras); where Keras 3, a backend of it or safetensors is missing, this ends with 77, which CTest
takes for skipped.
"""

import importlib.metadata
import importlib.util
import json
import os
import sys
from pathlib import Path


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(77)


def installed(package):
    return importlib.util.find_spec(package) is not None


for package in ("keras", "safetensors"):
    if not installed(package):
        skip(f"the Python package {package} is not installed")
if int(importlib.metadata.version("keras").split(".")[0]) < 3:
    skip("Keras is older than 3")
wanted = os.environ.get("KERAS_BACKEND")
backend = next(filter(installed, [wanted] if wanted else ["tensorflow", "jax", "torch"]), None)
if backend is None:
    skip(f"Keras has no backend: {wanted or 'tensorflow, jax and torch'} not installed")

if backend == "tensorflow":
    from common import FOLDER, GENERATOR, keras, np  # first: it sets Keras up
else:
    os.environ["KERAS_BACKEND"] = backend
    os.environ["JAX_ENABLE_X64"] = "1"
    import keras
    import numpy as np

    keras.backend.set_floatx("float64")
    keras.config.set_image_data_format("channels_last")
    FOLDER = Path(__file__).resolve().parent
    GENERATOR = f"keras {keras.__version__}, {backend} {importlib.metadata.version(backend)}, float64"

from safetensors import safe_open
from safetensors.numpy import save_file

layers = keras.layers

# The fields of a layer that change what it computes; the others keep weft's defaults.
FIELDS = {
    "InputLayer": ["batch_shape"],
    "Dense": ["units", "activation", "use_bias", "name"],
    "Conv2D": ["filters", "kernel_size", "strides", "padding", "activation", "use_bias", "name"],
    "MaxPooling2D": ["pool_size", "strides", "padding"],
    "BatchNormalization": ["momentum", "epsilon", "name"],
    "Dropout": ["rate"],
    "Flatten": ["data_format"],
}


def layers_of(text):
    return json.loads(text)["config"]["layers"]


def architecture(model):
    """weft's JSON for a Sequential of such layers."""
    described = layers_of(model.to_json())
    kept = [
        {"class_name": layer["class_name"], "config": {f: layer["config"][f] for f in FIELDS[layer["class_name"]]}}
        for layer in described
    ]
    config = {"name": "sequential", "layers": kept}
    return json.dumps({"module": "keras", "class_name": "Sequential", "config": config})


def behind_input(model):
    return [layer for layer in model.layers if not isinstance(layer, layers.InputLayer)]


def names_of(model, described):
    """weft's name of every weight, in Keras's order; `described` are the layers in the file. Those of a Functional
    model say their names."""
    defaults = {"Conv2D": "conv2d", "Dense": "dense", "BatchNormalization": "batch_norm"}
    used, order = set(), []
    for layer, description in zip(behind_input(model), described, strict=True):
        if not layer.weights:
            continue
        if isinstance(layer, keras.Model):
            inner = [one for one in description["config"]["layers"] if one["class_name"] != "InputLayer"]
            order += [f"{layer.name}/{name}" for name in names_of(layer, inner)]
            continue
        base = defaults[description["class_name"]]
        free = [base] + [f"{base}_{i}" for i in range(1, len(described))]
        name = description.get("name") or description["config"].get("name") or next(candidate for candidate in free if candidate not in used)
        used.add(name)
        order += [f"{name}/{weight.name}" for weight in layer.weights]
    return order


def rebuilt(path):
    """The Keras model of a file, the names of its weights in Keras's order, and the file's self-test."""
    with safe_open(path, "np") as file:
        metadata = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}
    model = keras.models.model_from_json(metadata["architecture"])
    text = layers_of(metadata["architecture"])
    order = names_of(model, [layer for layer in text if layer["class_name"] != "InputLayer"])
    assert set(order) == {name for name in tensors if not name.startswith("self_test/")}, (order, list(tensors))
    model.set_weights([tensors[name] for name in order])
    return model, order, self_test(tensors, "input"), self_test(tensors, "output"), metadata


def self_test(tensors, what):
    """The input or output of the self-test; a list where there are several."""
    found = [tensors[f"self_test/{what}"]]
    while f"self_test/{what}_{len(found)}" in tensors:
        found.append(tensors[f"self_test/{what}_{len(found)}"])
    return found[0] if len(found) == 1 else found


def predict(model, x):
    y = model([one[None] for one in x] if isinstance(x, list) else x[None], training=False)
    if isinstance(y, (list, tuple)):
        return [keras.ops.convert_to_numpy(one)[0] for one in y]
    return keras.ops.convert_to_numpy(y)[0]


def gap(actual, expected):
    if isinstance(expected, list):
        return float(np.max([gap(a, e) for a, e in zip(actual, expected, strict=True)]))  # keeps a NaN
    return float(np.abs(actual - expected).max() / max(np.abs(expected).max(), np.finfo(np.float32).tiny))


def differences(described, kept, where):
    """The places where an object lacks or changes what a file says; it may well say more."""
    if not isinstance(described, dict) or not isinstance(kept, dict):
        return [] if described == kept else [f"{where} is {kept}, in the file {described}"]
    return [
        line
        for name, value in described.items()
        for line in (
            differences(value, kept[name], f"{where}: {name}") if name in kept else [f"{where}: {name} is missing"]
        )
    ]


def misunderstood(model, text):
    """The options of layers that Keras took for others than the file says."""
    described, kept = layers_of(text), layers_of(model.to_json())
    for entry in kept:
        if entry["class_name"] in ("InputLayer", "Functional", "Sequential"):
            continue
        layer = model.get_layer(entry["config"]["name"])
        # Keras leaves it out for Dense.
        entry["config"].setdefault("activity_regularizer", keras.regularizers.serialize(layer.activity_regularizer))
    if any(layer["class_name"] in ("Functional", "Sequential") for layer in described):
        return []  # what is in them is compared by what it computes
    if sum(layer["class_name"] == "InputLayer" for layer in described) > 1:  # Keras puts them between the others
        described, kept = ([layer for layer in some if layer["class_name"] != "InputLayer"] for some in (described, kept))
    return [
        line
        for i, (a, b) in enumerate(zip(described, kept, strict=True))
        for field in ("class_name", "config")
        for line in differences(a[field], b[field], f"layer {i}, {a['class_name']}")
    ]


def check(path):
    model, order, x, expected, metadata = rebuilt(path)
    wrong = misunderstood(model, metadata["architecture"])
    found = gap(predict(model, x), expected)
    print(f"{path}: {len(order)} tensors, {metadata['build']}: largest gap {found:.2g}")
    print(*wrong, sep="\n", end="\n" if wrong else "")
    return found < 1e-5 and not wrong


def files_of(paths):
    for path in map(Path, paths):
        yield from sorted(path.glob("*.safetensors")) if path.is_dir() else [path]


def train(model, classes, seed):
    """Some steps on random data, which move every weight and every statistic."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(size=(64, *model.input_shape[1:]))
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", jit_compile=False)
    model.fit(x, rng.integers(0, classes, 64), batch_size=8, epochs=2, shuffle=False, verbose=0)


def write(model, order, text, path, seed):
    """A file that weft's load_model takes: float32 weights, and what Keras makes of them in float64."""
    weights = [np.float32(weight) for weight in model.get_weights()]
    model.set_weights(weights)
    x = np.float32(np.random.default_rng(seed).uniform(size=model.input_shape[1:]))
    tensors = dict(zip(order, weights, strict=True))
    tensors["self_test/input"] = x
    tensors["self_test/output"] = np.float32(predict(model, x))
    metadata = {"format": "weft", "format_version": "1", "build": GENERATOR, "architecture": text}
    save_file({name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}, path, metadata)
    print(f"{path}: {sum(weight.size for weight in weights)} parameters")


def small_networks():
    def conv(filters, padding, name):
        return layers.Conv2D(filters, 3, padding=padding, activation="relu", name=name)

    def norm(name):
        return layers.BatchNormalization(momentum=0.9, name=name)

    def head(units):
        return [layers.Flatten(), layers.Dense(units, "relu", name="dense"), layers.Dense(10, "softmax", name="dense_1")]

    return {
        "keras_mlp": [keras.Input((8, 8)), *head(16)],
        "keras_cnn": [keras.Input((8, 8, 1)), conv(4, "same", "conv2d"), layers.MaxPooling2D(), *head(12)],
        "keras_cnn_bn": [
            keras.Input((10, 10, 1)),
            *[conv(4, "same", "conv2d"), norm("batch_norm"), conv(4, "same", "conv2d_1"), norm("batch_norm_1")],
            *[layers.MaxPooling2D(), layers.Dropout(0.25)],
            *[conv(6, "valid", "conv2d_2"), norm("batch_norm_2"), layers.MaxPooling2D(), layers.Dropout(0.25)],
            *head(12),
        ],
    }


def write_small_networks():
    for seed, (name, stack) in enumerate(small_networks().items()):
        keras.utils.set_random_seed(seed)
        model = keras.Sequential(stack)
        train(model, 10, seed)
        text = architecture(model)
        order = names_of(model, layers_of(text)[1:])
        write(model, order, text, str(FOLDER / f"{name}.safetensors"), seed)


if __name__ == "__main__":
    command, *paths = sys.argv[1:]
    if command == "check":
        results = [check(path) for path in files_of(paths)]
        sys.exit(0 if results and all(results) else 1)
    elif command == "train":
        model, order, _, expected, metadata = rebuilt(paths[0])
        if isinstance(expected, list) or isinstance(model.input_shape, list):
            sys.exit("train takes models of one input and one output")
        train(model, expected.size, 1)
        write(model, order, metadata["architecture"], paths[1], 1)
    elif command == "write":
        write_small_networks()
    else:
        sys.exit(__doc__)
