/// \file
/// TrainingState: gradients, optimiser state and counts of training.
#pragma once

#include "weft/core/staging.hpp"
#include "weft/model/sequential.hpp"
#include "weft/training/detail/parameter_rules.hpp"
#include "weft/training/fit_options.hpp"

#include <optional>

namespace weft::detail {

/// The numbers in a buffer.
template <class Scalar, class Bytes>
auto numbers_in(Bytes& bytes) {
    using Number = std::conditional_t<std::is_const_v<Bytes>, const Scalar, Scalar>;
    return TensorView<Number>(reinterpret_cast<Number*>(bytes.data()),
                              Shape{static_cast<Index>(bytes.size() / sizeof(Scalar))});
}

/// The numbers of a device's tensor as a field.
template <class Scalar, class Device>
WEFT_COLD void visit_tensor(StateFields& field, std::string_view name, const Device& device,
                            TensorView<Scalar, Device> tensor) {
    if constexpr (Device::is_host) {
        field(name, tensor);
    } else {
        Tensor<Scalar> numbers = on_host<Scalar>(device, tensor);
        field(name, numbers.view());
        if (field.is_restoring()) copy_to_device<Scalar>(device, numbers, tensor);
    }
}

/// Gradients, the optimiser's state, and the counts of steps and epochs.
template <class Scalar, class Device>
struct TrainingState {
    using Model = weft::Model<Scalar, Device>;
    using Options = TrainerOptions<Scalar, Device>;
    struct Host {};

    double learning_rate = 0;
    std::int64_t steps = 0;               ///< of the optimiser
    std::uint32_t epochs = 0;             ///< begun, over all calls of fit
    bool has_hinted = false;              ///< hints are given once
    Mark build = {};                      ///< of the parameters that the state below belongs to
    Tensor<Scalar, Device> gradients;     ///< laid out as the model's trainable parameters
    Tensor<Scalar, Device> of_optimizer;  ///< state vectors, one after another
    /// Their device, if its memory is not the host's.
    [[no_unique_address]] std::conditional_t<Device::is_host, Host, std::optional<Device>> home{};

    /// Starts anew if the model was built again or replaced.
    WEFT_COLD void fit_to(Model& model, const Options& options) {
        const Shape shape = model.trainable_parameters().shape();
        if (build == model.marks().build() && gradients.shape() == shape) {
            move_to(model.device());
            return;
        }
        gradients = {};  // and there last: without them all is made anew, if memory runs out here
        of_optimizer = {};
        build = model.marks().build();
        if constexpr (!Device::is_host) home = model.device();
        steps = 0;
        epochs = 0;
        has_hinted = false;
        of_optimizer = Tensor<Scalar, Device>(
            Shape{options.optimizer->state_vectors() * shape.size()}, model.device());
        gradients = Tensor<Scalar, Device>(shape, model.device());
    }

    /// Moves to the model's device, if that changed to another of the same type.
    WEFT_COLD void move_to(const Device& other) {
        if constexpr (!Device::is_host) {
            move_tensor(gradients, *home, other);
            move_tensor(of_optimizer, *home, other);
            home = other;
        }
    }

    /// The rate of a step, counted from 0. Throws ArgumentError if a schedule gives a bad one.
    WEFT_COLD double next_rate(const Options& options, std::int64_t step) const {
        if (!options.learning_rate_schedule) return learning_rate;
        const double rate = options.learning_rate_schedule(step);
        if (!(rate >= 0 && std::isfinite(rate))) {
            throw ArgumentError(join({"learning_rate_schedule: step ", step, " has the rate ", rate,
                                      ", expected a finite number of at least 0"}));
        }
        return rate;
    }

    /// The rate of the next steps.
    WEFT_COLD void set_learning_rate(const Options& options, double rate) {
        if (options.learning_rate_schedule) {
            throw ArgumentError("trainer: set_learning_rate cannot change the rate of a schedule");
        }
        require_learning_rate(options.optimizer.type(), rate);
        learning_rate = rate;
    }

    /// One step of the optimiser, by its numbers, from the gradients. Ends the batch of the tally.
    /// Changes no parameter if that has a mark; marks gradients that are not finite.
    WEFT_COLD void update_parameters(Device& device, Model& model, const Options& options,
                                     const std::byte* numbers,
                                     Span<const kernels::Penalty<Scalar>> penalties, double mark,
                                     TensorView<double, Device> tally) {
        const double* const factor =
            prepare_gradients<Scalar>(device, gradients.view(), penalties, options, mark, tally);
        const double* const wrong = tally.data() + kernels::TallyPlaces::wrong;
        options.optimizer->update(device, {numbers, wrong, factor}, model.trainable_parameters(),
                                  gradients, of_optimizer);
        apply_constraints<Scalar, Device>(device, model, wrong);
    }

    WEFT_COLD void visit_state(StateFields& field, const Device& device) {
        field("learning_rate", learning_rate);
        field.count("steps", steps);
        field.count("epochs", epochs);
        visit_tensor(field, "optimizer", device, of_optimizer.view());
        field.require(learning_rate >= 0 && std::isfinite(learning_rate), "learning_rate",
                      "is not a learning rate");
    }
};

/// The state as a field of a run, with the device of its numbers.
template <class Scalar, class Device>
struct TrainingStateField {
    TrainingState<Scalar, Device>& state;
    const Device& device;

    WEFT_COLD void visit_state(StateFields& field) { state.visit_state(field, device); }
};

/// All of a model's parameters by name, which must not start with "training/".
template <class Scalar, class Device>
WEFT_COLD void visit_parameters(StateFields& field, Model<Scalar, Device>& model) {
    for (const ParameterInfo& parameter : model.parameters()) {
        if (parameter.name.starts_with("training/")) {
            throw ArgumentError(
                join({"fit: checkpoints reserve the name ", parameter.name, "; rename the layer"}));
        }
        visit_tensor(field, parameter.name, model.device(), model.view(parameter.slot));
    }
}

}  // namespace weft::detail
