"""Dense, activations, Flatten, Reshape, Rescaling, ZeroPadding2D and BatchNormalization."""

import keras
import numpy as np
import tensorflow as tf

from common import backward, layer_case, normal, tensor


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


EXTREME_ROWS = [
    [1000, -1000, 80, -80, 0],
    [80, -80, 0, 1e-30, -1e-30],
    [0, 1e-30, -1e-30, 0, 1e-30],
    [-1000, -1000, -1000, -1000, -1000],
    [1000, 1000, 1000, 1000, 1000],
    [-80, -1000, -80, -1000, -1000],
]


def activation_inputs(rng):
    return {
        "rank_2": normal(rng, (3, 5), 2.0),
        "rank_3": normal(rng, (2, 3, 4), 2.0),
        "batch_of_one": normal(rng, (1, 4), 2.0),
        "extreme": np.array(EXTREME_ROWS, dtype=np.float64),
    }


def activation_cases():
    rng = np.random.default_rng(2)
    layers = {
        "ReLU": keras.layers.ReLU(),
        "Softmax": keras.layers.Softmax(),
        "Sigmoid": keras.layers.Activation("sigmoid"),
        "Tanh": keras.layers.Activation("tanh"),
    }
    return [
        layer_case(rng, f"{kind}_{label}", layer, x, type=kind)
        for kind, layer in layers.items()
        for label, x in activation_inputs(rng).items()
    ]


def in_float64(layer, formula, constant):
    """The formula with its constant in float64. TensorFlow rounds that constant to float32 whatever the input's
    type; with the rounded one the formula must give the layer's bits, which shows that it is the layer's."""

    def function(x):
        np.testing.assert_array_equal(formula(x, np.float64(np.float32(constant))), layer(x))
        return formula(x, constant)

    return function


def extra_activation_cases():
    """The layer LeakyReLU has slope 0.3 by default, the function leaky_relu 0.2."""
    rng = np.random.default_rng(9)

    def leaky_relu(slope, layer):
        return in_float64(layer, lambda x, slope: tf.where(x > 0, x, slope * x), slope)

    def gelu(x, root_of_half):
        return 0.5 * x * tf.math.erfc(-x * root_of_half)

    layers = keras.layers
    plans = [
        ("LeakyReLU_defaults", {"negative_slope": 0.3}, leaky_relu(0.3, layers.LeakyReLU())),
        ("LeakyReLU_options", {"negative_slope": 0.1}, leaky_relu(0.1, layers.LeakyReLU(negative_slope=0.1))),
        ("LeakyReLU_function", {"negative_slope": 0.2}, leaky_relu(0.2, layers.Activation("leaky_relu"))),
        ("ELU_defaults", {"alpha": 1.0}, layers.ELU()),
        ("ELU_options", {"alpha": 0.5}, layers.ELU(alpha=0.5)),
        ("GELU_defaults", {"approximate": False}, in_float64(layers.Activation("gelu"), gelu, np.sqrt(0.5))),
        ("SiLU_defaults", {}, layers.Activation("silu")),
    ]
    return [
        layer_case(rng, f"{name}_{label}", layer, x, type=name.split("_")[0], **options)
        for name, options, layer in plans
        for label, x in activation_inputs(rng).items()
    ]


def flatten_cases():
    rng = np.random.default_rng(3)
    shapes = {
        "rank_2": (3, 4),
        "rank_3": (2, 3, 4),
        "rank_4": (2, 3, 4, 5),
        "rank_5": (2, 3, 1, 4, 5),
        "batch_of_one": (1, 2, 3, 4),
    }
    return [
        layer_case(
            rng,
            f"{label}_{data_format}",
            keras.layers.Flatten(data_format=data_format),
            normal(rng, shape),
            data_format=data_format,
        )
        for data_format in ("channels_last", "channels_first")
        for label, shape in shapes.items()
    ]


def other_layer_cases():
    rng = np.random.default_rng(10)
    layers = keras.layers
    cases = []

    for label, shape, scale, offset in [
        ("bytes_to_unit", (2, 3, 4, 1), 1 / 255, 0.0),
        ("bytes_to_both_signs", (2, 3, 4), 1 / 127.5, -1.0),
        ("batch_of_one", (1, 5), -0.3, 0.7),
    ]:
        layer = layers.Rescaling(np.float64(scale), np.float64(offset))
        x = rng.integers(0, 256, shape).astype(np.float64)
        cases.append(layer_case(rng, f"Rescaling_{label}", layer, x, type="Rescaling", scale=scale, offset=offset))

    for shape, target_shape in [
        ((2, 3, 1, 4), [12]),
        ((2, 12), [3, 4]),
        ((2, 12), [3, -1]),
        ((2, 3, 4), [-1]),
        ((3, 4, 2), [-1, 2, 1]),
        ((1, 2, 3, 4), [4, -1, 2]),
    ]:
        name = f"Reshape_{shape}_to_{tuple(target_shape)}"
        layer = layers.Reshape(target_shape)
        cases.append(
            layer_case(
                rng,
                name,
                layer,
                normal(rng, shape),
                type="Reshape",
                target_shape=target_shape,
                output_shape=list(layer.compute_output_shape(shape))[1:],
            )
        )

    for label, shape, padding in [
        ("defaults", (2, 3, 4, 1), (1, 1)),
        ("number", (2, 4, 3, 1), 2),
        ("pair", (2, 3, 4, 1), (1, 2)),
        ("four", (1, 4, 3, 2), ((1, 2), (3, 0))),
        ("none", (2, 3, 4, 1), 0),
        ("batch_of_one", (1, 2, 3, 4), ((0, 1), (2, 1))),
    ]:
        layer = layers.ZeroPadding2D(padding)
        (top, bottom), (left, right) = layer.padding
        cases.append(
            layer_case(
                rng,
                f"ZeroPadding2D_{label}",
                layer,
                normal(rng, shape),
                type="ZeroPadding2D",
                padding=[top, bottom, left, right],
            )
        )
    return cases


def batch_norm_case(rng, name, shape, calls, constant_channel=False, **options):
    """A layer called once per flag in calls, training or not; its moving statistics go on from call to call."""
    layer = keras.layers.BatchNormalization(**options)
    layer.build(shape)
    size = shape[-1:]
    before = {
        "gamma": (1 + normal(rng, size, 0.3)).round(3),
        "beta": normal(rng, size, 0.5),
        "moving_mean": normal(rng, size, 0.5),
        "moving_variance": rng.uniform(0.5, 2.0, size).round(3),
    }
    before = {key: value for key, value in before.items() if getattr(layer, key) is not None}
    layer.set_weights(list(before.values()))

    case = {
        "name": name,
        "momentum": layer.momentum,
        "epsilon": layer.epsilon,
        "center": layer.center,
        "scale": layer.scale,
        **{key: tensor(value) for key, value in before.items()},
        "calls": [],
    }
    for training in calls:
        x = (0.3 + normal(rng, shape, 1.5)).round(3)
        if constant_channel:
            x[..., 1] = 0.75
        x = tf.constant(x)
        trained = {"dgamma": layer.gamma, "dbeta": layer.beta}
        trained = {key: weight.value for key, weight in trained.items() if weight is not None}
        y, dy, (dx, *dweights) = backward(rng, lambda: layer(x, training=training), [x, *trained.values()])
        case["calls"].append(
            {
                "training": training,
                "x": tensor(x),
                "y": tensor(y),
                "dy": tensor(dy),
                "dx": tensor(dx),
                **{key: tensor(gradient) for key, gradient in zip(trained, dweights)},
                "moving_mean": tensor(layer.moving_mean),
                "moving_variance": tensor(layer.moving_variance),
            }
        )
    return case


def batch_norm_cases():
    rng = np.random.default_rng(11)
    options = {"momentum": 0.9, "epsilon": 1e-2}
    plans = [
        ("rank_2", (5, 3), {}),
        ("rank_3", (2, 4, 3), {}),
        ("rank_4", (2, 4, 5, 3), {}),
        ("rank_2_options", (5, 4), options),
        ("rank_4_options", (3, 2, 1, 4), options),
        ("rank_2_no_center", (5, 3), {"center": False}),
        ("rank_4_no_scale", (2, 1, 4, 3), {"scale": False}),
        ("rank_3_no_center_no_scale", (2, 4, 3), {"center": False, "scale": False, **options}),
        ("rank_4_batch_of_one", (1, 3, 4, 2), {}),
        ("rank_2_batch_of_one", (1, 4), options),
    ]
    cases = []
    for label, shape, options in plans:
        cases.append(batch_norm_case(rng, f"{label}_training", shape, [True], **options))
        cases.append(batch_norm_case(rng, f"{label}_inference", shape, [False], **options))
    for label, shape in {"rank_2": (5, 3), "rank_4": (2, 4, 3, 2)}.items():
        name = f"{label}_constant_channel_training"
        cases.append(batch_norm_case(rng, name, shape, [True], constant_channel=True))
    for label, shape in {"rank_2": (5, 3), "rank_4": (2, 1, 4, 3)}.items():
        name = f"{label}_two_trainings_then_inference"
        cases.append(batch_norm_case(rng, name, shape, [True, True, False], momentum=0.8))
    return cases
