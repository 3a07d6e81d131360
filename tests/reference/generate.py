"""Writes the reference values that the tests compare against, computed by Keras in float64.

    python3 -m venv v
    v/bin/pip install tensorflow-cpu==2.21.0 keras==3.15.1 numpy==2.4.6
    v/bin/python tests/reference/generate.py

One JSON file per topic appears beside this script: {"generator": ..., "cases": [...]}. A tensor is
{"shape": [...], "values": [...]}, row major, each double written so that reading it back gives the same bits.
Inputs are drawn from a fixed seed and rounded to three decimals; what Keras computes is never rounded.
"""

from common import write  # first: it sets Keras up
from callbacks import callback_cases
from convolution import conv2d_cases, pooling_cases
from functional import functional_cases
from functional_several import several_cases
from layers import (
    activation_cases,
    batch_norm_cases,
    dense_cases,
    extra_activation_cases,
    flatten_cases,
    other_layer_cases,
)
from losses import binary_loss_cases, class_loss_cases, loss_option_cases, squared_loss_cases
from metrics import metric_cases
from optimizers import more_optimizer_cases, optimizer_cases, schedule_cases
from regularization import constraint_cases, regularizer_cases
from training import convolutional_training_cases, training_cases
from training_pairs import accumulation_cases, training_pair_cases

write("dense.json", dense_cases())
write("activations.json", activation_cases())
write("flatten.json", flatten_cases())
write("losses.json", class_loss_cases() + binary_loss_cases() + squared_loss_cases())
write("optimizers.json", optimizer_cases())
write("training.json", training_cases())
write("conv2d.json", conv2d_cases())
write("pooling.json", pooling_cases())
write("batch_norm.json", batch_norm_cases())
write("extra_activations.json", extra_activation_cases())
write("other_layers.json", other_layer_cases())
write("optimizers2.json", more_optimizer_cases())
write("regularizers_constraints.json", regularizer_cases() + constraint_cases())
write("schedules.json", schedule_cases())
write("loss_options.json", loss_option_cases())
write("metrics.json", metric_cases())
write("training2.json", convolutional_training_cases())
write("callbacks.json", callback_cases())
write("training_pairs.json", training_pair_cases())
write("accumulation.json", accumulation_cases())
write("functional.json", functional_cases())
write("functional_several.json", several_cases())
