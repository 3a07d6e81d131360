/// \file
/// TrainingStep: one step of training: forward, loss, backward, update.
#pragma once

#include "weft/training/detail/epoch_batches.hpp"
#include "weft/training/detail/find_non_finite.hpp"
#include "weft/training/detail/gradient_sum.hpp"
#include "weft/training/detail/parameter_check.hpp"
#include "weft/training/detail/recordings.hpp"
#include "weft/training/detail/resident_data.hpp"
#include "weft/training/detail/score_batch.hpp"
#include "weft/training/detail/step_table.hpp"

#include <bit>

namespace weft::detail {

/// Forward, loss, backward and update, over batches in its memory. It never waits for the device: a
/// number that is not finite is marked in the tally and stops the updates.
template <class Scalar, class Device>
class TrainingStep {
public:
    using Model = weft::Model<Scalar, Device>;
    using View = TensorView<Scalar, Device>;
    using ConstView = TensorView<const Scalar, Device>;

    WEFT_COLD TrainingStep(Model& model, const TrainerOptions<Scalar, Device>& trainer,
                           TrainingState<Scalar, Device>& state, const FitOptions<Scalar>& options,
                           const LossWeights& weights, Index batch_size, Index step_samples,
                           const std::shared_ptr<const ColumnOrder>& order)
        : model_(model),
          trainer_(trainer),
          state_(state),
          options_(options),
          weights_(weights),
          batch_(model, trainer, order, batch_size, PassKind::training),
          tally_(score_count(trainer), model.device()),
          steps_(trainer, step_samples, model.device()),
          state_before_(model_state().shape(), model.device()),
          gradient_sum_(state.gradients.size(), batch_size, step_samples, model.device()),
          parameter_check_(model, device()) {}

    Device& device() { return batch_.workspace.device(); }
    const Device& device() const { return batch_.workspace.device(); }
    Batch<Scalar, Device>& batch() { return batch_; }
    Tally<Device>& tally() { return tally_; }
    const Tally<Device>& tally() const { return tally_; }

    /// Marks parameters that are not finite: an update may overflow, or a moving statistic.
    WEFT_COLD void check_parameters() { parameter_check_.run(device(), tally_.wrong()); }
    WEFT_COLD std::string find_non_finite_parameter() { return parameter_check_.find(device()); }

    /// Begins an epoch, or continues it after some batches.
    void begin_epoch(Index batches) {
        steps_.begin_epoch(state_.steps - batches / options_.gradient_accumulation_steps);
    }

    /// Trains on the batch: scores it, adds its gradient to those of the step's other batches, and
    /// updates the parameters after the last of them. If a number is not finite, the model stays as
    /// it was before the step.
    WEFT_COLD void run(const UpdatePart& part) {
        prepare(part);
        if constexpr (Device::is_host) {
            run_batch(part);
        } else {
            recordings_.run(device(), part.key(1), [&] { run_batch(part); });
        }
        finish(part);
    }

    /// The same with a batch of samples on the device, or with several steps of equal batches that
    /// begin with it.
    WEFT_COLD void run(const UpdatePart& part, ResidentData<Scalar, Device>& data, Index steps) {
        const auto n = std::ssize(part.samples);
        const auto body = [&] {
            for (Index i = 0; i < steps; ++i) {
                if (part.first == 0) keep_state();
                data.gather(device(), steps_.row_on_device(), part.first, n, batch_,
                            mark(Wrong::input), tally_.wrong());
                compute(part);
            }
        };
        prepare(part, steps);
        recordings_.run(device(), part.key(steps), body);
        finish(part, steps);
    }

    /// The number of steps, at most `most`, that the device may run by itself: steps of one batch
    /// each, up to the next checkpoint. A power of 2, to limit the number of recordings.
    WEFT_COLD Index steps_at_once(Index most) {
        const bool is_one_batch = options_.gradient_accumulation_steps == 1;
        if (!recordings_.are_made(device()) || !is_one_batch || weights_.are_any()) return 1;
        const Index every = options_.checkpoint.every_steps;
        if (every > 0) most = (std::min)(most, every - static_cast<Index>(state_.steps) % every);
        if (most < 2) return 1;
        most = (std::min)(most, steps_.steps_ahead(device(), trainer_, state_));
        return static_cast<Index>(std::bit_floor(static_cast<std::size_t>(most)));
    }

    /// Names the place of the number that was not finite in batch `wrong` of the epoch. Runs the
    /// batch again without an update; for a gradient, all batches of its step up to it. `wrong` and
    /// `last`, the batch still in memory, count from 1.
    WEFT_COLD std::string find_place(const EpochBatches<Scalar>& batches, Wrong where, Index wrong,
                                     Index last) {
        if (where == Wrong::input && batch_.inputs.is_one()) return "input";
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
    // ---- A batch of a step: what the host does before and behind it, and between, the device ----
    // The host does not see the latter, so the device may record and repeat it.
    /// Without a schedule, a callback may set another rate after each batch.
    WEFT_COLD void prepare(const UpdatePart& part, Index steps = 1) {
        const bool is_new =
            part.first > 0 && !trainer_.learning_rate_schedule && state_.learning_rate != rate_;
        if (part.first == 0 || is_new) rate_ = steps_.prepare(device(), trainer_, state_, steps);
        if (is_new) steps_.take(device());
        stage_weights(batch_, part.samples, weights_, trainer_.loss.size());
    }

    WEFT_COLD void run_batch(const UpdatePart& part) {
        if (part.first == 0) {
            steps_.take(device());
            keep_state();
        }
        check_finite<Scalar>(device(), ConstView(batch_.x.slice(0, std::ssize(part.samples))),
                             mark(Wrong::input), tally_.wrong());
        compute(part);
    }

    WEFT_COLD void keep_state() {
        if (state_before_.size() == 0) return;
        copy_elements<Scalar>(device(), ConstView(model_state()), state_before_.view());
    }

    WEFT_COLD void compute(const UpdatePart& part) {
        forward(part);
        score(part, tally_.wrong());
        backward(part);
        if (part.is_last) {
            state_.update_parameters(device(), model_, trainer_, steps_.step().numbers,
                                     batch_.penalties.all(), mark(Wrong::gradient), tally_.all());
        } else {
            tally_.finish_batch(device());
        }
        take_back_state();
    }

    WEFT_COLD void finish(const UpdatePart& part, Index steps = 1) {
        tally_.changed();
        if (!part.is_last) return;
        state_.learning_rate = rate_;
        state_.steps += steps;
    }

    // ---- The same again, to find what went wrong -------------------------------------------------

    /// The gradient is known only after the last batch.
    WEFT_COLD std::string run_again(const UpdatePart& part, Wrong where) {
        const auto n = std::ssize(part.samples);
        std::string place;
        if (where != Wrong::gradient) {
            const bool is_input = where == Wrong::input;
            place = find_non_finite_part<Scalar>(
                device(), is_input ? inputs(part) : batch_.targets.views(batch_.y.data(), n),
                "targets", is_input ? "" : "targets of ",
                is_input ? model_.input_names() : output_names(model_, trainer_));
            if (!place.empty()) return place;
        }
        rate_ = steps_.prepare(device(), trainer_, state_);
        steps_.take(device());
        if (where == Wrong::score) {
            place = find_non_finite(model_, batch_.workspace, inputs(part), pass_of(part));
        } else {
            forward(part);
            stage_weights(batch_, part.samples, weights_, trainer_.loss.size());
            score(part, nullptr);
            backward(part);
            // Limits do not change whether gradients are finite; the tally is no longer used.
            finish_gradients<Scalar>(device(), state_.gradients.view(), batch_.penalties.all(), {},
                                     mark(Wrong::gradient), tally_.all());
            place = find_non_finite_gradient<Scalar, Device>(device(), model_, state_.gradients);
        }
        take_back_state();
        return place;
    }

    /// The parameters that are not trained, which a forward pass may change.
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

    PassOptions pass_of(const UpdatePart& part) {
        return {.training = true,
                .seed = options_.seed,
                .step = static_cast<std::uint32_t>(state_.steps),
                .step_on_device = steps_.step().number,
                .first_sample = part.first,
                .step_samples = part.update_samples};
    }

    Span<const ConstView> inputs(const UpdatePart& part) {
        return batch_.inputs.views(batch_.x.data(), std::ssize(part.samples));
    }

    WEFT_COLD void forward(const UpdatePart& part) {
        model_.forward(batch_.workspace, inputs(part), pass_of(part));
    }

    WEFT_COLD void score(const UpdatePart& part, double* wrong) {
        score_batch<Scalar, Device>(model_, trainer_, batch_, std::ssize(part.samples),
                                    weights_.are_any(), part.update_samples, tally_, wrong);
    }

    /// After the step's last batch, state_.gradients is the step's gradient.
    WEFT_COLD void backward(const UpdatePart& part) {
        Scalar* const sum = state_.gradients.data();
        const View gradient(gradient_sum_.place(part, sum), state_.gradients.shape());
        model_.backward(batch_.workspace, inputs(part), pass_of(part), gradient);
        gradient_sum_.add(device(), part, sum);
    }

    Model& model_;
    const TrainerOptions<Scalar, Device>& trainer_;
    TrainingState<Scalar, Device>& state_;
    const FitOptions<Scalar>& options_;
    const LossWeights& weights_;
    Batch<Scalar, Device> batch_;
    Tally<Device> tally_;
    StepTable<Scalar, Device> steps_;
    double rate_ = 0;  ///< of the current step
    Recordings<UpdatePart::Key, Device> recordings_;
    Tensor<Scalar, Device> state_before_;  ///< the step
    GradientSum<Scalar, Device> gradient_sum_;
    ParameterCheck<Scalar, Device> parameter_check_;
};

}  // namespace weft::detail
