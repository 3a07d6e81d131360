/// \file
/// ModelCheckpoint: writes the weights of a model to a file as it trains.
#pragma once

#include "weft/io/weights.hpp"
#include "weft/training/callback.hpp"

namespace weft {

/// Writes the weights to a file after each epoch, or only after those with a better score than all
/// before. The model keeps the last epoch's weights; load_weights brings those of the file back.
///
///   ModelCheckpoint checkpoint{.model = model, .path = "best.safetensors"};
///   trainer.fit(x, y, {.epochs = 20, .validation_split = 0.2, .callbacks = {checkpoint}});
///   load_weights(model, "best.safetensors");
template <class Scalar, class Device>
struct ModelCheckpoint {
    const Sequential<Scalar, Device>& model;
    std::filesystem::path path;
    std::string monitor = "val_loss";
    Better better = Better::automatic;
    bool save_best_only = true;  ///< Keras's default is false

    // Results.
    Index saved_epoch = 0;  ///< from 1: the last one that was written; 0 when none was
    BestScore best = {};

    void on_train_begin(TrainingRun&) {
        best = BestScore(monitor, better, 0);
        saved_epoch = 0;
    }
    void on_epoch_end(TrainingRun& run) {
        if (save_best_only && !best.improve(detail::monitored(run, "ModelCheckpoint", monitor))) {
            return;
        }
        save_weights(model, path);
        saved_epoch = run.epoch();
    }
};

}  // namespace weft
