/// \file
/// ModelRun: the part of TrainingRun that concerns the model.
#pragma once

#include "weft/training/detail/training_state.hpp"

namespace weft::detail {

/// A training run's model, weights and learning rate.
template <class Scalar, class Device>
class ModelRun : public TrainingRun {
public:
    using Model = weft::Model<Scalar, Device>;

    ModelRun(const ModelReference<Model>& reference, const TrainerOptions<Scalar, Device>& trainer,
             TrainingState<Scalar, Device>& state)
        : model_(reference.get("fit")), trainer_(trainer), state_(state), reference_(reference) {}
    ModelRun(const ModelRun&) = delete;
    ModelRun& operator=(const ModelRun&) = delete;

    Model& model() const { return model_; }
    const TrainerOptions<Scalar, Device>& trainer() const { return trainer_; }
    TrainingState<Scalar, Device>& state() const { return state_; }

    double learning_rate() const override { return state_.learning_rate; }
    void set_learning_rate(double rate) override { state_.set_learning_rate(trainer_, rate); }

    WEFT_COLD Buffer save_weights() const override {
        require_model();
        Buffer copy(weights_bytes());
        copy_to_host<Scalar>(model_.device(), model_.arena(), numbers_in<Scalar>(copy));
        return copy;
    }
    std::size_t weights_bytes() const override {
        require_model();
        return static_cast<std::size_t>(model_.arena().size()) * sizeof(Scalar);
    }
    WEFT_COLD void load_weights(const Buffer& weights) override {
        const std::size_t size = weights_bytes();
        if (weights.size() != size) {
            throw ArgumentError(
                join({"load_weights: the buffer has ", weights.size(), " bytes, expected ", size}));
        }
        copy_to_device<Scalar>(model_.device(), numbers_in<Scalar>(weights), model_.arena());
    }

protected:
    /// Throws ArgumentError unless the model is the one the run began with: the user's code may
    /// have replaced it.
    void require_model() const {
        if (!reference_.has(state_.build)) refuse_model();
        if constexpr (!Device::is_host) {
            if (!(*state_.home == model_.device())) refuse_device();
        }
    }
    /// Recordings and data on the run's device refer to the parameters' place.
    WEFT_COLD [[noreturn]] static void refuse_device() {
        throw ArgumentError(
            "fit: the model was moved to another device while it was trained; do so after fit");
    }
    WEFT_COLD [[noreturn]] static void refuse_model() {
        throw ArgumentError(
            "fit: the model was replaced, built again or destroyed while it was trained; do so "
            "after fit, or put other parameters into it with load_weights");
    }

    Model& model_;
    const TrainerOptions<Scalar, Device>& trainer_;
    TrainingState<Scalar, Device>& state_;

private:
    const ModelReference<Model>& reference_;
};

}  // namespace weft::detail
