// How the network is trained, on whichever device.
#pragma once

#include "augment.hpp"
#include "options.hpp"

#include <weft/io/checkpoint_file.hpp>
#include <weft/weft.hpp>

#include <algorithm>
#include <string>

/// Images as floating-point numbers, and their labels.
struct Split {
    weft::Tensor<float> images;         ///< (N, 28, 28) or (N, 28, 28, 1)
    weft::Tensor<std::uint8_t> labels;  ///< (N)
};

/// The optimiser and the schedule that the options name, over that many steps in all.
template <class Device>
weft::TrainerOptions<float, Device> trainer_options(const Options& options, std::int64_t steps) {
    using namespace weft;
    const double rate = options.learning_rate;
    const auto declare = [&](auto optimizer, double default_rate) {
        optimizer.learning_rate = rate > 0 ? rate : default_rate;
        return optimizer;
    };
    TrainerOptions<float, Device> trainer{.loss = SparseCategoricalCrossentropy{},
                                          .metrics = {Accuracy{}}};
    if (options.optimizer == "adam") trainer.optimizer = declare(Adam{}, 0.001);
    if (options.optimizer == "adamw") trainer.optimizer = declare(AdamW{}, 0.001);
    if (options.optimizer == "rmsprop") trainer.optimizer = declare(RMSprop{}, 0.001);
    if (options.optimizer == "sgd") {
        trainer.optimizer = declare(SGD{.momentum = 0.9, .nesterov = true}, 0.02);
    }
    const double top = trainer.optimizer->learning_rate();
    if (options.schedule == "cosine") {
        const std::int64_t warmup = steps / 20;
        trainer.learning_rate_schedule = CosineDecay{.initial_learning_rate = top / 10,
                                                     .decay_steps = steps - warmup,
                                                     .alpha = 0.001,
                                                     .warmup_target = top,
                                                     .warmup_steps = warmup};
    }
    if (options.schedule == "exponential") {
        trainer.learning_rate_schedule = ExponentialDecay{top, steps, 0.01};
    }
    if (options.schedule == "piecewise") {
        // A boundary is the last step with the value before it.
        const std::int64_t half = std::max<std::int64_t>(steps / 2, 1) - 1,
                           three_quarters = 3 * steps / 4 - 1;
        trainer.learning_rate_schedule = PiecewiseConstantDecay{
            {half, std::max(half + 1, three_quarters)}, {top, top / 10, top / 100}};
    }
    if (options.schedule == "polynomial") {
        trainer.learning_rate_schedule = PolynomialDecay{top, steps, top / 100};
    }
    if (options.schedule == "step") {
        // Rounded up, so that no steps are left for a fourth rate.
        trainer.learning_rate_schedule = StepDecay{top, (steps + 2) / 3, 0.1};
    }
    return trainer;
}

/// What training left behind; all of it empty with --load.
struct Training {
    weft::History history;
    std::size_t best_epoch = 0;     ///< from 1, with the lowest val_loss; 0 without one
    std::size_t weights_epoch = 0;  ///< from 1, after which the model had the weights it has now;
                                    ///< 0 when it had them after none
};

/// The epoch with the lowest val_loss, from 1; 0 when none has a number for it.
inline std::size_t best_epoch(const weft::History& history) {
    weft::BestScore best("val_loss", weft::Better::automatic, 0);
    std::size_t epoch = 0;
    for (std::size_t i = 0; i < history.epochs.size(); ++i) {
        const auto value = history.epochs[i].scores.find("val_loss");
        if (value && best.improve(*value)) epoch = i + 1;
    }
    return epoch;
}

/// Trains as the options say. Without validation data `validation` is null.
template <class Device>
Training fit(const Options& options, weft::Model<float, Device>& model, const Split& train,
             const Split* validation) {
    const std::int64_t batches =
        (train.labels.size() + options.batch_size - 1) / options.batch_size;
    weft::Trainer<float, Device> trainer(
        model, trainer_options<Device>(options, options.epochs * batches));
    weft::FitOptions<float> fit{
        .epochs = options.epochs, .batch_size = options.batch_size, .seed = options.seed};
    if (validation) fit.validation_data = {validation->images, validation->labels};
    weft::EarlyStopping stopping{.patience = options.patience};
    if (options.patience > 0) fit.callbacks.push_back(stopping);
    if (options.schedule == "plateau") {
        // The test set is looked at, but takes no part in the training.
        const bool validates = validation && !options.validates_on_test;
        fit.callbacks.push_back(
            weft::ReduceLROnPlateau{.monitor = validates ? "val_loss" : "loss", .patience = 5});
    }
    if (!options.checkpoint.empty()) {
        fit.checkpoint = weft::checkpoint_file(options.checkpoint);
    }
    const weft::Examples<float> examples(train.images, train.labels);
    Training training{.history = trainer.fit(options.augment ? augment(examples) : examples, fit)};
    training.best_epoch = best_epoch(training.history);
    // Early stopping brings back the weights of the best epoch; a run that a NaN ended has those of
    // a step after its last epoch.
    if (stopping.best_epoch() > 0) {
        training.weights_epoch = static_cast<std::size_t>(stopping.best_epoch());
    } else if (!training.history.non_finite) {
        training.weights_epoch = training.history.epochs.size();
    }
    return training;
}

/// The name of the GPU that --device cuda trains on. Throws CudaError where there is none.
std::string gpu_name(const Options& options);

/// fit on a GPU; the model has the trained parameters then.
Training fit_on_gpu(const Options& options, weft::Model<float>& model, const Split& train,
                    const Split* validation);
