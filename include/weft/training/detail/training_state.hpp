/// \file
/// TrainingState: what training adds to a model.
#pragma once

#include "weft/core/staging.hpp"
#include "weft/model/sequential.hpp"
#include "weft/training/detail/parameter_rules.hpp"
#include "weft/training/fit_options.hpp"

#include <optional>

namespace weft::detail {

/// The numbers that a buffer holds.
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

/// Gradients, the optimiser's state, and how far training has come.
template <class Scalar, class Device>
struct TrainingState {
    using Model = weft::Model<Scalar, Device>;
    using Options = TrainerOptions<Scalar, Device>;
    struct Host {};

    double learning_rate = 0;
    std::int64_t steps = 0;               ///< of the optimiser
    std::uint32_t epochs = 0;             ///< begun, over all calls of fit
    bool has_hinted = false;              ///< once is enough
    Mark build = {};                      ///< whose parameters the state below belongs to
    Tensor<Scalar, Device> gradients;     ///< laid out as the model's trainable parameters
    Tensor<Scalar, Device> of_optimizer;  ///< its vectors, one after another
    /// That they lie on, where the host does not see it.
    [[no_unique_address]] std::conditional_t<Device::is_host, Host, std::optional<Device>> home{};

    /// Starts anew when the model was built anew or replaced.
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

    /// Follows a model that was moved to another device of the same kind.
    WEFT_COLD void move_to(const Device& other) {
        if constexpr (!Device::is_host) {
            move_tensor(gradients, *home, other);
            move_tensor(of_optimizer, *home, other);
            home = other;
        }
    }

    /// The rate of that step, from 0. Throws ArgumentError where a schedule gives none.
    WEFT_NOINLINE double next_rate(const Options& options, std::int64_t step) const {
        if (!options.learning_rate_schedule) return learning_rate;
        const double rate = options.learning_rate_schedule(step);
        if (!(rate >= 0 && std::isfinite(rate))) {
            throw ArgumentError(join({"learning_rate_schedule: step ", step, " has the rate ", rate,
                                      ", expected a finite number of at least 0"}));
        }
        return rate;
    }

    /// The rate of the steps to come.
    WEFT_COLD void set_learning_rate(const Options& options, double rate) {
        if (options.learning_rate_schedule) {
            throw ArgumentError("trainer: set_learning_rate, but the rate follows a schedule");
        }
        require_learning_rate(options.optimizer.type(), rate);
        learning_rate = rate;
    }

    /// One step of the optimiser, from its gradients. Changes no parameter if it is stopped.
    WEFT_NOINLINE void update_parameters(Device& device, Model& model, const Options& options,
                                         const kernels::DeviceStep<std::byte>& step) {
        options.optimizer->update(device, step, model.trainable_parameters(), gradients,
                                  of_optimizer);
        apply_constraints<Scalar, Device>(device, model, step.wrong);
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

/// The state as a field of a run, with the device that its numbers lie on.
template <class Scalar, class Device>
struct TrainingStateField {
    TrainingState<Scalar, Device>& state;
    const Device& device;

    WEFT_COLD void visit_state(StateFields& field) { state.visit_state(field, device); }
};
template <class Scalar, class Device>
TrainingStateField(TrainingState<Scalar, Device>&, const Device&)
    -> TrainingStateField<Scalar, Device>;

/// All of a model's parameters by name, beside which a run keeps "training/..." of its own.
template <class Scalar, class Device>
WEFT_COLD void visit_parameters(StateFields& field, Model<Scalar, Device>& model) {
    for (const ParameterInfo& parameter : model.parameters()) {
        if (parameter.name.starts_with("training/")) {
            throw ArgumentError(join(
                {"fit: a checkpoint has a ", parameter.name, " of its own; rename the layer"}));
        }
        visit_tensor(field, parameter.name, model.device(), model.view(parameter.slot));
    }
}

}  // namespace weft::detail
