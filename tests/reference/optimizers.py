"""Optimizers and learning-rate schedules."""

import keras
import numpy as np
import tensorflow as tf

from common import normal, tensor


def options_of(optimizer):
    """What the optimizer was made with, less what is switched off; a schedule stands for the learning rate."""
    config = optimizer.get_config()
    names = {
        "Adam": ["learning_rate", "beta_1", "beta_2", "epsilon"],
        "AdamW": ["learning_rate", "beta_1", "beta_2", "epsilon"],
        "SGD": ["learning_rate", "momentum"] + (["nesterov"] if config.get("momentum") else []),
        "RMSprop": ["learning_rate", "rho", "momentum", "epsilon", "centered"],
    }[type(optimizer).__name__]
    names += [key for key in ("weight_decay", "clipnorm", "clipvalue", "global_clipnorm") if config[key] is not None]
    options = {name: config[name] if isinstance(config[name], (bool, dict)) else float(config[name]) for name in names}
    if isinstance(options["learning_rate"], dict):
        options["learning_rate"] = described(optimizer._learning_rate)
    return options


def adam(learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, **options):
    """Keras's Adam, whose defaults these are, in float64 throughout."""
    return keras.optimizers.Adam(learning_rate, np.float64(beta_1), np.float64(beta_2), epsilon, **options)


def adamw(learning_rate=0.001, weight_decay=0.004, beta_1=0.9, beta_2=0.999, epsilon=1e-7, **options):
    """Keras's AdamW, whose defaults these are, in float64 throughout."""
    betas = np.float64(beta_1), np.float64(beta_2)
    return keras.optimizers.AdamW(learning_rate, np.float64(weight_decay), *betas, epsilon, **options)


def sgd(learning_rate=0.01, momentum=0.0, **options):
    """Keras's SGD, whose defaults these are, in float64 throughout."""
    return keras.optimizers.SGD(learning_rate, np.float64(momentum), **options)


def optimizer_case(name, optimizer, initial, gradients):
    variables = [keras.Variable(value) for value in initial]
    optimizer.build(variables)
    values = []
    for step in gradients:
        optimizer.apply([tf.constant(gradient) for gradient in step], variables)
        values.append([tensor(variable) for variable in variables])
    return {
        "name": name,
        "type": type(optimizer).__name__,
        "options": options_of(optimizer),
        "initial": [tensor(value) for value in initial],
        "gradients": [[tensor(gradient) for gradient in step] for step in gradients],
        "values": values,
    }


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
    return [optimizer_case(name, optimizer, initial, gradients) for name, optimizer in optimizers.items()]


def more_optimizer_cases():
    """Clipping comes first, then weight decay of every tensor, then the update."""
    rng = np.random.default_rng(19)
    shapes = [(3, 2), (5,), (2, 1, 3)]
    initial = [normal(rng, shape) for shape in shapes]
    gradients = [[normal(rng, shape) for shape in shapes] for _ in range(4)]
    gradients[0][2][:] = 0.0
    gradients[1] = [(0.05 * gradient).round(3) for gradient in gradients[1]]  # below every clipping norm
    gradients[2] = [np.zeros(shape) for shape in shapes]
    gradients[3][0] *= 1e6
    gradients[3][1] *= 1e-9

    rmsprop = keras.optimizers.RMSprop
    optimizers = {
        "SGD_momentum": sgd(momentum=0.9),
        "SGD_nesterov": sgd(momentum=0.9, nesterov=True),
        "SGD_nesterov_options": sgd(0.1, momentum=0.5, nesterov=True),
        "SGD_clipvalue": sgd(0.1, clipvalue=0.5),
        "SGD_clipnorm": sgd(0.1, momentum=0.9, clipnorm=1.3),
        "SGD_global_clipnorm": sgd(0.1, global_clipnorm=1.7),
        "RMSprop_defaults": rmsprop(),
        "RMSprop_options": rmsprop(learning_rate=0.01, rho=0.8, epsilon=1e-3),
        "RMSprop_momentum": rmsprop(momentum=0.5),
        "RMSprop_centered": rmsprop(centered=True),
        "RMSprop_momentum_centered": rmsprop(momentum=0.5, centered=True),
        "AdamW_defaults": adamw(),
        "AdamW_options": adamw(learning_rate=0.01, weight_decay=0.1),
        "AdamW_global_clipnorm": adamw(learning_rate=0.01, weight_decay=0.1, global_clipnorm=1.7),
        "Adam_clipvalue": adam(clipvalue=0.5),
        "Adam_clipnorm": adam(clipnorm=1.3),
        "Adam_global_clipnorm": adam(global_clipnorm=1.7),
    }
    return [optimizer_case(name, optimizer, initial, gradients) for name, optimizer in optimizers.items()]


def schedule(kind, **options):
    """A schedule in float64: TensorFlow makes float32 tensors of Python floats."""

    def double(value):
        if isinstance(value, list):
            return [double(item) for item in value]
        return np.float64(value) if isinstance(value, float) else value

    return getattr(keras.optimizers.schedules, kind)(**{key: double(value) for key, value in options.items()})


def described(made):
    """The kind and the options of a schedule, less its name and what is not set."""
    options = {key: value for key, value in made.get_config().items() if key != "name" and value is not None}
    return {"type": type(made).__name__, "options": options}


def schedule_cases():
    """values[i] is the learning rate of the update before which steps[i] updates were made."""
    exponential = {"initial_learning_rate": 0.1, "decay_steps": 4, "decay_rate": 0.7}
    cosine = {"initial_learning_rate": 0.1, "decay_steps": 10}
    polynomial = {"initial_learning_rate": 0.1, "decay_steps": 7, "end_learning_rate": 0.0001}
    warmup = {"warmup_target": 0.3, "warmup_steps": 5}
    plans = {
        "ExponentialDecay_smooth": exponential,
        "ExponentialDecay_staircase": {**exponential, "staircase": True},
        "PiecewiseConstantDecay_two_boundaries": {"boundaries": [3, 8], "values": [0.1, 0.03, 0.007]},
        "PiecewiseConstantDecay_one_boundary": {"boundaries": [0], "values": [0.5, 0.2]},
        "CosineDecay_default": cosine,
        "CosineDecay_alpha": {**cosine, "alpha": 0.2},
        "CosineDecay_warmup": {**cosine, **warmup},
        "CosineDecay_warmup_from_zero_alpha": {**cosine, **warmup, "initial_learning_rate": 0.0, "alpha": 0.2},
        "PolynomialDecay_default": polynomial,
        "PolynomialDecay_options": {**polynomial, "end_learning_rate": 0.02, "power": 2.0},
        "PolynomialDecay_cycle": {**polynomial, "end_learning_rate": 0.02, "power": 0.5, "cycle": True},
    }
    steps = [*range(17), 100]
    cases = []
    for name, options in plans.items():
        made = schedule(name.split("_")[0], **options)
        values = [float(made(step)) for step in steps]
        cases.append({"name": name, **described(made), "steps": steps, "values": values})
    return cases
