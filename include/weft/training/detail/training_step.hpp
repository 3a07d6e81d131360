/// \file
/// TrainingStep: one step of training, as papers have it.
#pragma once

#include "weft/training/detail/find_non_finite.hpp"
#include "weft/training/detail/score_batch.hpp"
#include "weft/training/detail/training_state.hpp"

namespace weft::detail {

/// Forward, loss, backward and update, over a batch that was read into its memory.
template <class Scalar, class Device>
class TrainingStep {
public:
    using Model = weft::Model<Scalar, Device>;

    WEFT_COLD TrainingStep(Model& model, const TrainerOptions<Scalar, Device>& trainer,
                           TrainingState<Scalar, Device>& state, const FitOptions<Scalar>& options,
                           Index batch_size)
        : model_(model),
          trainer_(trainer),
          state_(state),
          options_(options),
          batch_(model, trainer.loss, batch_size, PassKind::training) {}

    Batch<Scalar, Device>& batch() { return batch_; }

    /// Looked at before the forward pass, which may update moving statistics.
    bool has_finite_input(Index n) {
        return all_finite<Scalar>(device(), TensorView<const Scalar, Device>(batch_.x.slice(0, n)));
    }

    /// Whether the trainable parameters are finite, or all. Looked for so seldom that threads are
    /// not worth their start: the pass is as small as they come.
    WEFT_COLD bool has_finite_parameters(bool all) {
        const TensorView<const Scalar, Device> numbers =
            all ? model_.arena() : model_.trainable_parameters();
        bool are_finite = true;
        run_pass(device(), 1, [&] { are_finite = all_finite<Scalar>(device(), numbers); });
        return are_finite;
    }

    /// The name of one that is not, a trainable one if there is.
    WEFT_COLD std::string find_non_finite_parameter() {
        const std::string trained = detail::find_non_finite_parameter(device(), model_, true);
        return trained.empty() ? detail::find_non_finite_parameter(device(), model_, false)
                               : trained;
    }

    /// Trains on the batch of those samples, and adds its scores to sums. Gives the place of the
    /// first number that went wrong, and then nothing is updated; else nothing.
    WEFT_COLD std::string run(std::span<const Index> samples, std::vector<MetricSum>& sums) {
        const auto n = static_cast<Index>(samples.size());
        const PassOptions pass{.training = true,
                               .seed = options_.seed,
                               .step = static_cast<std::uint32_t>(state_.steps)};
        const auto xs = batch_.inputs.views(batch_.x, n);
        model_.forward(batch_.workspace, xs, pass);
        const auto predictions = model_.prediction(batch_.workspace, n);
        if (!score_batch(model_, trainer_, batch_, predictions, samples,
                         {options_.sample_weight, options_.class_weight},
                         model_.output_gradient(batch_.workspace, n), sums)) {
            return find_non_finite<Scalar, Device>(model_, batch_.workspace, xs,
                                                   batch_.y.slice(0, n));
        }
        model_.backward(batch_.workspace, xs, pass, state_.gradients);
        add_penalty_gradients<Scalar, Device>(device(), model_, state_.gradients);
        if (!all_finite<Scalar>(device(), state_.gradients)) {
            return find_non_finite_gradient<Scalar, Device>(device(), model_, state_.gradients);
        }
        state_.update_parameters(device(), model_, trainer_);
        return {};
    }

private:
    Device& device() { return batch_.workspace.device(); }

    Model& model_;
    const TrainerOptions<Scalar, Device>& trainer_;
    TrainingState<Scalar, Device>& state_;
    const FitOptions<Scalar>& options_;
    Batch<Scalar, Device> batch_;
};

}  // namespace weft::detail
