/// \file
/// RunCheckpoint: the state of a call of fit, kept outside of the program.
#pragma once

#include "weft/training/detail/callback_list.hpp"
#include "weft/training/detail/model_run.hpp"
#include "weft/training/detail/run_progress.hpp"
#include "weft/training/detail/training_step.hpp"

namespace weft::detail {

/// All that decides how a run continues, in its store. Refers to its arguments.
template <class Scalar, class Device>
class RunCheckpoint {
public:
    RunCheckpoint(const RunStore& store, ModelRun<Scalar, Device>& run,
                  const EpochBatches<Scalar>& batches, TrainingStep<Scalar, Device>& step,
                  CallbackList& callbacks, RunProgress& progress)
        : store_(store),
          run_(run),
          batches_(batches),
          step_(step),
          callbacks_(callbacks),
          progress_(progress) {}
    RunCheckpoint(const RunCheckpoint&) = delete;
    RunCheckpoint& operator=(const RunCheckpoint&) = delete;

    /// False if there is no state, or no store.
    WEFT_COLD bool load() const { return store_ && store_.load(visit_); }
    WEFT_COLD void save() const {
        if (store_) store_.save(visit_);
    }

    /// Whether the state is to be saved within the epoch, behind the step just done.
    bool is_due() const {
        const Index every = store_.every_steps;
        return every > 0 && progress_.step % batches_.to_update() == 0 &&
               run_.state().steps % every == 0 && progress_.step < batches_.count();
    }

    /// All fields of the run but the model's parameters.
    WEFT_COLD void visit_state(StateFields& field) {
        Tally<Device>& tally = step_.tally();
        const Device& device = step_.device();
        const std::vector<std::string> names = run_.score_names();
        const std::string this_plan = batches_.plan_text(run_.trainer().optimizer.type(), names);
        std::string known_plan = this_plan;
        field("of", known_plan);
        field.require(known_plan == this_plan, "of",
                      join({"is of another run: ", known_plan, "; this run: ", this_plan}));
        TrainingStateField<Scalar, Device> trainer{run_.state(), device};
        field("trainer", trainer);
        if (!field.is_restoring()) progress_.sums = std::vector<MetricSum>(tally.sums(device));
        progress_.visit_state(field, names, batches_.count(), batches_.to_update());
        if (field.is_restoring()) tally.begin(device, progress_.step, progress_.sums);
        callbacks_.visit_state(field, run_);
    }

private:
    const RunStore& store_;
    ModelRun<Scalar, Device>& run_;
    const EpochBatches<Scalar>& batches_;
    TrainingStep<Scalar, Device>& step_;
    CallbackList& callbacks_;
    RunProgress& progress_;
    const VisitState visit_ = [this](StateFields& field) {
        visit_parameters(field, run_.model());
        field("training", *this);
    };
};

}  // namespace weft::detail
