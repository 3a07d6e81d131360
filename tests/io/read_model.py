"""Opens a model file of weft's with Python's safetensors and checks what is in it.

    python3 tests/io/read_model.py cnn.safetensors

Ends with 77, which CTest takes for skipped, where the package safetensors or the file is missing.
"""

import json
import os
import sys

try:
    from safetensors.numpy import load_file
    from safetensors import safe_open
except ImportError:
    print("the Python package safetensors is not installed")
    sys.exit(77)

path = sys.argv[1]
if not os.path.exists(path):
    print(path, "is not there")
    sys.exit(77)

tensors = load_file(path)
with safe_open(path, "np") as file:
    metadata = file.metadata()

assert metadata["format"] == "weft" and metadata["format_version"] == "1", metadata
layers = json.loads(metadata["architecture"])["config"]["layers"]
classes = [layer["class_name"] for layer in layers]
assert classes == ["InputLayer", "Conv2D", "MaxPooling2D", "Flatten", "Dense", "Dense"], classes
shapes = {name: tensor.shape for name, tensor in tensors.items()}
expected = {
    "conv2d/kernel": (3, 3, 1, 32),
    "conv2d/bias": (32,),
    "dense/kernel": (6272, 128),
    "dense/bias": (128,),
    "dense_1/kernel": (128, 10),
    "dense_1/bias": (10,),
    "self_test/input": (28, 28, 1),
    "self_test/output": (10,),
}
assert shapes == expected, shapes
assert all(tensor.dtype == "float32" for tensor in tensors.values())
assert abs(float(tensors["self_test/output"].sum()) - 1) < 1e-5
print(path, "holds", ", ".join(tensors))
