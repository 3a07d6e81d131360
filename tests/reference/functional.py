"""Models that are no chain: outputs, gradients, and a training run of each."""

import keras
import numpy as np
import tensorflow as tf

from common import normal, tensor
from optimizers import adam, options_of, sgd
from training import described_loss

SHAPE = (5, 4, 2)
SAMPLES, BATCH_SIZE, EPOCHS, CLASSES = 10, 5, 3, 3


class Network:
    """Layers applied to values, as Keras builds and the test reads them: value 0 is the input, value i + 1 that of
    node i. A layer has the name that Keras gave it."""

    def __init__(self, shape=SHAPE):
        keras.backend.clear_session()  # names are counted anew
        self.values = [keras.Input(shape)]
        self.nodes, self.layers = [], {}

    def __call__(self, kind, *inputs, **options):
        layer = getattr(keras.layers, kind)(**options)
        self.layers[layer.name] = layer
        return self._apply(layer, {"layer": {"type": kind, "name": layer.name, **options}}, inputs)

    def again(self, value, *inputs):
        """Applies the layer that computed a value to other values."""
        name = self.nodes[value - 1]["layer"]["name"]
        return self._apply(self.layers[name], {"again": name}, inputs)

    def _apply(self, layer, node, inputs):
        read = [self.values[i] for i in inputs]
        merges = isinstance(layer, (keras.layers.Add, keras.layers.Multiply, keras.layers.Concatenate))
        self.values.append(layer(read if merges else read[0]))
        self.nodes.append({**node, "inputs": list(inputs)})
        return len(self.nodes)

    def conv(self, x, filters=3, **options):
        options = {"kernel_size": 3, "padding": "same", "activation": "linear", **options}
        return self("Conv2D", x, filters=filters, **options)

    def norm(self, x):
        return self("BatchNormalization", x, momentum=0.9)

    def relu(self, x):
        return self("ReLU", x)

    def dense(self, x, units, activation="linear"):
        return self("Dense", x, units=units, activation=activation)

    def head(self, x):
        return self.dense(self("GlobalAveragePooling2D", x), CLASSES, "softmax")


def identity_block(net):
    x = net.relu(net.norm(net.conv(0)))
    y = net.relu(net.norm(net.conv(x)))
    y = net.norm(net.conv(y))
    net.head(net.relu(net("Add", x, y)))


def projection_block(net):
    x = net.relu(net.norm(net.conv(0)))
    y = net.relu(net.norm(net.conv(x, 4, strides=2)))
    y = net.norm(net.conv(y, 4))
    shortcut = net.norm(net.conv(x, 4, kernel_size=1, strides=2))
    net.head(net.relu(net("Add", y, shortcut)))


def projection_first(net):
    """The shortcut is made and added before the longer way."""
    shortcut = net.conv(0, 4, kernel_size=1)
    y = net.conv(net.conv(0, 2, activation="relu"), 4, activation="tanh")
    net.head(net("Add", shortcut, y))


def inception(net):
    x = net.conv(0, activation="relu")
    one = net.conv(x, 2, kernel_size=1, activation="relu")
    three = net.conv(net.conv(x, 2, kernel_size=1), 3, activation="relu")
    pool = net.conv(net("MaxPooling2D", x, pool_size=3, strides=1, padding="same"), 1, kernel_size=1)
    net.head(net("Concatenate", one, three, pool, axis=-1))


def rows_side_by_side(net):
    x = net.conv(0, activation="relu")
    y = net.conv(0, kernel_size=(2, 1), padding="valid")
    net.head(net.norm(net("Concatenate", y, x, y, axis=1)))


def gate(net):
    x = net.conv(0)
    net.head(net("Multiply", net.conv(x, activation="sigmoid"), net.conv(x), x))


def sum_of_three(net):
    x = net.conv(0, activation="relu")
    net.head(net.relu(net("Add", x, net.norm(net.conv(x)), net.conv(x, activation="silu"))))


def layer_twice(net):
    x = net("Flatten", 0)
    once = net.dense(net.dense(x, 5, "tanh"), 4, "tanh")
    net.dense(net("Multiply", once, net.again(once, net.dense(x, 5, "relu"))), CLASSES, "softmax")


def layer_at_two_depths(net):
    """The layer is applied near the output and, behind other layers, far from it, which moves those before it."""
    x = net("Flatten", 0)
    left = net.dense(x, 4, "tanh")
    tower = net.dense(left, 4, "tanh")
    right = net.dense(net.dense(net.again(tower, net.dense(x, 4)), 4), 4)
    other = net.dense(net.dense(net.dense(x, 4, "silu"), 4), 4)
    net.dense(net("Add", tower, right, other), CLASSES, "softmax")


def layer_on_itself(net):
    x = net.dense(net("Flatten", 0), 4)
    once = net.dense(x, 4, "tanh")
    net.dense(net("Add", net.again(once, net.again(once, once)), x), CLASSES, "softmax")


def read_three_times(net):
    x = net.conv(0, activation="silu")
    y = net.conv(x, activation="relu")
    z = net("Multiply", x, y)
    net.head(net("Concatenate", x, z, net("AveragePooling2D", x, pool_size=3, strides=1, padding="same"), axis=3))


def nested_branches(net):
    x = net.conv(0, activation="relu")
    inner = net("Add", net.conv(x, activation="relu"), net.norm(x))
    outer = net("Add", net.conv(inner), x)
    net.head(net("Concatenate", net.relu(outer), inner, axis=-1))


def views(net):
    flat = net("Flatten", net.conv(0, activation="relu"))
    rows = net("Reshape", net.conv(0), target_shape=[12, 5])
    sum_ = net("Add", net("Reshape", flat, target_shape=[12, 5]), rows)
    net.dense(net("Concatenate", net("Flatten", sum_), flat, axis=-1), CLASSES, "softmax")


def dropped(net):
    x = net.dense(net("Flatten", 0), 6, "relu")
    net.dense(net("Add", net("Dropout", x, rate=0.0), net("Dropout", net.dense(x, 6), rate=0.0)), CLASSES, "softmax")


def activations_behind_merges(net):
    x, y = net.conv(0), net.conv(0, activation="relu")
    sum_ = net("Activation", net("Add", x, y), activation="tanh")
    product = net("Activation", net("Multiply", x, y), activation="silu")
    net.head(net.relu(net("Concatenate", sum_, product, axis=-1)))


def densely_connected(net):
    x = net.conv(0, 2)
    for _ in range(3):
        y = net.conv(net.relu(net.norm(x)), 2)
        x = net("Concatenate", x, y, axis=-1)
    net.head(x)


def value_with_itself(net):
    x = net.dense(net("Flatten", 0), 4)
    net.dense(net("Multiply", net("Add", x, x), x), 2)


# Each with its optimiser; all but the last classify. SGD where a convolution lies before a batch norm: the gradient of
# its bias is nothing but rounding, which Adam would divide by its own size.
NETWORKS = [
    (identity_block, lambda: sgd(0.05, momentum=0.9)),
    (projection_block, lambda: sgd(0.05, momentum=0.9)),
    (projection_first, lambda: adam(0.01)),
    (inception, lambda: adam(0.01)),
    (rows_side_by_side, lambda: sgd(0.05, momentum=0.9)),
    (gate, lambda: sgd(0.05, momentum=0.9)),
    (sum_of_three, lambda: sgd(0.05, momentum=0.9)),
    (layer_twice, lambda: adam(0.01)),
    (layer_at_two_depths, lambda: sgd(0.05, momentum=0.9)),
    (layer_on_itself, lambda: adam(0.01)),
    (read_three_times, lambda: adam(0.01)),
    (nested_branches, lambda: adam(0.01)),
    (views, lambda: adam(0.01)),
    (dropped, lambda: adam(0.01)),
    (activations_behind_merges, lambda: adam(0.01)),
    (densely_connected, lambda: sgd(0.05, momentum=0.9)),
    (value_with_itself, lambda: adam(0.01)),
]


def functional_case(declare, optimizer, seed):
    rng = np.random.default_rng(seed)
    net = Network()
    declare(net)
    model = keras.Model(net.values[0], net.values[-1])
    initial = [normal(rng, weight.shape, 0.5) for weight in model.weights]
    for weight, value in zip(model.weights, initial):
        if weight.name in ("gamma", "moving_variance"):
            value[:] = rng.uniform(0.5, 1.5, value.shape).round(3)
    model.set_weights(initial)

    x = normal(rng, (SAMPLES, *SHAPE))
    classifies = model.layers[-1].activation is keras.activations.softmax
    y = rng.integers(0, CLASSES, SAMPLES) if classifies else normal(rng, (SAMPLES, 2))

    r = normal(rng, model(x[:BATCH_SIZE]).shape)
    with tf.GradientTape() as tape:
        output = model(x[:BATCH_SIZE], training=True)
    gradients = tape.gradient(output, model.trainable_variables, output_gradients=tf.constant(r))
    model.set_weights(initial)  # the pass moved the statistics of batch norms

    losses = keras.losses
    loss = losses.SparseCategoricalCrossentropy() if classifies else losses.MeanSquaredError()
    options = options_of(optimizer)
    model.compile(optimizer, loss, jit_compile=False)
    history = model.fit(x, y, batch_size=BATCH_SIZE, epochs=EPOCHS, shuffle=False, verbose=0).history
    return {
        "name": declare.__name__,
        "nodes": net.nodes,
        "layers": [layer.name for layer in model.layers[1:]],
        "loss": described_loss(loss),
        "optimizer": {"type": type(optimizer).__name__, "options": options},
        "batch_size": BATCH_SIZE,
        "epochs": EPOCHS,
        "weight_names": [weight.path for weight in model.weights],
        "initial_weights": [tensor(weight) for weight in initial],
        "x": tensor(x),
        "y": tensor(y),
        "r": tensor(r),
        "output": tensor(output),
        "gradients": [tensor(gradient) for gradient in gradients],
        "history": history,
        "final_weights": [tensor(weight) for weight in model.get_weights()],
        "predictions": tensor(model.predict(x, batch_size=BATCH_SIZE, verbose=0)),
    }


def functional_cases():
    return [functional_case(declare, optimizer(), 70 + i) for i, (declare, optimizer) in enumerate(NETWORKS)]
