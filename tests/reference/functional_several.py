"""Models of several inputs and outputs, and models as layers of others: outputs, gradients, and a training run of
each."""

import keras
import numpy as np
import tensorflow as tf

from common import normal, tensor
from optimizers import adam, options_of, sgd
from regularization import regularizer
from training import described_loss

# Batches of one size: in the mean of an output's loss Keras takes a short last batch for a full one, so that the loss of
# an epoch is not the weighted sum of the outputs' losses; weft counts samples.
SAMPLES, BATCH_SIZE, EPOCHS, CLASSES = 10, 5, 3, 3
MERGES = (keras.layers.Add, keras.layers.Multiply, keras.layers.Concatenate)


class Graph:
    """Layers and models applied to values, as Keras builds and the test reads them: the first values are the inputs,
    then come those of the nodes, of a model one for each output."""

    def __init__(self, **shapes):
        self.shapes = shapes
        self.values = [keras.Input(shape, name=name) for name, shape in shapes.items()]
        self.nodes, self.made, self.outputs = [], {}, []

    def __call__(self, kind, *inputs, **options):
        made = {key: self._made(value) for key, value in options.items()}
        layer = getattr(keras.layers, kind)(**made)
        self.made[layer.name] = layer
        return self._apply(layer, {"layer": {"type": kind, "name": layer.name, **options}}, inputs)[0]

    def again(self, name, *inputs):
        return self._apply(self.made[name], {"again": name}, inputs)[0]

    def model(self, inner, name, *inputs):
        """Applies a graph, the same for the same name; a list of its outputs."""
        if name in self.made:
            return self._apply(self.made[name], {"again": name}, inputs)
        self.made[name] = inner.build(name)
        return self._apply(self.made[name], {"model": inner.description(), "name": name}, inputs)

    @staticmethod
    def _made(option):
        """A regularizer from its type and factors."""
        if not isinstance(option, dict):
            return option
        return regularizer(option["type"], **{key: value for key, value in option.items() if key != "type"})

    def _apply(self, layer, node, inputs):
        read = [self.values[i] for i in inputs]
        result = layer(read if isinstance(layer, MERGES) or len(read) > 1 else read[0])
        result = result if isinstance(result, (list, tuple)) else [result]
        first = len(self.values)
        self.values.extend(result)
        self.nodes.append({**node, "inputs": list(inputs)})
        return list(range(first, len(self.values)))

    def dense(self, x, units, activation="linear", **options):
        return self("Dense", x, units=units, activation=activation, **options)

    def conv(self, x, filters=3, **options):
        options = {"kernel_size": 3, "padding": "same", "activation": "linear", **options}
        return self("Conv2D", x, filters=filters, **options)

    def build(self, name):
        inputs = self.values[: len(self.shapes)]
        outputs = [self.values[i] for i in self.outputs]
        return keras.Model(inputs, outputs if len(outputs) > 1 else outputs[0], name=name)

    def description(self):
        inputs = [{"name": name, "shape": list(shape)} for name, shape in self.shapes.items()]
        return {"inputs": inputs, "nodes": self.nodes, "outputs": self.outputs}


def two_inputs():
    net = Graph(image=(5, 4, 2), size=(3,))
    x = net("GlobalAveragePooling2D", net("ReLU", net("BatchNormalization", net.conv(0), momentum=0.9)))
    net.outputs = [net.dense(net("Concatenate", x, 1, axis=-1), CLASSES, "softmax")]
    return net


def two_outputs():
    """One of them is read by the layer of the other."""
    net = Graph(x=(6,))
    hidden = net.dense(0, 5, "tanh")
    place = net.dense(hidden, 2)
    net.outputs = [place, net.dense(net("Concatenate", hidden, place, axis=-1), CLASSES, "softmax")]
    return net


def both_and_shared():
    net = Graph(left=(5, 4, 2), right=(5, 4, 2), size=(3,))
    left = net.conv(0, activation="relu")
    right = net.again(net.nodes[-1]["layer"]["name"], 1)
    x = net("GlobalAveragePooling2D", net("Multiply", left, right))
    x = net("Concatenate", x, 2, axis=-1)
    net.outputs = [net.dense(net.dense(x, 4, "relu"), CLASSES, "softmax"), net.dense(x, 2), net.dense(x, 1, "sigmoid")]
    return net


def encoder_graph():
    net = Graph(features=(4,))
    x = net.dense(0, 5, "tanh")
    net.outputs = [net.dense(x, 3, "tanh"), net.dense(x, 2)]
    return net


def nested():
    net = Graph(a=(4,), b=(4,))
    inner = encoder_graph()
    a, b = net.model(inner, "encoder", 0), net.model(inner, "encoder", 1)
    x = net("Add", a[0], b[0])
    net.outputs = [net.dense(x, CLASSES, "softmax"), net("Multiply", a[1], b[1])]
    return net


def nested_twice():
    """A model in a model, of which one output stays unused."""
    inner = Graph(p=(4,), q=(4,))
    encoder = encoder_graph()
    first, second = inner.model(encoder, "encoder", 0), inner.model(encoder, "encoder", 1)
    inner.outputs = [inner("Concatenate", first[0], second[1], axis=-1), first[1]]
    net = Graph(x=(4,))
    y = net.model(inner, "pair", 0, net.dense(0, 4, "relu"))
    net.outputs = [net.dense(y[0], CLASSES, "softmax")]
    return net


def penalised():
    net = Graph(x=(6,))
    hidden = net.dense(0, 4, "tanh", kernel_regularizer={"type": "L2", "l2": 0.02})
    net.outputs = [net.dense(hidden, 2), net.dense(hidden, 2, kernel_regularizer={"type": "L1", "l1": 0.01})]
    return net


# With its optimiser and the weights of its losses.
NETWORKS = [
    (two_inputs, lambda: sgd(0.05, momentum=0.9), None),
    (two_outputs, lambda: adam(0.01), [0.5, 2.0]),
    (both_and_shared, lambda: adam(0.01), [1.0, 0.25, 3.0]),
    (nested, lambda: adam(0.01), [1.0, 0.5]),
    (nested_twice, lambda: sgd(0.05, momentum=0.9), None),
    (penalised, lambda: adam(0.01), [2.0, 0.5]),
]


def loss_of(output):
    activation = getattr(output._keras_history.operation, "activation", None)
    if activation is keras.activations.softmax:
        return keras.losses.SparseCategoricalCrossentropy()
    if activation is keras.activations.sigmoid:
        return keras.losses.BinaryCrossentropy()
    return keras.losses.MeanSquaredError()


def targets_for(rng, loss, shape):
    if isinstance(loss, keras.losses.SparseCategoricalCrossentropy):
        return rng.integers(0, CLASSES, SAMPLES)
    if isinstance(loss, keras.losses.BinaryCrossentropy):
        return rng.integers(0, 2, (SAMPLES, *shape)).astype(float)
    return normal(rng, (SAMPLES, *shape))


def several_case(declare, optimizer, loss_weights, seed):
    rng = np.random.default_rng(seed)
    keras.backend.clear_session()  # names are counted anew
    net = declare()
    model = net.build("outer")
    initial = [normal(rng, weight.shape, 0.5) for weight in model.weights]
    for weight, value in zip(model.weights, initial):
        if weight.name in ("gamma", "moving_variance"):
            value[:] = rng.uniform(0.5, 1.5, value.shape).round(3)
    model.set_weights(initial)

    losses = [loss_of(output) for output in model.outputs]
    xs = [normal(rng, (SAMPLES, *shape)) for shape in net.shapes.values()]
    ys = [targets_for(rng, loss, output.shape[1:]) for loss, output in zip(losses, model.outputs)]
    sample_weight = rng.uniform(0, 2, SAMPLES).round(3) if len(ys) > 1 else None

    batch = [x[:BATCH_SIZE] for x in xs]
    with tf.GradientTape() as tape:
        outputs = model(batch if len(batch) > 1 else batch[0], training=True)
    outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    rs = [normal(rng, output.shape) for output in outputs]
    with tf.GradientTape() as tape:
        outputs = model(batch if len(batch) > 1 else batch[0], training=True)
        outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
        total = sum(tf.reduce_sum(output * r) for output, r in zip(outputs, rs))
    gradients = tape.gradient(total, model.trainable_variables, unconnected_gradients="zero")
    model.set_weights(initial)  # the passes moved the statistics of batch norms

    options = options_of(optimizer)
    metrics = [["accuracy"] if isinstance(loss, keras.losses.SparseCategoricalCrossentropy) else [] for loss in losses]
    one = len(losses) == 1
    model.compile(
        optimizer,
        losses[0] if one else losses,
        metrics=metrics[0] if one else metrics,
        loss_weights=loss_weights,
        jit_compile=False,
    )
    history = model.fit(
        xs if len(xs) > 1 else xs[0],
        ys[0] if one else ys,
        batch_size=BATCH_SIZE,
        epochs=EPOCHS,
        shuffle=False,
        verbose=0,
        sample_weight=sample_weight,
    ).history
    predictions = model.predict(xs if len(xs) > 1 else xs[0], batch_size=BATCH_SIZE, verbose=0)
    predictions = predictions if isinstance(predictions, (list, tuple)) else [predictions]
    return {
        "name": declare.__name__,
        "graph": net.description(),
        "layers": [layer.name for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)],
        "output_names": model.output_names,
        "losses": [described_loss(loss) for loss in losses],
        "loss_weights": loss_weights or [],
        "metrics": metrics,
        "optimizer": {"type": type(optimizer).__name__, "options": options},
        "batch_size": BATCH_SIZE,
        "epochs": EPOCHS,
        "sample_weight": [] if sample_weight is None else sample_weight.tolist(),
        "weight_names": [weight.path for weight in model.weights],
        "initial_weights": [tensor(weight) for weight in initial],
        "x": [tensor(x) for x in xs],
        "y": [tensor(y) for y in ys],
        "r": [tensor(r) for r in rs],
        "outputs": [tensor(output) for output in outputs],
        "gradients": [tensor(gradient) for gradient in gradients],
        "history": history,
        "final_weights": [tensor(weight) for weight in model.get_weights()],
        "predictions": [tensor(prediction) for prediction in predictions],
    }


def several_cases():
    return [
        several_case(declare, optimizer(), loss_weights, 170 + i)
        for i, (declare, optimizer, loss_weights) in enumerate(NETWORKS)
    ]
