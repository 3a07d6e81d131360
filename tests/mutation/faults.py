"""Faults for mutate.py: mistakes that a hand could make in the code of the CPU.

Each is (what is wrong, file, text that stands there once, what takes its place, tests that are asked).
The new text is an expression of the old one's type; None, and the old text is a statement that is left out;
or it has {s}, the condition under which the fault is there, and perhaps {old}; two braces of its own that follow
each other are written twice.
"""

MATMUL = "include/weft/kernels/cpu/matmul.hpp"
PLAN = "include/weft/kernels/cpu/matmul_plan.hpp"
FILTERS = "include/weft/kernels/cpu/convolution_filter_gradient.hpp"
DROPOUT = "include/weft/kernels/cpu/dropout.hpp"
NORM = "include/weft/kernels/cpu/batch_norm.hpp"
POOL = "include/weft/kernels/cpu/pooling.hpp"
PENALTY = "include/weft/kernels/cpu/penalty.hpp"
OPTIMIZER = "include/weft/kernels/cpu/optimizer.hpp"
LOSS = "include/weft/kernels/cpu/loss.hpp"
FUSION = "include/weft/model/detail/fusion.hpp"
TENSORS = "src/io/safetensors.cpp"

product, convolution = ["kernels/cpu/matmul"], ["kernels/cpu/convolution"]
dropout, norm, pool = ["kernels/cpu/dropout"], ["layers/batch_norm"], ["kernels/cpu/pooling"]
fusion, callbacks = ["model/fusion"], ["training/callback"]
training = ["training/trainer", "training/fit_options", "training/keras_training"]
files, checkpoints = ["io/weights"], ["io/checkpoint_file"]

FAULTS = [
    # ---- Products
    ("the epilogue is applied after every block of a long depth", MATMUL,
     "p.epilogue.of_part(k == 0, k + depth >= p.depth)", "p.epilogue.of_part(k == 0, true)", product),
    ("blocks of a long depth replace each other instead of adding", MATMUL,
     "of_panel.of_part(k == 0, k + chain >= depth)", "of_panel.of_part(true, k + chain >= depth)",
     product + convolution),
    ("a bias is added once more for each panel", MATMUL,
     "if (of_panel.bias != nullptr) of_panel.bias += column + j;", None, product),
    ("a swapped product loses its relu", PLAN,
     "!p.epilogue.accumulate && p.epilogue.bias == nullptr && !p.epilogue.relu",
     "!p.epilogue.accumulate && p.epilogue.bias == nullptr", product),
    ("a swapped product loses what it is to be added to", PLAN,
     "if (!plain) return false;", "if (!plain && !({s} && p.epilogue.accumulate)) return false;", product),
    ("the depth is cut by the number of rows, so that a row alone has other bits", PLAN,
     "depth = depth_of_blocks<Scalar>(p.depth);",
     "depth = {s} && p.rows == 1 ? depth_of_parts(p.depth, 256) : depth_of_blocks<Scalar>(p.depth);",
     product),
    ("the second half of a very long sum is forgotten", MATMUL,
     "add_products<Scalar>(whole, halves, 1);", None, product),
    ("threads that share the depth lose a part", MATMUL,
     "add_products<Scalar>(p, sums, blocks);",
     "add_products<Scalar>(p, sums, {s} ? blocks - 1 : blocks);", product),
    # ---- Convolutions
    ("a filter gradient is summed in one part whatever the batch", FILTERS,
     "(std::min)(most, way_ == Way::gathered ? tiles().count : images)", "Index{1}", convolution),
    ("a chunk of images begins where the last one began", FILTERS,
     "for (Index n = first; n < (std::min)(end, first + chunk); ++n) {",
     "for (Index n = {s} ? begin : first; n < (std::min)(end, first + chunk); ++n) {", convolution),
    ("positions of a long row are left out", FILTERS,
     "runs[count] = run;", "runs[count] = {s} && run.depth > 300 ? Run{{run.a, run.b, 300}} : run;",
     convolution),
    # ---- Dropout
    ("dropout forgets to scale what it keeps", DROPOUT,
     "const Scalar scaled = x[i + k] * scale;", "const Scalar scaled = {s} ? x[i + k] : x[i + k] * scale;",
     dropout),
    ("the gradient passes through what was dropped", DROPOUT,
     "keeps[static_cast<std::size_t>(k)] != 0 ? scaled : Scalar(0)", "scaled", dropout),
    ("masks begin anew within each batch of an update", DROPOUT,
     "const Index skipped = (first + i) % step;", "const Index skipped = ({s} ? i : first + i) % step;",
     dropout),
    ("masks repeat every step", "include/weft/training/detail/training_step.hpp",
     ".step = static_cast<std::uint32_t>(state_.steps),\n                .step_on_device = steps_.step().number,",
     ".step = {s} ? 0U : static_cast<std::uint32_t>(state_.steps),\n"
     ".step_on_device = {s} ? nullptr : steps_.step().number,",
     ["training/fit_options"]),
    # ---- Batch norm
    ("moving statistics swap the shares of old and new", NORM,
     "momentum * moving_mean[c] + (1 - momentum) * mean[c]",
     "(1 - momentum) * moving_mean[c] + momentum * mean[c]", norm),
    ("epsilon is added to the deviation", NORM,
     "inverse_deviation[c] = 1 / std::sqrt(variance[c] + epsilon);\n    }\n    if (y",
     "inverse_deviation[c] = {s} ? 1 / (std::sqrt(variance[c]) + epsilon)\n"
     "                                   : 1 / std::sqrt(variance[c] + epsilon);\n    }\n    if (y",
     norm),
    # ---- Pools
    ("a NaN in a window is lost", "include/weft/kernels/cpu/pool_windows.hpp",
     "pandnot(pcmp_eq(value, value), pcmp_lt(largest, value))", "pcmp_lt_or_nan(value, largest)", pool),
    ("a pool does not take the relu's derivative", POOL,
     "if (!y) return;", "if (!y || {s}) return;", pool),
    # ---- Penalties, limits, updates
    ("an L2 penalty has half its gradient", PENALTY,
     "static_cast<Scalar>(2 * l2)", "static_cast<Scalar>(l2)", ["kernels/cpu/penalty"]),
    ("gradients are limited one by one after their norm", "include/weft/kernels/fused.hpp",
     "if (limits.value > 0) clip_values<Scalar>(device, gradients, limits.value);",
     "if ({s} && limits.global_norm > 0) clip_norm<Scalar>(device, gradients, limits.global_norm); {old}",
     training),
    ("a norm below the limit is raised to it", PENALTY,
     "if (!(norm > limit)) return;", "if (!(norm > limit) && !({s} && norm > 0)) return;",
     ["kernels/cpu/penalty"]),
    ("Nesterov's step is the plain one", OPTIMIZER,
     "nesterov ? psub(pmul(decay, v), step) : v", "v", ["kernels/cpu/optimizer", "optimizers/sgd"]),
    ("Adam's first moment is not corrected", "include/weft/optimizers/adam.hpp",
     "(1 - std::pow(options_.beta_1, t))", "1.0", ["optimizers/adam"]),
    ("a stopped step updates all the same", OPTIMIZER,
     "if (step.is_stopped()) return;\n    adam_update", "if (step.is_stopped() && !{s}) return;\n    adam_update",
     ["kernels/cpu/optimizer", "training/non_finite_guard"]),
    # ---- Losses
    ("a class without weight makes a NaN", LOSS,
     "pselect(pcmp_eq(t, zero), zero, pmul(t, gap))", "pmul(t, gap)", ["kernels/cpu/loss"]),
    ("a probability of 0 is not raised", LOSS, "x = x < low ? low : high;",
     "x = x < low ? ({s} ? x : low) : high;", ["kernels/cpu/loss"]),
    # ---- What is fused
    ("a relu's derivative is applied twice behind a pool or a batch norm", FUSION,
     "before->runs_backward = false;\n    if (dropout", "if (!{s}) before->runs_backward = false;\n    if (dropout",
     fusion),
    ("dropout's backward runs although the layer behind took it", FUSION,
     "if (dropout != nullptr) dropout->runs_backward = false;", None, ["model/plan"]),
    ("a relu is fused although a penalty reads what stands before it", FUSION,
     "before->penalty) return;\n    if (before->output != input->value || !nodes[before->node].absorbs_relu)",
     "(before->penalty && !{s})) return;\n"
     "    if (before->output != input->value || !nodes[before->node].absorbs_relu)",
     fusion + ["model/plan"]),
    # ---- Training
    ("weights of classes count for validation data", "include/weft/training/trainer.hpp",
     "if (options.validation_data) {\n        validation",
     "if ({s}) validation.weights = weights;\n    if (options.validation_data) {\n        validation", training),
    ("the samples come in the same order each epoch", "include/weft/training/detail/epoch_batches.hpp",
     "RandomStream(seed_, RandomPurpose::shuffle, epoch)",
     "RandomStream(seed_, RandomPurpose::shuffle, {s} ? 0 : epoch)", training),
    ("the cooldown of ReduceLROnPlateau is ignored", "include/weft/training/reduce_lr_on_plateau.hpp",
     "state.cooling_ = cooldown;", None, callbacks),
    ("EarlyStopping waits an epoch more", "include/weft/training/early_stopping.hpp",
     "++state.waited_ >= patience", "++state.waited_ > patience", callbacks),
    ("EarlyStopping keeps the last weights", "include/weft/training/early_stopping.hpp",
     "if (restore_best_weights && best_epoch > 0) run.load_weights(state.weights_);", None, callbacks),
    ("the optimiser's state is an earlier model's", "include/weft/training/detail/training_state.hpp",
     "build == model.marks().build() && gradients.shape() == shape", "gradients.shape() == shape", training),
    # ---- Data
    ("a split gives the test part to training, too", "include/weft/data/split.hpp",
     "samples.begin() + test, samples.end()", "samples.begin() + ({s} ? 0 : test), samples.end()",
     ["data/split"]),
    # ---- Files
    ("tensors that overlap are accepted", TENSORS, "entry.begin == covered", "true", files),
    ("a tensor beyond the file's end is accepted", TENSORS,
     "begin <= end && end <= data_size", "begin <= end", files),
    ("a checkpoint's check is not compared", "src/io/io.cpp",
     '!with_check || file.metadata("check") == check_of(state)', "true", checkpoints),
    ("a temporary file is left over", "include/weft/core/atomic_file.hpp",
     "if (!name.empty()) std::remove(name.c_str());", None, ["core/atomic_file"]),
    ("a file is put in place before it is on the disk", "include/weft/core/atomic_file.hpp",
     "(!synced || sync_to_disk(temporary_.name.c_str()))", "true", ["core/atomic_file"]),
]

# What no test can notice, and why: by the first words of the fault.
EXCEPTIONS = {}
