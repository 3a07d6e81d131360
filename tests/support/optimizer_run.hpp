/// \file
/// OptimizerRun: an optimiser over several tensors in one arena, as a model lays them.
#pragma once

#include "tests/support/compare.hpp"
#include "tests/support/random_tensor.hpp"
#include "tests/support/reference.hpp"
#include "weft/cpu.hpp"
#include "weft/layers/declaration.hpp"
#include "weft/optimizers/optimizer.hpp"
#include "weft/training/detail/parameter_rules.hpp"

#include <algorithm>

namespace weft {

/// One update, both halves of it; step counts from 1.
template <class Scalar>
void update(const OptimizerDeclaration<Scalar, Cpu>& optimizer, Cpu& device, std::int64_t step,
            double learning_rate, Tensor<Scalar>& parameters, const Tensor<Scalar>& gradients,
            Tensor<Scalar>& state) {
    Buffer numbers(optimizer->step_bytes());
    optimizer->write_step(step, learning_rate, numbers.data());
    optimizer->update(device, {numbers.data()}, parameters, gradients, state);
}

/// The tensors, each on a cache line of its own, zeros between; their gradients likewise; and the
/// state that the training loop would hold.
template <class Scalar = double>
class OptimizerRun {
public:
    OptimizerRun(const OptimizerDeclaration<Scalar, Cpu>& optimizer,
                 const std::vector<Tensor<Scalar>>& initial, const Cpu& device = Cpu(1))
        : device_(device), optimizer_(optimizer) {
        ParameterList list;
        for (const auto& tensor : initial) {
            list.add(concat("tensor_", slots_.size()), tensor.shape(), zeros, true);
            slots_.push_back(list.parameters().back().slot);
        }
        parameters_ = Tensor<Scalar>({list.trainable_size()});
        gradients_ = Tensor<Scalar>({list.trainable_size()});
        state_ = Tensor<Scalar>({optimizer_->state_vectors() * list.trainable_size()});
        place(initial, parameters_);
    }

    /// One update of all tensors at once, at the declared learning rate.
    void step(const std::vector<Tensor<Scalar>>& gradients) { step(gradients, {}); }

    /// The same after the training loop's limits, and before those one on the norm of each tensor.
    void step(const std::vector<Tensor<Scalar>>& gradients, const GradientClipping& limits,
              double norm_of_each = 0) {
        place(gradients, gradients_);
        for (const ParameterSlot& slot : slots_) {
            kernels::clip_gradients<Scalar, Cpu>(device_,
                                                 {gradients_.data() + slot.offset, slot.shape},
                                                 {.global_norm = norm_of_each});
        }
        kernels::clip_gradients<Scalar, Cpu>(device_, gradients_.view(), limits);
        update(optimizer_, device_, ++step_, optimizer_->learning_rate(), parameters_, gradients_,
               state_);
    }

    TensorView<Scalar> tensor(std::size_t i) {
        return {parameters_.data() + slots_[i].offset, slots_[i].shape};
    }

    const Tensor<Scalar>& arena() const { return parameters_; }
    const Tensor<Scalar>& state() const { return state_; }

private:
    void place(const std::vector<Tensor<Scalar>>& tensors, Tensor<Scalar>& arena) const {
        for (std::size_t i = 0; i < tensors.size(); ++i) {
            std::ranges::copy(tensors[i], arena.data() + slots_[i].offset);
        }
    }

    Cpu device_;
    OptimizerDeclaration<Scalar, Cpu> optimizer_;
    std::vector<ParameterSlot> slots_;
    Tensor<Scalar> parameters_, gradients_, state_;
    std::int64_t step_ = 0;
};

template <class Scalar = double>
std::vector<Tensor<Scalar>> reference_tensors(const nlohmann::json& field) {
    std::vector<Tensor<Scalar>> tensors;
    for (const auto& tensor : field) tensors.push_back(reference_tensor<Scalar>(tensor));
    return tensors;
}

/// Checks the tensors after every step of the case, with its limits on the gradients. Keras's
/// clipnorm, on each tensor by itself, is no option of weft's trainer, whose limit on a norm then
/// meets one tensor at a time.
template <class Scalar>
Verdict matches_reference(const OptimizerDeclaration<Scalar, Cpu>& optimizer,
                          const ReferenceCase& expected, double bound, double floor = gap_floor) {
    OptimizerRun<Scalar> run(optimizer, reference_tensors<Scalar>(expected.at("initial")));
    const auto& options = expected.at("options");
    const GradientClipping limits{.value = options.value("clipvalue", 0.0),
                                  .global_norm = options.value("global_clipnorm", 0.0)};
    const double norm_of_each = options.value("clipnorm", 0.0);
    const auto& gradients = expected.at("gradients");
    Verdict verdict;
    for (std::size_t step = 0; step < gradients.size(); ++step) {
        run.step(reference_tensors<Scalar>(gradients[step]), limits, norm_of_each);
        const auto values = reference_tensors(expected.at("values").at(step));
        for (std::size_t i = 0; i < values.size(); ++i) {
            verdict.add(concat("tensor ", i, " after step ", step + 1),
                        largest_gap(run.tensor(i), values[i], floor), bound);
        }
    }
    return verdict;
}

/// Whether 1, 2 and 7 threads leave the same bits in 100003 parameters and their state.
template <class Scalar>
Verdict same_on_any_threads(const OptimizerDeclaration<Scalar, Cpu>& optimizer) {
    const std::vector initial{random_normal<Scalar>({100003}, 2)};
    const auto run_on = [&](int threads) {
        OptimizerRun<Scalar> run(optimizer, initial, Cpu(threads));
        for (const std::uint32_t step : {3u, 4u, 5u})
            run.step({random_normal<Scalar>({100003}, step)});
        return run;
    };
    const auto one = run_on(1);
    Verdict verdict;
    for (const int threads : {2, 7}) {
        const auto many = run_on(threads);
        verdict.add(concat("parameters on ", threads, " threads"),
                    identical(many.arena(), one.arena()));
        verdict.add(concat("state on ", threads, " threads"), identical(many.state(), one.state()));
    }
    return verdict;
}

}  // namespace weft
