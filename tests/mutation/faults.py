"""Faults for mutate.py: mistakes that a hand could make in the code of the CPU.

Each is (what is wrong, file, text that stands there once, what takes its place, tests that are asked).
The new text is an expression of the old one's type; None, and the old text is a statement that is left out;
or it has {s}, the condition under which the fault is there, and perhaps {old}; two braces of its own that follow
each other are written twice.
"""

ACTIVATION = "include/weft/kernels/cpu/activation.hpp"
SOFTMAX = "include/weft/kernels/cpu/softmax.hpp"
LAYOUT = "include/weft/kernels/cpu/layout.hpp"
METRIC = "include/weft/kernels/cpu/metric.hpp"
TALLY = "include/weft/kernels/cpu/tally.hpp"
CONVOLUTION = "include/weft/kernels/cpu/convolution.hpp"
WINDOW = "include/weft/kernels/window.hpp"
MATMUL = "include/weft/kernels/cpu/matmul.hpp"
PLAN = "include/weft/kernels/cpu/matmul_plan.hpp"
FILTERS = "include/weft/kernels/cpu/convolution_filter_gradient.hpp"
WINOGRAD = "include/weft/kernels/cpu/winograd.hpp"
TILED_FILTERS = "include/weft/kernels/cpu/winograd_filter_gradient.hpp"
DROPOUT = "include/weft/kernels/cpu/dropout.hpp"
NORM = "include/weft/kernels/cpu/batch_norm.hpp"
POOL = "include/weft/kernels/cpu/pooling.hpp"
PENALTY = "include/weft/kernels/cpu/penalty.hpp"
OPTIMIZER = "include/weft/kernels/cpu/optimizer.hpp"
LOSS = "include/weft/kernels/cpu/loss.hpp"
ADAM = "include/weft/optimizers/adam.hpp"
SCHEDULE = "include/weft/optimizers/schedule.hpp"
REPORT = "include/weft/metrics/classification_report.hpp"
INITIALIZER = "include/weft/initializers/initializer.hpp"
FUSION = "include/weft/model/detail/fusion.hpp"
FOLD = "include/weft/model/fold_batch_norm.hpp"
FOLDED = "include/weft/model/detail/folded_layer.hpp"
TRAINER = "include/weft/training/trainer.hpp"
STEP = "include/weft/training/detail/training_step.hpp"
GRADIENTS = "include/weft/training/detail/gradient_sum.hpp"
BATCHES = "include/weft/training/detail/epoch_batches.hpp"
CSV = "include/weft/data/detail/csv_reader.hpp"
AUGMENTATION = "include/weft/data/augmentation.hpp"
TENSORS = "src/io/safetensors.cpp"

activation, metric = ["kernels/cpu/activation"], ["kernels/cpu/metric"]
product, convolution = ["kernels/cpu/matmul"], ["kernels/cpu/convolution"]
dropout, norm, pool = ["kernels/cpu/dropout"], ["layers/batch_norm"], ["kernels/cpu/pooling"]
penalty, loss = ["kernels/cpu/penalty"], ["kernels/cpu/loss"]
rmsprop, schedule, report = ["optimizers/rmsprop"], ["optimizers/schedule"], ["metrics/classification_report"]
fusion, fold, callbacks = ["model/fusion"], ["model/fold_batch_norm"], ["training/callback"]
training = ["training/trainer", "training/fit_options", "training/keras_training"]
table, augmentation = ["data/csv"], ["data/augmentation"]
files, models, checkpoints = ["io/weights"], ["io/model_file"], ["io/checkpoint_file"]

FAULTS = [
    # ---- Activations
    ("a leaky relu's slope is lost on the way back", ACTIVATION,
     "pselect(pcmp_lt(zero, out), gradient, pmul(gradient, slope))", "pselect(pcmp_lt(zero, out), gradient, zero)",
     activation),
    ("an elu's derivative takes alpha as 1", ACTIVATION,
     "gradient * (out + alpha)", "gradient * (out + Scalar(1))", activation),
    ("a gelu's derivative lacks the density", ACTIVATION,
     "gradient * (detail::normal_distribution(v) + v * density)", "gradient * detail::normal_distribution(v)",
     activation),
    ("a silu's derivative is its sigmoid", ACTIVATION, "pmadd(v, psub(one, s), one)", "one", activation),
    ("softmax does not subtract the largest logit", SOFTMAX,
     "detail::exp_and_sum(x_row, columns, detail::row_max(x_row, columns), y_row)",
     "detail::exp_and_sum(x_row, columns, Scalar(0), y_row)", activation),
    ("the last logits of a row do not count for the largest", SOFTMAX,
     "load(x + count - step)", "load(x)", activation),
    ("softmax's gradient is not projected", SOFTMAX, "psub(g, projection)", "g", activation),
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
    ("parts of a filter gradient are lost", CONVOLUTION,
     "for (Index f = 0; f < columns; ++f) out[f] += more[f];", None, convolution),
    ("filters are not turned for the gradient of the input", CONVOLUTION,
     "(taps - 1 - tap) * channels * c.filters", "tap * channels * c.filters", convolution),
    ("each group has the bias of the first", CONVOLUTION, "b.data() + first", "b.data()", convolution),
    ("each panel of a convolution in tiles has the bias of the first", WINOGRAD,
     "if (of_panel.bias != nullptr) of_panel.bias += width;", None, ["kernels/cpu/winograd"]),
    ("parts of a filter gradient in tiles are lost", TILED_FILTERS,
     "total = padd(total, load(sums + part * size()));", None, ["kernels/cpu/winograd"]),
    ("an odd zero of a padding goes in front", WINDOW,
     "zeros > 0 ? zeros / 2 : 0", "zeros > 0 ? zeros - zeros / 2 : 0", ["kernels/window"] + convolution),
    ("an image is cropped from its corner", LAYOUT,
     "(n * from[1] + top + i) * whole_row + left * from[3]", "(n * from[1] + i) * whole_row",
     ["kernels/cpu/layout"]),
    # ---- Dropout
    ("dropout forgets to scale what it keeps", DROPOUT,
     "const Scalar scaled = from[i + k] * scale;", "const Scalar scaled = {s} ? from[i + k] : from[i + k] * scale;",
     dropout),
    ("the gradient passes through what was dropped", DROPOUT,
     "keeps[static_cast<std::size_t>(k)] != 0 ? scaled : Scalar(0)", "scaled", dropout),
    ("masks begin anew within each batch of an update", DROPOUT,
     "const Index skipped = (first + i) % step;", "const Index skipped = ({s} ? i : first + i) % step;",
     dropout),
    ("masks repeat every step", STEP,
     ".step = static_cast<std::uint32_t>(state_.steps),\n                .step_on_device = steps_.step().number,",
     ".step = {s} ? 0U : static_cast<std::uint32_t>(state_.steps),\n"
     ".step_on_device = {s} ? nullptr : steps_.step().number,",
     ["training/fit_options"]),
    # ---- Batch norm
    ("moving statistics swap the shares of old and new", NORM,
     "momentum * norm.moving_mean[c] + (1 - momentum) * norm.mean[c]",
     "(1 - momentum) * norm.moving_mean[c] + momentum * norm.mean[c]", norm),
    ("epsilon is added to the deviation", NORM,
     "inverse_deviation[c] = 1 / std::sqrt(variance[c] + epsilon);\n    }\n    if (y",
     "inverse_deviation[c] = {s} ? 1 / (std::sqrt(variance[c]) + epsilon)\n"
     "                                   : 1 / std::sqrt(variance[c] + epsilon);\n    }\n    if (y",
     norm),
    ("the means of blocks of rows do not count for the variance", NORM,
     "pmadd(pmul(difference, difference), weight, squares)", "squares", ["kernels/cpu/batch_norm"]),
    ("the gradient through the variance is scaled once too little", NORM,
     "-scale * share * dgamma[c] * inverse_deviation[c]", "-scale * share * dgamma[c]", norm),
    # ---- Pools
    ("a NaN in a window is lost", "include/weft/kernels/cpu/pool_windows.hpp",
     "pandnot(pcmp_eq(value, value), pcmp_lt(largest, value))", "Eigen::internal::pcmp_lt_or_nan(value, largest)", pool),
    ("a pool does not take the relu's derivative", POOL,
     "if (!y) return;", "if (!y || {s}) return;", pool),
    ("windows that overlap replace each other's gradient", POOL,
     "const bool adds = !are_apart(window);", "const bool adds = !{s} && !are_apart(window);", pool),
    ("what lies behind the last window keeps an old gradient", POOL,
     "axis.output * axis.stride - axis.before >= axis.input", "true", pool),
    ("an average counts the zeros beyond the border", "include/weft/kernels/cpu/pool_windows.hpp",
     "static_cast<Scalar>(taps.count())", "Scalar(4)", pool),
    ("a maximum that was dropped passes its gradient", "include/weft/kernels/cpu/normalizing_pool.hpp",
     "pselect(drops, dropped, from[p])", "from[p]", ["kernels/cpu/normalizing_pool"]),
    # ---- Penalties, limits, updates
    ("an L2 penalty has half its gradient", PENALTY,
     "static_cast<Scalar>(2 * l2)", "static_cast<Scalar>(l2)", penalty),
    ("gradients are limited one by one after their norm", "include/weft/kernels/fused.hpp",
     "if (limits.value > 0) clip_values<Scalar>(device, gradients, limits.value);",
     "if ({s} && limits.global_norm > 0) clip_norm<Scalar>(device, gradients, limits.global_norm); {old}",
     training),
    ("a norm below the limit is raised to it", PENALTY,
     "if (!(norm > limit)) return;", "if (!(norm > limit) && !({s} && norm > 0)) return;",
     penalty),
    ("Nesterov's step is the plain one", OPTIMIZER,
     "nesterov ? psub(pmul(decay, v), step) : v", "v", ["kernels/cpu/optimizer", "optimizers/sgd"]),
    ("Adam's first moment is not corrected", ADAM,
     "(1 - std::pow(options_.beta_1, t))", "1.0", ["optimizers/adam"]),
    ("a stopped step updates all the same", OPTIMIZER,
     "if (step.is_stopped()) return;\n    adam_update", "if (step.is_stopped() && !{s}) return;\n    adam_update",
     ["kernels/cpu/optimizer", "training/non_finite_guard"]),
    ("an L1 penalty pushes what is 0", PENALTY, "(value > 0) - (value < 0)", "(value >= 0) - (value < 0)", penalty),
    ("values below the limit are not limited", PENALTY, "value < -most", "false", penalty),
    ("a column below the limit of its norm is raised to it", PENALTY,
     "(std::min)(norm, limit)", "limit", penalty),
    ("the norm of a bias is taken number by number", "include/weft/training/detail/parameter_rules.hpp",
     "w.shape().rank() == 1 ? 1 : w.shape().last()", "w.shape().last()", ["layers/constraint"]),
    ("a penalty's gradient goes to the first parameter", "include/weft/kernels/fused.hpp",
     "gradients.data() + of.offset", "gradients.data()", ["layers/regularizer"]),
    ("a penalty of outputs is not divided by the batch", TALLY,
     "*of_outputs / static_cast<double>(n)", "*of_outputs", ["kernels/cpu/tally", "layers/regularizer"]),
    ("the centred variance takes the mean as its square", OPTIMIZER,
     "psub(s, pmul(a, a))", "psub(s, a)", rmsprop),
    ("RMSprop's mean and velocity share their memory", "include/weft/optimizers/rmsprop.hpp",
     "parameters.size() * next++", "parameters.size() * next", rmsprop),
    ("Adam's epsilon is under the root", OPTIMIZER,
     "padd(detail::square_root<Scalar>(v), epsilon)", "detail::square_root<Scalar>(padd(v, epsilon))",
     ["kernels/cpu/optimizer", "optimizers/adam"]),
    ("Adam's second moment is not corrected", ADAM,
     "std::sqrt(1 - std::pow(options_.beta_2, t))", "1.0", ["optimizers/adam"]),
    ("AdamW's decay does not follow the rate", ADAM, "learning_rate * weight_decay_", "weight_decay_",
     ["optimizers/adamw"]),
    ("a boundary belongs to the rate behind it", SCHEDULE,
     "std::lower_bound(boundaries.begin(), boundaries.end(), step)",
     "std::upper_bound(boundaries.begin(), boundaries.end(), step)", schedule),
    ("the cosine counts the steps of the warm-up", SCHEDULE,
     "static_cast<double>(step - warmup)", "static_cast<double>(step)", schedule),
    ("a rate falls on behind its last step", SCHEDULE, "(std::min)(step, decay_steps)", "step", schedule),
    ("a truncated normal keeps the deviation of a whole one", INITIALIZER,
     "std::sqrt(variance) / 0.87962566103423978", "std::sqrt(variance)", ["initializers/initializer"]),
    ("a filter's taps do not count for its fan", INITIALIZER,
     "receptive_field * static_cast<double>(shape[shape.rank() - 2])",
     "static_cast<double>(shape[shape.rank() - 2])", ["initializers/initializer"]),
    # ---- Losses
    ("a class without weight makes a NaN", LOSS,
     "pselect(pcmp_eq(t, zero), zero, pmul(t, gap))", "pmul(t, gap)", loss),
    ("a probability of 0 is not raised", LOSS, "x = x < low ? low : high;",
     "x = x < low ? ({s} ? x : low) : high;", loss),
    ("a probability that was raised has a gradient", LOSS,
     "detail::clip_probability(q) ? scale : Scalar(0)", "(detail::clip_probability(q), scale)", loss),
    ("probabilities are taken as if their sum were 1", LOSS, "p[i] / mass", "p[i]", loss),
    ("the loss of a sure logit is rounded away", LOSS, "std::log1p(e)", "std::log(Scalar(1) + e)", loss),
    ("the targets of a row are taken as if their sum were 1", LOSS, "psub(pmul(q, all), t)", "psub(q, t)", loss),
    ("yes-or-no targets are smoothed as of three classes", "include/weft/losses/binary_crossentropy.hpp",
     "{targets, label_smoothing_, 2}", "{targets, label_smoothing_, {s} ? 3 : 2}",
     ["losses/binary_crossentropy"]),
    ("weights of samples are dealt to their rows in turn", PENALTY,
     "weights[r / rows_per_weight]", "weights[r % weights.size()]", penalty),
    ("a weight changes the loss alone", PENALTY,
     "for (Index c = 0; c < columns; ++c) gradient[r * columns + c] *= weight;", None, penalty),
    # ---- Metrics
    ("ties are broken by the class's number", METRIC,
     "row[c] > row[label]", "row[c] > row[label] || (row[c] == row[label] && c < label)", metric),
    ("a NaN is among the k largest", METRIC, "above < k && row[label] == row[label]", "above < k", metric),
    ("a number at the threshold is above it", METRIC,
     "predictions[i] > threshold", "predictions[i] >= threshold", metric),
    ("a confusion matrix has rows of predictions", REPORT,
     "confusion_(label, kernels::argmax(predictions.sample(n).data(), classes()))",
     "confusion_(kernels::argmax(predictions.sample(n).data(), classes()), label)", report),
    ("an interval is as wide as that of the normal distribution", REPORT,
     "z * z / (4 * n * n)", "0.0", report),
    ("f1 is the mean of precision and recall", REPORT,
     "2 * hits / static_cast<double>(predicted + actual)", "(result.precision + result.recall) / 2", report),
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
    # ---- What is folded
    ("a layer that is applied twice is folded once", FOLD, "is_applied_once(before)", "true", fold),
    ("a value that two layers read is folded for one", FOLD,
     "found != none || nodes_[i].inputs.size() > 1", "nodes_[i].inputs.size() > 1", fold),
    ("a falling map passes a maximum", FOLDED, "map.is_increasing()", "true", fold),
    ("a shift passes into a padded convolution", FOLDED,
     "(window.output - 1) * stride + window.extent() <= window.input", "true", fold),
    ("all groups are folded with the channels of the first", "include/weft/model/detail/channel_map.hpp",
     "f / (filters() / groups) * group_channels", "Index{0}", fold),
    ("the batches of a long prediction replace each other", "include/weft/model/detail/predict_batches.hpp",
     "ys[k].slice(first, count)", "ys[k].slice(0, count)", ["model/sequential"]),
    # ---- Training
    ("weights of classes count for validation data", TRAINER,
     "if (options.validation_data) {\n        validation",
     "if ({s}) validation.weights = weights;\n    if (options.validation_data) {\n        validation", training),
    ("the samples come in the same order each epoch", BATCHES,
     "RandomStream(seed_, RandomPurpose::shuffle, epoch)",
     "RandomStream(seed_, RandomPurpose::shuffle, {s} ? 0 : epoch)", training),
    ("the cooldown of ReduceLROnPlateau is ignored", "include/weft/training/reduce_lr_on_plateau.hpp",
     "state.cooling_ = cooldown;", None, callbacks),
    ("EarlyStopping waits an epoch more", "include/weft/training/early_stopping.hpp",
     "++state.waited_ >= patience", "++state.waited_ > patience", callbacks),
    ("EarlyStopping keeps the last weights", "include/weft/training/early_stopping.hpp",
     "if (restore_best_weights && state.best_epoch_ > 0) run.load_weights(state.weights_);", None, callbacks),
    ("the optimiser's state is an earlier model's", "include/weft/training/detail/training_state.hpp",
     "build == model.marks().build() && gradients.shape() == shape", "gradients.shape() == shape", training),
    ("weights of samples do not count for the validation split", TRAINER,
     "&data, train_size, {options.sample_weight, of_outputs}}",
     "&data, train_size,\n"
     "{s} ? detail::LossWeights{{}} : detail::LossWeights{options.sample_weight, of_outputs}}}}", training),
    ("batches of an update behind the first are lost", GRADIENTS,
     "if (i % size > 0) add(device, batch(), sum_of_block(part, sum));", None, ["training/accumulation"]),
    ("of many batches to an update, a block in the middle is lost", GRADIENTS,
     "add(device, sum, blocks());", None, ["training/accumulation"]),
    ("of many batches to an update, all blocks but the last are lost", GRADIENTS,
     "add(device, blocks(), sum);", None, ["training/accumulation"]),
    ("a short last batch has the weight of a whole one", BATCHES,
     "end_of_all - first_of_all", "to_update() * batch_size_", training + ["training/accumulation"]),
    ("an order that was made ahead is the last epoch's", BATCHES,
     "make(next_, static_cast<std::uint32_t>(next_epoch_))",
     "make(next_, static_cast<std::uint32_t>(next_epoch_ - 1))", training),
    ("the losses of several outputs are added without their weights",
     "include/weft/training/detail/score_batch.hpp",
     "weight * sums[k + 1].mean()", "sums[k + 1].mean()", ["training/several_outputs"]),
    ("steps that a NaN undid are counted", "include/weft/training/detail/non_finite_guard.hpp",
     "state.steps = steps_ + good / batches_.to_update();", None, ["training/non_finite_guard"]),
    ("moving statistics of a step that a NaN undid stay", TALLY,
     "if (is_stopped(wrong)) std::copy(before.begin(), before.end(), now.begin());", None,
     ["kernels/cpu/tally", "training/non_finite_guard"]),
    ("a batch that went wrong counts", TALLY,
     "!is_stopped(tally.data() + TallyPlaces::wrong)", "true", ["kernels/cpu/tally"]),
    ("min_delta does not count where higher is better", "include/weft/training/best_score.hpp",
     "value - min_delta_ > *best_", "value > *best_", ["training/best_score"] + callbacks),
    ("a rate falls below its least", "include/weft/training/reduce_lr_on_plateau.hpp",
     "(std::max)(run.learning_rate() * factor, min_learning_rate)", "run.learning_rate() * factor", callbacks),
    ("a log goes on in the line of a file that lacks its end", "include/weft/training/csv_logger.hpp",
     'ends_in_line() ? "" : "\\n"', '""', callbacks),
    ("a log keeps the lines behind its run's checkpoint", "include/weft/training/csv_logger.hpp",
     "if (field.is_restoring()) state.cut_to_ = size;", None, callbacks + checkpoints),
    ("a checkpoint of another run is accepted", "include/weft/training/detail/run_checkpoint.hpp",
     "known_plan == this_plan", "true", checkpoints),
    # ---- Data
    ("a split gives the test part to training, too", "include/weft/data/split.hpp",
     "samples.begin() + test, samples.end()", "samples.begin() + ({s} ? 0 : test), samples.end()",
     ["data/split"]),
    ("folds begin anew with each class", "include/weft/data/split.hpp",
     "for (const Index sample : samples) {", "if ({s}) next = 0;\nfor (const Index sample : samples) {",
     ["data/split"]),
    ("a deviation is divided by the number of samples", "include/weft/data/split.hpp",
     "squares / (n - 1)", "squares / n", ["data/split"]),
    ("all samples of an epoch are changed alike", AUGMENTATION,
     "static_cast<std::uint64_t>(sample) << 32", "std::uint64_t{0}", augmentation),
    ("samples are changed alike in each epoch", AUGMENTATION,
     "step, epoch.number", "step, {s} ? 0 : epoch.number", augmentation),
    ("rows and columns are flipped together", "include/weft/data/random_flip.hpp",
     "random.bernoulli(1, 0.5)", "random.bernoulli(0, 0.5)", augmentation),
    ("a rotation is a shear", "include/weft/data/random_rotation.hpp",
     ".xy = -s,", ".xy = {s} ? s : -s,", augmentation),
    ("an image is reflected at the middle of its last pixel", "include/weft/core/image_change.hpp",
     "k < n ? k : 2 * n - 1 - k", "k < n ? k : 2 * n - 2 - k", augmentation),
    ("corners of images of two sizes are aligned", "include/weft/data/resize.hpp",
     "(static_cast<double>(i) + 0.5) * scale - 0.5", "static_cast<double>(i) * scale", ["data/resize"]),
    ("channels that come first stay there", "include/weft/data/detail/record_dataset.hpp",
     "x[p * channels + c]", "x[c * pixels + p]", ["data/cifar10"]),
    ("a quote in a quoted field ends it", CSV, '*at != \'"\')) break', '({s} || *at != \'"\'))) break', table),
    ("a mark of the order of bytes is the start of a name", CSV,
     'if (line_ == 1 && text_.starts_with("\\xEF\\xBB\\xBF")) text_.erase(0, 3);', None, table),
    ("a whole number beyond its type is cut", "include/weft/data/detail/parse_number.hpp",
     "value > static_cast<double>((std::numeric_limits<T>::max)())", "false", table),
    ("names of classes are sorted, their numbers are not", "include/weft/data/detail/class_labels.hpp",
     "for (std::int32_t& label : labels_) label = place[static_cast<std::size_t>(label)];", None, table),
    ("what follows the numbers of an IDX file is not seen", "include/weft/data/idx.hpp",
     "available != declared", "available < declared", ["data/idx"]),
    ("numbers of several bytes keep the order of the file", "include/weft/data/idx.hpp",
     "std::reverse(raw.begin(), raw.end());", None, ["data/idx"]),
    # ---- Files
    ("tensors that overlap are accepted", TENSORS, "entry.begin == covered", "true", files),
    ("a tensor beyond the file's end is accepted", TENSORS,
     "begin <= end && end <= data_size", "begin <= end", files),
    ("a checkpoint's check is not compared", "src/io/io.cpp",
     '!with_check || file.metadata("check") == check_of(state)', "true", checkpoints),
    ("bytes behind the last tensor are accepted", TENSORS, "covered == data_size", "true", files),
    ("a tensor of another shape is accepted", "src/io/io.cpp", "entry.shape != target->shape", "false", files),
    ("a NaN among weights is accepted", "include/weft/io/weights.hpp",
     "std::all_of(numbers, numbers + parameter.slot.shape.size(), finite)", "true", files),
    ("a name that stands twice in a header is accepted", "src/io/json.cpp",
     "twice != names.end()", "false", files + models),
    ("a model that predicts otherwise passes its self-test", "include/weft/io/save_model.hpp",
     "std::abs(y[i] - expected[i]) <= bound", "true", models),
    ("a temporary file is left over", "include/weft/core/atomic_file.hpp",
     "if (!name.empty()) remove_file(name.c_str());", None, ["core/atomic_file"]),
    ("a file is put in place before it is on the disk", "include/weft/core/atomic_file.hpp",
     "(!synced || sync_to_disk(temporary_.name.c_str()))", "true", ["core/atomic_file"]),
]

# What no test can notice, and why: by the first words of the fault.
EXCEPTIONS = {}
