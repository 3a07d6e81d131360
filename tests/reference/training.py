"""Whole training runs."""

import keras
import numpy as np

from common import normal, one_hot, tensor
from optimizers import adam, options_of, schedule, sgd
from regularization import regularizer


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


def plain(value):
    """The JSON form of a layer's option: regularizers and constraints become their type and options."""
    if hasattr(value, "get_config"):
        return {"type": type(value).__name__, **value.get_config()}
    return value


def described_loss(loss):
    """The type and the options of a loss, less those that it does not have and no smoothing."""
    config = loss.get_config()
    options = {key: config[key] for key in ("from_logits", "label_smoothing") if config.get(key) not in (None, 0.0)}
    if "from_logits" in config:
        options["from_logits"] = config["from_logits"]
    return {"type": type(loss).__name__, **options}


def run_case(
    name,
    layers,
    optimizer,
    data,
    seed,
    epochs=4,
    class_weight=None,
    sample_weight=None,
    val_sample_weight=None,
    callbacks=(),
    loss=None,
    batch_size=5,
    validation_split=None,
    fits=None,
    accuracy=True,
    weighted_accuracy=True,
    starts_constrained=False,
):
    """A run of any layers, (type, options) each, over batches in order, with SparseCategoricalCrossentropy or a loss.

    Weights are in the order of Keras, layer by layer, with the moving statistics after gamma and beta. evaluate and
    predictions come from the final weights, without sample weights. class_weight has one entry per class. With
    validation_split, the validation data are for evaluate and predict alone. fits: how often fit is called, if not
    once; the history is that of all calls.
    """
    x, y, x_val, y_val = data
    rng = np.random.default_rng(seed)
    loss = loss or keras.losses.SparseCategoricalCrossentropy()
    model = keras.Sequential([keras.Input(x.shape[1:])])
    for kind, options in layers:
        model.add(getattr(keras.layers, kind)(**options))
    initial = [normal(rng, weight.shape, 0.5) for weight in model.weights]
    for weight, value in zip(model.weights, initial):
        if weight.name in ("gamma", "moving_variance"):
            value[:] = rng.uniform(0.5, 1.5, value.shape).round(3)
    if starts_constrained:
        for i, weight in enumerate(model.weights):
            if weight.constraint is not None:
                initial[i] = np.array(weight.constraint(initial[i]))
    model.set_weights(initial)

    options = options_of(optimizer)  # before a callback changes the learning rate
    weighted = weighted_accuracy and (class_weight is not None or sample_weight is not None)
    model.compile(
        optimizer,
        loss,
        metrics=["accuracy"] if accuracy else None,
        weighted_metrics=["accuracy"] if weighted else None,
        jit_compile=False,
    )
    callbacks = [(kind, options, getattr(keras.callbacks, kind)(**options)) for kind, options in callbacks]
    if validation_split is not None:
        validation = {"validation_split": validation_split}
    elif val_sample_weight is not None:
        validation = {"validation_data": (x_val, y_val, val_sample_weight)}
    else:
        validation = {"validation_data": (x_val, y_val)}
    history = {}
    for _ in range(fits or 1):
        of_fit = model.fit(
            x,
            y,
            batch_size=batch_size,
            epochs=epochs,
            shuffle=False,
            **validation,
            class_weight=None if class_weight is None else dict(enumerate(class_weight)),
            sample_weight=sample_weight,
            callbacks=[callback for *_, callback in callbacks],
            verbose=0,
        ).history
        for score, values in of_fit.items():
            history[score] = history.get(score, []) + values

    optional = {
        "class_weight": class_weight,
        "sample_weight": None if sample_weight is None else tensor(sample_weight),
        "val_sample_weight": None if val_sample_weight is None else tensor(val_sample_weight),
        "callbacks": [{"type": kind, **options} for kind, options, _ in callbacks] or None,
        "validation_split": validation_split,
        "fits": fits,
    }
    outcome = {"epochs_run": len(history["loss"])}
    for kind, _, callback in callbacks:
        if kind == "EarlyStopping":
            outcome |= {"best_epoch": callback.best_epoch, "stopped_early": callback.stopped_epoch > 0}
    return {
        "name": name,
        "layers": [
            {"type": kind, **{key: plain(value) for key, value in options.items()}} for kind, options in layers
        ],
        "loss": described_loss(loss),
        "optimizer": {"type": type(optimizer).__name__, "options": options},
        "batch_size": batch_size,
        "epochs": epochs,
        **{key: value for key, value in optional.items() if value is not None},
        "weight_names": [weight.name for weight in model.weights],
        "initial_weights": [tensor(weight) for weight in initial],
        "x": tensor(x),
        "y": tensor(y),
        "x_val": tensor(x_val),
        "y_val": tensor(y_val),
        "history": history,
        **outcome,
        "final_weights": [tensor(weight) for weight in model.get_weights()],
        "predictions": tensor(model.predict(x_val, batch_size=batch_size, verbose=0)),
        "evaluate": model.evaluate(x_val, y_val, batch_size=batch_size, verbose=0, return_dict=True),
    }


def small_network(convolution=None, head=None):
    return [
        ("Conv2D", {"filters": 3, "kernel_size": 3, "padding": "same", "activation": "relu", **(convolution or {})}),
        ("BatchNormalization", {"momentum": 0.9}),
        ("MaxPooling2D", {"pool_size": 2}),
        ("Flatten", {}),
        ("Dense", {"units": 4, "activation": "softmax", **(head or {})}),
    ]


def convolutional_training_cases():
    rng = np.random.default_rng(20)
    train, validation, shape, classes = 23, 9, (4, 3, 2), 4
    x = normal(rng, (train + validation, *shape)).round(2)
    flat = x.reshape(len(x), -1)
    labels = (flat @ rng.standard_normal((flat.shape[1], classes))).argmax(axis=1)
    data = x[:train], labels[:train], x[train:], labels[train:]

    weight = rng.uniform(0.2, 3.0, train).round(3)
    weight[[1, 4, 22]] = 0.0
    empty_batch = weight.copy()
    empty_batch[5:10] = 0.0
    val_weight = rng.uniform(0.2, 3.0, validation).round(3)
    val_weight[3] = 0.0
    class_weight = [2.0, 1.0, 0.5, 0.0]

    warmup = schedule("CosineDecay", initial_learning_rate=0.01, decay_steps=14, warmup_target=0.1, warmup_steps=4)
    staircase = schedule("ExponentialDecay", initial_learning_rate=0.05, decay_steps=5, decay_rate=0.6, staircase=True)
    steps = schedule("PiecewiseConstantDecay", boundaries=[4, 9], values=[0.05, 0.02, 0.004])
    penalties = {"kernel_regularizer": regularizer("L2", l2=0.01), "activity_regularizer": regularizer("L1", l1=0.003)}
    head_penalties = {
        "kernel_regularizer": regularizer("L1L2", l1=0.01, l2=0.02),
        "bias_regularizer": regularizer("L2", l2=0.05),
    }
    bounds = {"kernel_constraint": keras.constraints.MaxNorm(1.5, axis=[0, 1, 2])}
    head_bounds = {"kernel_constraint": keras.constraints.MaxNorm(0.9), "bias_constraint": keras.constraints.NonNeg()}
    plateau = {"monitor": "val_loss", "factor": 0.3, "patience": 1, "min_delta": 1e-3, "cooldown": 2, "min_lr": 0.01}
    stop = {"monitor": "val_loss", "patience": 2, "min_delta": 0.0, "restore_best_weights": True}
    by_accuracy = {**stop, "monitor": "val_accuracy", "patience": 3}
    softmax = [("Flatten", {}), ("Dense", {"units": 4, "activation": "softmax"})]

    # Seeds of the weights under which accuracies move, and callbacks act.
    return [
        run_case("plain", small_network(), adam(0.01), data, 201),
        run_case("regularizers", small_network(penalties, head_penalties), adam(0.01), data, 200),
        run_case("constraints", small_network(bounds, head_bounds), adam(0.01), data, 206),
        run_case("class_weight", small_network(), adam(0.01), data, 200, class_weight=class_weight),
        run_case(
            "sample_weight",
            small_network(),
            adam(0.01),
            data,
            202,
            sample_weight=weight,
            val_sample_weight=val_weight,
        ),
        run_case("weightless_batch", softmax, sgd(0.1), data, 205, sample_weight=empty_batch),
        run_case("nesterov_cosine", small_network(), sgd(warmup, 0.9, nesterov=True), data, 204),
        run_case("momentum_staircase", softmax, sgd(staircase, 0.9), data, 208),
        run_case("adam_piecewise_clipped", softmax, adam(steps, global_clipnorm=0.5), data, 202),
        run_case(
            "reduce_on_plateau",
            small_network(),
            adam(0.2),
            data,
            202,
            epochs=10,
            callbacks=[("ReduceLROnPlateau", plateau)],
        ),
        run_case(
            "early_stopping",
            small_network(),
            adam(0.05),
            data,
            204,
            epochs=15,
            callbacks=[("EarlyStopping", stop)],
        ),
        run_case(
            "early_stopping_out_of_epochs",
            small_network(),
            adam(0.05),
            data,
            205,
            epochs=5,
            callbacks=[("EarlyStopping", by_accuracy)],
        ),
        run_case(
            "plateau_and_early_stopping",
            softmax,
            sgd(1.0),
            data,
            112,
            epochs=15,
            callbacks=[("ReduceLROnPlateau", {**plateau, "cooldown": 0}), ("EarlyStopping", {**stop, "patience": 3})],
        ),
    ]
