/// \file
/// Workspace: the memory of passes over batches.
#pragma once

#include "weft/core/threads.hpp"
#include "weft/layers/layer.hpp"
#include "weft/model/detail/place_values.hpp"
#include "weft/model/model_reference.hpp"

#include <algorithm>

namespace weft {

/// The options of one pass.
struct PassOptions {
    bool training = false;   ///< dropout drops, batch norm uses the batch's own statistics
    std::uint64_t seed = 0;  ///< with step: the random numbers of the pass
    std::uint32_t step = 0;
    const std::uint32_t* step_on_device = nullptr;  ///< the step, for kernels; or null
    /// If a step of training has several batches: the index of this batch's first sample in the
    /// step, and the step's number of samples; 0 if this batch is all.
    Index first_sample = 0;
    Index step_samples = 0;

    Index samples_of_step(Index batch) const { return step_samples > 0 ? step_samples : batch; }
};

/// All memory of a pass over a batch: the values of a plan, their gradients, the saved data of each
/// layer, and the device's scratch. It is allocated once for the largest batch; passes over batches
/// up to that size allocate nothing. Data with disjoint lifetimes share memory: an output of a
/// layer is valid until its last reader ran.
template <class Scalar, class Device>
class Workspace {
public:
    using LayerPointer = std::shared_ptr<const Layer<Scalar, Device>>;
    using View = TensorView<Scalar, Device>;

    /// For the layers of a build, with their names for errors. Throws ShapeError for outputs that
    /// are larger than memory can hold.
    WEFT_COLD Workspace(std::shared_ptr<const Plan> plan, Span<const LayerPointer> layers,
                        Span<const std::string> names, std::size_t graph_inputs,
                        Index trainable_size, const Mark& build, const Device& device,
                        Index capacity)
        : build_(build), device_(device), capacity_(capacity), plan_(std::move(plan)) {
        for (std::size_t i = 0; i < layers.size(); ++i) require_countable(*layers[i], names[i]);
        std::vector<Index> saved(plan_->steps().size());
        for (std::size_t s = 0; s < saved.size(); ++s) {
            const PlanStep& step = plan_->steps()[s];
            std::size_t bytes =
                step.is_activation() ? 0 : layers[step.layer]->saved_bytes(capacity);
            if (step.norm != PlanStep::none) {
                bytes += layers[step.layer]->saved_bytes_of_norm(capacity);
            }
            saved[s] = static_cast<Index>(bytes);
        }
        for (const PlanStep& step : plan_->steps()) {
            // Pools that apply a batch norm too tell by their taps what was dropped.
            const bool has_norm = step.norm < plan_->index(step);
            if (has_norm && step.dropout != PlanStep::none) saved[step.dropout] = 0;
        }
        offsets_ = detail::ValuePlacer(*plan_, capacity, sizeof(Scalar)).place(saved);
        // Values begin at places of 64 bytes, so the number behind them lies at one of 8.
        penalty_ = (offsets_.size_bytes + 7) / 8 * 8;
        memory_ = Tensor<std::byte, Device>(Shape{penalty_ + static_cast<Index>(sizeof(double))},
                                            device_);
        if (!plan_->idle_layers().empty()) {
            zeros_ = Tensor<Scalar, Device>({trainable_size}, device_);
        }
        std::size_t most = 1;
        for (const PlanStep& step : plan_->steps()) {
            if (step.adds_gradients) {
                shared_gradients_ = Tensor<Scalar, Device>({trainable_size}, device_);
            }
            most = (std::max)(most, step.inputs);
        }
        inputs_ = std::vector<TensorView<const Scalar, Device>>(most + graph_inputs);
        graph_inputs_ = inputs_.data() + most;
        input_gradients_ = std::vector<View>(most);
    }

    Workspace(const Workspace&) = delete;
    Workspace& operator=(const Workspace&) = delete;
    Workspace(Workspace&&) noexcept = default;
    Workspace& operator=(Workspace&&) noexcept = default;

    const Plan& plan() const { return *plan_; }
    Device& device() { return device_; }
    const Device& device() const { return device_; }
    Index capacity() const { return capacity_; }
    PassKind kind() const { return plan_->kind(); }

    /// Throws ArgumentError or ShapeError unless the workspace fits a pass of the given build over
    /// a batch of shape x of such samples.
    WEFT_COLD void require_pass(const Mark& build, const Shape& sample, const Shape& x,
                                bool training) const {
        if (!(build == build_) || (training && !is_training(kind()))) {
            throw ArgumentError(
                "model: the workspace is of another build or kind of pass; make_workspace "
                "makes one that fits");
        }
        if (x.rank() == 0 || x.sample() != sample || x[0] > capacity_) {
            throw ShapeError(detail::join({"model: input has shape ", x, ", expected up to ",
                                           capacity_, " samples of ", sample}));
        }
    }

    /// The bytes of the values, without the device's scratch.
    Index size_bytes() const { return offsets_.size_bytes; }

    /// The penalties on the outputs of the layers in the last forward pass, summed over the batch.
    /// One number on the device, 0 if the plan has none.
    TensorView<double, Device> activity_penalty() {
        return {reinterpret_cast<double*>(memory_.data() + penalty_), Shape{1}};
    }

    /// A value of n samples. Not for the graph's inputs, the first values, which are the caller's.
    View value(std::size_t i, Index n) { return view(offsets_.values, i, n); }

    /// The place where the loss writes the gradient of output k. Training only.
    View output_gradient(std::size_t k, Index n) {
        return {reinterpret_cast<Scalar*>(memory_.data() + offsets_.outputs[k]),
                plan_->values()[plan_->output(k)].shape.batch(n)};
    }

    /// The gradient of a value. Training only.
    View gradient(std::size_t i, Index n) { return view(offsets_.gradients, i, n); }

    /// The memory that step s saves from forward to backward. Training only.
    std::byte* saved(std::size_t s) { return memory_.data() + offsets_.saved[s]; }

    /// Gradients of a layer's parameters that are added to those of another use of the layer.
    Scalar* gradients_of_shared() { return shared_gradients_.data(); }

    /// As long as the gradients of all parameters, if the plan has idle layers.
    const Scalar* zeros() const { return zeros_.data(); }

    /// Room for the inputs of a step and for their gradients.
    TensorView<const Scalar, Device>* inputs() { return inputs_.data(); }
    View* input_gradients() { return input_gradients_.data(); }

    /// Room for a part of the inputs of the graph.
    TensorView<const Scalar, Device>* graph_inputs() { return graph_inputs_; }

    /// The memory for gradients of step s that are added to others. Training only.
    std::byte* added(std::size_t s) { return memory_.data() + offsets_.added[s]; }

private:
    /// 2^16 layers with 16 bytes per element, outputs and saved data together, stay within an
    /// Index.
    WEFT_COLD void require_countable(const Layer<Scalar, Device>& layer,
                                     std::string_view name) const {
        const Index elements = (std::max)(layer.input_shape().size(), layer.output_shape().size());
        if (elements >
            ((std::numeric_limits<Index>::max)() >> 20) / (std::max<Index>)(1, capacity_)) {
            throw ShapeError(
                detail::join({name, ": ", capacity_, " samples of shape ", layer.output_shape(),
                              " are more than memory can hold"}));
        }
    }

    View view(const std::vector<Index>& offsets, std::size_t i, Index n) {
        return {reinterpret_cast<Scalar*>(memory_.data() + offsets[i]),
                plan_->values()[i].shape.batch(n)};
    }

    Mark build_;
    Device device_;
    Index capacity_;
    std::shared_ptr<const Plan> plan_;
    detail::PlacedValues offsets_;
    Index penalty_ = 0;  ///< where it lies
    Tensor<std::byte, Device> memory_;
    Tensor<Scalar, Device> shared_gradients_, zeros_;
    std::vector<TensorView<const Scalar, Device>> inputs_;
    TensorView<const Scalar, Device>* graph_inputs_ = nullptr;  ///< in the same block
    std::vector<View> input_gradients_;
};

/// Inference workspaces that concurrent calls of one model's predict take and return. A copy of the
/// pool is empty: copies of a model do not copy workspaces.
template <class Scalar, class Device>
class WorkspacePool {
public:
    using Pointer = std::shared_ptr<Workspace<Scalar, Device>>;

    WorkspacePool() = default;
    WorkspacePool(const WorkspacePool&) noexcept {}
    WorkspacePool& operator=(const WorkspacePool&) {
        clear();
        return *this;
    }

    WEFT_COLD void clear() {
        const detail::Lock lock(mutex_);
        free_.clear();
    }

    /// A free workspace of at least the given capacity; null if there is none. A free one that is
    /// too small is dropped, since the caller then makes a new one. So the pool never has more
    /// workspaces than calls ran at once.
    WEFT_COLD Pointer take(Index capacity) {
        const detail::Lock lock(mutex_);
        if (free_.empty()) return nullptr;
        for (Pointer& free : free_) {
            if (free->capacity() >= capacity) free.swap(free_.back());
        }
        Pointer taken = std::move(free_.back());
        free_.pop_back();
        if (taken->capacity() < capacity) taken.reset();
        return taken;
    }

    WEFT_COLD void give_back(Pointer workspace) {
        const detail::Lock lock(mutex_);
        free_.push_back(std::move(workspace));
    }

private:
    detail::Mutex mutex_;
    std::vector<Pointer> free_;
};

}  // namespace weft
