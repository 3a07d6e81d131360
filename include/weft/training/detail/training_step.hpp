/// \file
/// TrainingStep: one step of training, as papers have it.
#pragma once

#include "weft/training/detail/epoch_batches.hpp"
#include "weft/training/detail/find_non_finite.hpp"
#include "weft/training/detail/score_batch.hpp"
#include "weft/training/detail/step_table.hpp"

namespace weft::detail {

/// Forward, loss, backward and update, over batches that were read into its memory. Nothing of it
/// waits for the device: a number that went wrong is marked in the tally, and stops the updates.
template <class Scalar, class Device>
class TrainingStep {
public:
    using Model = weft::Model<Scalar, Device>;
    using View = TensorView<Scalar, Device>;
    using ConstView = TensorView<const Scalar, Device>;

    WEFT_COLD TrainingStep(Model& model, const TrainerOptions<Scalar, Device>& trainer,
                           TrainingState<Scalar, Device>& state, const FitOptions<Scalar>& options,
                           Index batch_size)
        : model_(model),
          trainer_(trainer),
          state_(state),
          options_(options),
          batch_(model, trainer.loss, batch_size, PassKind::training),
          tally_(score_count(trainer), model.device()),
          steps_(trainer, model.device()),
          state_before_(model_state().shape(), model.device()),
          added_(Shape{options.gradient_accumulation_steps > 1 ? state.gradients.size() : 0},
                 model.device()),
          was_wrong_(Shape{1}, model.device()) {
        check_parameters(model_.arena(), was_wrong_.data(), nullptr);
    }

    Device& device() { return batch_.workspace.device(); }
    const Device& device() const { return batch_.workspace.device(); }
    Batch<Scalar, Device>& batch() { return batch_; }
    Tally<Device>& tally() { return tally_; }
    const Tally<Device>& tally() const { return tally_; }

    /// Marks parameters that are not finite: an update itself may overflow, and so may a moving
    /// statistic. Not those that no optimiser touches, if some of them were not at the beginning.
    WEFT_COLD void check_parameters() {
        check_parameters(model_.trainable_parameters(), tally_.wrong(), nullptr);
        check_parameters(model_.arena(), tally_.wrong(), was_wrong_.data());
    }

    /// The name of one that is not, a trainable one if there is.
    WEFT_COLD std::string find_non_finite_parameter() {
        const std::string trained = detail::find_non_finite_parameter(device(), model_, true);
        return trained.empty() ? detail::find_non_finite_parameter(device(), model_, false)
                               : trained;
    }

    /// Trains on the batch: scores it, adds its gradient to those of the step's other batches, and
    /// updates the parameters behind the last of them. If a number goes wrong, the model stays as
    /// it was before the step, whatever runs after it.
    WEFT_COLD void run(const UpdatePart& part) {
        const auto n = std::ssize(part.samples);
        const ConstView x = batch_.x.slice(0, n);
        check_finite<Scalar>(device(), x, mark(Wrong::input), tally_.wrong());
        if (part.first == 0 && state_before_.size() > 0) {
            copy_elements<Scalar>(device(), ConstView(model_state()), state_before_.view());
        }
        forward(part);
        score(part, tally_.wrong());
        score_metrics<Scalar, Device>(model_, trainer_, batch_, n, tally_);
        backward(part);
        if (part.is_last) {
            check_finite<Scalar>(device(), ConstView(state_.gradients), mark(Wrong::gradient),
                                 tally_.wrong());
        }
        tally_.finish_batch(device());
        if (part.is_last) update();
        take_back_state();
    }

    /// Names the place of what was not finite in that batch of the epoch, or for a gradient in
    /// those of its step up to it, which are run again without an update. Both count from 1; `last`
    /// is the batch that is still in memory.
    WEFT_COLD std::string find_place(const EpochBatches<Scalar>& batches, Wrong where, Index wrong,
                                     Index last) {
        Index i = wrong - 1;
        if (where == Wrong::gradient) i = i / batches.to_update() * batches.to_update();
        std::unique_ptr<BatchReader<Scalar>> reader;
        if (i + 1 != last) reader = batches.read_from(i);
        std::string place;
        for (; i < wrong; ++i) {
            const UpdatePart part = batches[i];
            const Index n = std::ssize(part.samples);
            if (reader) batch_.read(*reader, n);
            run_pass(device(), 3 * model_.work(n), [&] { place = run_again(part, where); });
        }
        return place;
    }

private:
    /// The gradient is known behind the last batch alone.
    WEFT_COLD std::string run_again(const UpdatePart& part, Wrong where) {
        const auto n = std::ssize(part.samples);
        std::string place;
        forward(part);
        if (where == Wrong::score) {
            place = find_non_finite<Scalar, Device>(model_, batch_.workspace, inputs(part),
                                                    batch_.y.slice(0, n));
        } else {
            score(part, nullptr);
            backward(part);
            place = find_non_finite_gradient<Scalar, Device>(device(), model_, state_.gradients);
        }
        take_back_state();
        return place;
    }

    /// The parameters that no optimiser touches, which a forward pass may change.
    View model_state() {
        const View all = model_.arena();
        const Index trainable = model_.trainable_parameters().size();
        return {all.data() + trainable, Shape{all.size() - trainable}};
    }

    WEFT_COLD void take_back_state() {
        if (state_before_.size() == 0) return;
        undo_if_wrong<Scalar>(device(), tally_.wrong(), std::as_const(state_before_).view(),
                              model_state());
    }

    /// Threads are not worth their start, so seldom is it looked for: the pass is as small as they
    /// come.
    WEFT_COLD void check_parameters(ConstView numbers, double* wrong, const double* unless) {
        run_pass(device(), 1, [&] {
            check_finite<Scalar>(device(), numbers, mark(Wrong::parameter), wrong, unless);
        });
    }

    PassOptions pass_of(const UpdatePart& part) {
        return {.training = true,
                .seed = options_.seed,
                .step = static_cast<std::uint32_t>(state_.steps),
                .step_on_device = steps_.next(device(), trainer_, state_).number,
                .first_sample = part.first,
                .step_samples = part.update_samples};
    }

    std::span<const ConstView> inputs(const UpdatePart& part) {
        return batch_.inputs.views(batch_.x, std::ssize(part.samples));
    }

    WEFT_COLD void forward(const UpdatePart& part) {
        model_.forward(batch_.workspace, inputs(part), pass_of(part));
    }

    WEFT_COLD void score(const UpdatePart& part, double* wrong) {
        score_losses<Scalar, Device>(model_, trainer_, batch_, part.samples,
                                     {options_.sample_weight, options_.class_weight},
                                     part.update_samples, tally_, wrong);
    }

    /// Leaves the gradient of the step so far; behind its last batch with those of the penalties.
    WEFT_COLD void backward(const UpdatePart& part) {
        const View sum = state_.gradients;
        const View gradients = part.first == 0 ? sum : added_.view();
        model_.backward(batch_.workspace, inputs(part), pass_of(part), gradients);
        if (part.first > 0) add_elements<Scalar>(device(), ConstView(added_), ConstView(sum), sum);
        if (part.is_last) add_penalty_gradients<Scalar, Device>(device(), model_, sum);
    }

    WEFT_COLD void update() {
        const auto step = steps_.next(device(), trainer_, state_);
        state_.learning_rate = step.learning_rate;
        ++state_.steps;
        state_.update_parameters(device(), model_, trainer_, {step.numbers, tally_.wrong()});
    }

    Model& model_;
    const TrainerOptions<Scalar, Device>& trainer_;
    TrainingState<Scalar, Device>& state_;
    const FitOptions<Scalar>& options_;
    Batch<Scalar, Device> batch_;
    Tally<Device> tally_;
    StepTable<Scalar, Device> steps_;
    Tensor<Scalar, Device> state_before_;  ///< the step
    Tensor<Scalar, Device> added_;         ///< gradients of a batch, before they are added
    Tensor<double, Device> was_wrong_;     ///< mark of parameters that were not finite at first
};

}  // namespace weft::detail
