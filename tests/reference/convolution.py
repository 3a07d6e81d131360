"""Conv2D and the pooling layers."""

import keras
import numpy as np
import tensorflow as tf

from common import backward, distinct, layer_case, normal, tensor


def conv2d_case(rng, name, shape, filters, kernel_size, **options):
    """Keras refuses strides and dilation both above 1, and runs groups on the CPU through XLA."""
    layer = keras.layers.Conv2D(filters, kernel_size, **options)
    layer.build(shape)
    x = tf.constant(normal(rng, shape))
    kernel = normal(rng, layer.kernel.shape, 0.4)
    bias = normal(rng, (filters,), 0.5)
    layer.set_weights([kernel, bias] if layer.use_bias else [kernel])

    variables = [x] + [weight.value for weight in layer.weights]
    y, dy, (dx, *dweights) = backward(rng, lambda: layer(x), variables)
    case = {
        "name": name,
        "filters": filters,
        "kernel_size": list(layer.kernel_size),
        "strides": list(layer.strides),
        "padding": layer.padding,
        "dilation_rate": list(layer.dilation_rate),
        "groups": layer.groups,
        "activation": layer.activation.__name__,
        "use_bias": layer.use_bias,
        "x": tensor(x),
        "kernel": tensor(kernel),
        "bias": tensor(bias),
        "y": tensor(y),
        "dy": tensor(dy),
        "dx": tensor(dx),
        "dkernel": tensor(dweights[0]),
        "dbias": tensor(dweights[-1]),
    }
    if not layer.use_bias:
        del case["bias"], case["dbias"]
    return case


def conv2d_cases():
    rng = np.random.default_rng(12)
    same, no_bias = {"padding": "same"}, {"use_bias": False}
    relu, tanh = {"activation": "relu"}, {"activation": "tanh"}
    plans = [
        ("1x1_valid", (2, 3, 4, 1), 5, 1, relu),
        ("1x1_same_strides_2", (2, 5, 6, 3), 4, 1, {**same, "strides": 2, **no_bias}),
        ("1x1_valid_strides_3", (2, 7, 5, 1), 3, 1, {"strides": 3}),
        ("2x2_same", (2, 5, 4, 1), 3, 2, {**same, **relu}),
        ("2x2_valid_strides_2", (2, 5, 4, 3), 6, 2, {"strides": 2, **tanh}),
        ("2x2_same_strides_3", (2, 7, 5, 1), 4, 2, {**same, "strides": 3, **no_bias}),
        ("3x3_same", (2, 5, 4, 3), 1, 3, {**same, **relu}),
        ("3x3_valid", (2, 5, 4, 1), 6, 3, {**tanh, **no_bias}),
        ("3x3_same_strides_2_odd_image", (2, 5, 3, 4), 1, 3, {**same, "strides": 2}),
        ("3x3_same_strides_2_even_image", (2, 4, 6, 1), 5, 3, {**same, "strides": 2, **tanh}),
        ("3x3_valid_strides_2_remainder", (2, 4, 6, 3), 5, 3, {"strides": 2, **relu, **no_bias}),
        ("3x3_same_strides_3", (2, 7, 5, 1), 4, 3, {**same, "strides": 3}),
        ("2x3_same", (2, 4, 5, 3), 1, (2, 3), {**same, **tanh}),
        ("2x3_same_strides_2x1", (2, 5, 4, 1), 6, (2, 3), {**same, "strides": (2, 1)}),
        ("2x3_valid_strides_2x1", (2, 6, 5, 3), 4, (2, 3), {"strides": (2, 1), **relu}),
        ("4x4_same", (2, 5, 6, 1), 3, 4, same),
        ("4x4_same_strides_2", (2, 6, 5, 3), 1, 4, {**same, "strides": 2, **relu}),
        ("4x4_valid_strides_3", (1, 8, 7, 3), 2, 4, {"strides": 3, **no_bias}),
        ("3x3_valid_dilation_2", (2, 7, 6, 1), 4, 3, {"dilation_rate": 2, **relu}),
        ("3x3_same_dilation_2", (2, 6, 5, 1), 3, 3, {**same, "dilation_rate": 2, **tanh}),
        ("3x3_same_dilation_1x2", (2, 4, 5, 1), 3, 3, {**same, "dilation_rate": (1, 2)}),
        ("2x2_same_dilation_2", (2, 4, 3, 1), 5, 2, {**same, "dilation_rate": 2, **no_bias}),
        ("2x3_valid_dilation_1x2", (2, 3, 6, 4), 5, (2, 3), {"dilation_rate": (1, 2)}),
        ("3x3_same_groups_2", (1, 5, 3, 4), 6, 3, {**same, "groups": 2, **relu}),
        ("2x3_valid_strides_2x1_groups_2", (2, 4, 5, 4), 6, (2, 3), {"strides": (2, 1), "groups": 2, **no_bias}),
        ("2x2_same_dilation_2_groups_2", (2, 3, 5, 4), 2, 2, {**same, "dilation_rate": 2, "groups": 2}),
        ("3x3_same_groups_4", (2, 3, 5, 4), 4, 3, {**same, "groups": 4, **tanh}),
        ("2x2_same_strides_2_groups_4", (2, 5, 3, 4), 8, 2, {**same, "strides": 2, "groups": 4, **relu}),
        ("3x3_same_batch_of_one", (1, 5, 6, 1), 3, 3, {**same, **relu}),
        ("4x3_valid_as_large_as_the_image", (2, 4, 3, 1), 5, (4, 3), tanh),
        ("4x4_same_larger_than_the_image", (2, 3, 1, 3), 5, 4, same),
        ("3x3_same_one_row", (2, 1, 5, 3), 4, 3, {**same, **relu}),
    ]
    return [conv2d_case(rng, *plan, **options) for *plan, options in plans]


def pooling_cases():
    """Images without ties. Padding counts as minus infinity for a maximum, and not at all for an average."""
    rng = np.random.default_rng(13)
    plans = [
        ("2_valid", (2, 6, 4, 3), 2, None, "valid"),
        ("2_valid_odd_image", (2, 5, 3, 1), 2, None, "valid"),
        ("2_same_odd_image", (2, 5, 3, 4), 2, None, "same"),
        ("2_valid_strides_1", (2, 3, 4, 1), 2, 1, "valid"),
        ("2_same_strides_1", (2, 3, 4, 1), 2, 1, "same"),
        ("2_valid_strides_3", (2, 6, 5, 1), 2, 3, "valid"),
        ("3_valid_strides_2", (2, 5, 4, 3), 3, 2, "valid"),
        ("3_same_strides_2_odd_image", (2, 5, 7, 1), 3, 2, "same"),
        ("3_same_strides_2_even_image", (2, 6, 4, 1), 3, 2, "same"),
        ("3_same", (2, 7, 5, 1), 3, None, "same"),
        ("3_same_strides_1", (2, 4, 5, 1), 3, 1, "same"),
        ("2x3_valid", (2, 5, 7, 1), (2, 3), None, "valid"),
        ("2x3_same", (2, 3, 5, 4), (2, 3), None, "same"),
        ("2x3_valid_strides_3x2", (2, 7, 6, 1), (2, 3), (3, 2), "valid"),
        ("2x3_same_strides_3x2", (2, 7, 6, 1), (2, 3), (3, 2), "same"),
        ("3x4_valid_as_large_as_the_image", (2, 3, 4, 5), (3, 4), None, "valid"),
        ("4_same_larger_than_the_image", (2, 3, 1, 5), 4, None, "same"),
        ("2_same_batch_of_one", (1, 3, 5, 2), 2, None, "same"),
        ("3_same_all_negative", (2, 4, 5, 1), 3, 2, "same"),
    ]
    cases = []
    for kind in ("MaxPooling2D", "AveragePooling2D"):
        for label, shape, pool_size, strides, padding in plans:
            x = distinct(rng, shape)
            if "negative" in label:
                x = (x - 10).round(3)
            layer = getattr(keras.layers, kind)(pool_size, strides, padding)
            cases.append(
                layer_case(
                    rng,
                    f"{kind}_{label}",
                    layer,
                    x,
                    type=kind,
                    pool_size=list(layer.pool_size),
                    strides=list(layer.strides),
                    padding=padding,
                )
            )
    for kind in ("GlobalMaxPooling2D", "GlobalAveragePooling2D"):
        for label, shape in {
            "image": (2, 3, 4, 5),
            "one_channel": (2, 4, 3, 1),
            "one_pixel": (2, 1, 1, 3),
            "batch_of_one": (1, 3, 2, 4),
        }.items():
            layer = getattr(keras.layers, kind)()
            cases.append(layer_case(rng, f"{kind}_{label}", layer, distinct(rng, shape), type=kind))
    return cases
