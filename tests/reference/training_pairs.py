"""Training runs in which every two options of fit and compile meet."""

import itertools

import keras
import numpy as np

from common import normal, one_hot, tensor
from optimizers import adam, adamw, schedule, sgd
from regularization import regularizer
from training import run_case

# What a run is made of: of each factor one value. None is without.
FACTORS = {
    "loss": ["sparse", "one_hot", "smoothed", "binary", "smoothed_binary", "regression"],
    "weight": [None, "class", "sample"],
    "validation": ["data", "weighted", "split"],
    "optimizer": ["sgd", "nesterov", "adam", "adamw", "rmsprop"],
    "clipping": [None, "clipvalue", "global_clipnorm"],
    "rate": ["constant", "warmup", "steps"],
    "penalty": [None, "kernel", "activity", "hidden_activity"],
    "constraint": [None, "max_norm", "non_negative", "unit_norm"],
    "batch_size": [5, 8, 23, 40],
    "network": ["dense", "batch_norm"],
    "callback": [None, "plateau", "stopping"],
    "fits": [None, 2],
}


# Gradients of several batches are added. Keras ends a step by the number of batches, also across epochs, so all groups
# of batches are whole here. Its schedules follow the batches, so the rate is constant. It applies constraints after
# each batch, also before the first step, so weights start within them; norms are left out, for each time they divide
# by norm + 1e-7 again.
ACCUMULATION = "gradient_accumulation_steps"
ACCUMULATING = {**FACTORS, "rate": ["constant"], "batch_size": [4, 8, 12], ACCUMULATION: [2, 3]}
ACCUMULATING["constraint"] = [None, "non_negative"]
TRAINED = {"split": 16}  # of 24 samples


def is_possible(run):
    """No class of a number; no callback sets a rate that follows a schedule; whole groups of batches.

    Of factors not chosen yet, nothing.
    """
    if run.get(ACCUMULATION):
        samples = run[ACCUMULATION] * run.get("batch_size", 4)
        if TRAINED.get(run.get("validation"), 24) % samples != 0:
            return False
    if run.get("loss") == "regression" and run.get("weight") == "class":
        return False
    return run.get("callback") != "plateau" or run.get("rate") in (None, "constant")


def covering_runs(factors, of=None):
    """Runs in which each two values of two factors meet, as far as they may, or those of one factor: found greedily."""
    open_pairs = {
        ((a, value_a), (b, value_b))
        for a, b in itertools.combinations(factors, 2)
        for value_a in factors[a]
        for value_b in factors[b]
        if of in (None, a, b) and is_possible({a: value_a, b: value_b})
    }
    runs = []
    while open_pairs:
        (a, value_a), (b, value_b) = min(open_pairs, key=str)
        run = {a: value_a, b: value_b}
        for factor, values in factors.items():
            if factor in run:
                continue

            def gain(value):
                new = [tuple(sorted([(factor, value), chosen], key=lambda item: list(factors).index(item[0])))
                       for chosen in run.items()]  # fmt: skip
                return sum(pair in open_pairs for pair in new)

            possible = [value for value in values if is_possible({**run, factor: value})]
            # Among equals another one each time, so that all values come up.
            start = len(runs) % len(possible)
            run[factor] = max(possible[start:] + possible[:start], key=gain)
        ordered = {factor: run[factor] for factor in factors}
        open_pairs -= set(itertools.combinations(ordered.items(), 2))
        runs.append(ordered)
    return runs


def make_optimizer(run):
    rate = {
        "constant": 0.02,
        "warmup": schedule(
            "CosineDecay", initial_learning_rate=0.005, decay_steps=11, warmup_target=0.04, warmup_steps=3
        ),
        "steps": schedule("PiecewiseConstantDecay", boundaries=[3, 7], values=[0.03, 0.01, 0.002]),
    }[run["rate"]]
    clipping = {None: {}, "clipvalue": {"clipvalue": 0.03}, "global_clipnorm": {"global_clipnorm": 0.1}}
    options = {**clipping[run["clipping"]], ACCUMULATION: run.get(ACCUMULATION)}
    return {
        "sgd": lambda: sgd(rate, **options),
        "nesterov": lambda: sgd(rate, 0.9, nesterov=True, **options),
        "adam": lambda: adam(rate, **options),
        "adamw": lambda: adamw(rate, 0.1, **options),
        "rmsprop": lambda: keras.optimizers.RMSprop(rate, momentum=0.5, **options),
    }[run["optimizer"]]()


def make_layers(run):
    head = {
        "sparse": (4, "softmax"),
        "one_hot": (4, "softmax"),
        "smoothed": (4, "softmax"),
        "binary": (1, "sigmoid"),
        "smoothed_binary": (1, "sigmoid"),
        "regression": (2, "linear"),
    }[run["loss"]]
    hidden, last = {"units": 3, "activation": "relu"}, {"units": head[0], "activation": head[1]}
    penalty = {
        "kernel": {
            "kernel_regularizer": regularizer("L1L2", l1=0.01, l2=0.02),
            "bias_regularizer": regularizer("L2", l2=0.05),
        },
        "activity": {"activity_regularizer": regularizer("L1L2", l1=0.02, l2=0.03)},
    }
    last |= penalty.get(run["penalty"], {})
    if run["penalty"] == "hidden_activity":
        hidden |= penalty["activity"]
    constraint = {
        "max_norm": {"kernel_constraint": keras.constraints.MaxNorm(0.8)},
        "non_negative": {"bias_constraint": keras.constraints.NonNeg()},
        "unit_norm": {"kernel_constraint": keras.constraints.UnitNorm()},
    }
    for layer in (hidden, last):
        layer |= constraint.get(run["constraint"], {})
    between = [("BatchNormalization", {"momentum": 0.9})] if run["network"] == "batch_norm" else []
    return [("Dense", hidden), *between, ("Dense", last)]


def make_callbacks(run):
    callbacks = {
        "plateau": (
            "ReduceLROnPlateau",
            {"monitor": "val_loss", "factor": 0.3, "patience": 1, "min_delta": 0.02, "cooldown": 2, "min_lr": 1e-4},
        ),
        "stopping": (
            "EarlyStopping",
            {"monitor": "val_loss", "patience": 1, "min_delta": 0.01, "restore_best_weights": True},
        ),
    }
    return [callbacks[run["callback"]]] if run["callback"] else []


def training_pair_cases():
    return pair_cases(covering_runs(FACTORS), 23, 33)


def accumulation_cases():
    return pair_cases(covering_runs(ACCUMULATING, ACCUMULATION), 24, 34)


def pair_cases(runs, train, seed):
    """The first case is the data of the others, which name theirs by the loss."""
    rng = np.random.default_rng(seed)
    validation = 9
    x = normal(rng, (train + validation, 4)).round(1)
    scores = x @ rng.standard_normal((4, 4))
    labels = scores.argmax(axis=1)
    yes = (scores[:, :1] > 0).astype(np.float64)
    losses = keras.losses
    problems = {
        "sparse": (labels, losses.SparseCategoricalCrossentropy()),
        "one_hot": (one_hot(labels, 4), losses.CategoricalCrossentropy()),
        "smoothed": (one_hot(labels, 4), losses.CategoricalCrossentropy(label_smoothing=0.1)),
        "binary": (yes, losses.BinaryCrossentropy()),
        "smoothed_binary": (yes, losses.BinaryCrossentropy(label_smoothing=0.2)),
        "regression": (scores[:, :2].round(1), losses.MeanSquaredError()),
    }
    weight = rng.uniform(0.2, 3.0, train + validation).round(1)
    weight[[1, 4, 22, 28]] = 0.0
    targets = {name: {"y": tensor(y[:train]), "y_val": tensor(y[train:])} for name, (y, _) in problems.items()}
    cases = [{"name": "data", "x": tensor(x[:train]), "x_val": tensor(x[train:]), "targets": targets}]
    for number, run in enumerate(runs):
        y, loss = problems[run["loss"]]
        classes = 2 if y.shape[-1:] == (1,) else 4
        case = run_case(
            "-".join(str(value) for value in run.values() if value is not None),
            make_layers(run),
            make_optimizer(run),
            (x[:train], y[:train], x[train:], y[train:]),
            seed=300 + number,
            epochs=6 if run["callback"] else 3,
            class_weight=[2.0, 0.5, 1.0, 0.0][:classes] if run["weight"] == "class" else None,
            sample_weight=weight[:train] if run["weight"] == "sample" else None,
            val_sample_weight=weight[train:] if run["validation"] == "weighted" else None,
            validation_split=0.3 if run["validation"] == "split" else None,
            callbacks=make_callbacks(run),
            loss=loss,
            batch_size=run["batch_size"],
            fits=run["fits"],
            accuracy=run["loss"] != "regression",
            weighted_accuracy=False,
            starts_constrained=ACCUMULATION in run,
        )
        for field in ("x", "y", "x_val", "y_val", "predictions", "weight_names"):
            del case[field]
        steps = {ACCUMULATION: run[ACCUMULATION]} if ACCUMULATION in run else {}
        cases.append({**case, **steps, "data": run["loss"]})
    return cases
