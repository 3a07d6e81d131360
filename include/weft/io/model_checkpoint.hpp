/// \file
/// ModelCheckpoint: writes the weights of a model to a file during training.
#pragma once

#include "weft/io/weights.hpp"
#include "weft/training/best_score.hpp"

#include <filesystem>

namespace weft {

/// When a ModelCheckpoint writes.
struct ModelCheckpointOptions {
    std::string monitor = "val_loss";   ///< the name of a score in the history
    Better better = Better::automatic;  ///< which direction is an improvement
    bool save_best_only =
        true;  ///< only after an epoch with a new best score; Keras's default: false
};

/// Writes the weights of a model to a file after each epoch, or only after epochs with the best
/// score so far, earlier runs included. The model keeps the last epoch's weights; load_weights
/// restores the file's.
///
///   ModelCheckpoint checkpoint(model, "best.safetensors", {.monitor = "val_accuracy"});
///   trainer.fit(x, y, {.epochs = 20, .validation_split = 0.2, .callbacks = {checkpoint}});
///   load_weights(model, "best.safetensors");
///
/// It refers to the model as a Trainer does, and throws ArgumentError when the model no longer
/// exists. When the model was built again or replaced, the best score starts anew.
template <class Scalar, class Device>
class ModelCheckpoint {
public:
    ModelCheckpoint(const Model<Scalar, Device>& model, std::filesystem::path path,
                    ModelCheckpointOptions options = {})
        : model_(model),
          path_(std::move(path)),
          options_(std::move(options)),
          best_(options_.save_best_only ? BestScore(options_.monitor, options_.better, 0)
                                        : BestScore()) {}
    ModelCheckpoint(const Model<Scalar, Device>&&, std::filesystem::path,
                    ModelCheckpointOptions = {}) = delete;  // it would outlive its model

    /// The epoch of the last run that was written last, from 1; 0 if none was.
    Index saved_epoch() const { return saved_epoch_; }

    void on_train_begin(TrainingRun& run) {
        if (options_.save_best_only) {
            detail::require_monitored(run, "ModelCheckpoint", options_.monitor);
        }
        saved_epoch_ = 0;
        const Mark& build = model_.get("ModelCheckpoint").marks().build();
        if (!(build == build_) && options_.save_best_only) {
            best_ = BestScore(options_.monitor, options_.better, 0);
        }
        build_ = build;
    }
    void on_epoch_end(TrainingRun& run) {
        if (options_.save_best_only && !best_.improve(run.scores()[options_.monitor])) return;
        save_weights(model_.get("ModelCheckpoint"), path_);
        saved_epoch_ = run.epoch();
    }

    void visit_state(StateFields& field, TrainingRun& run) {
        detail::visit_monitored(field, options_.monitor, best_);
        detail::visit_epoch(field, run, "saved_epoch", saved_epoch_);
    }

private:
    ModelReference<const Model<Scalar, Device>> model_;
    Mark build_ = {};  ///< the build that best_ belongs to
    std::filesystem::path path_;
    ModelCheckpointOptions options_;
    BestScore best_;
    Index saved_epoch_ = 0;
};

}  // namespace weft
