/// \file
/// Workspace: the memory that passes over batches leave their numbers in.
#pragma once

#include "weft/layers/declaration.hpp"
#include "weft/model/model_reference.hpp"

#include <mutex>
#include <span>

namespace weft {

/// What a workspace is planned for.
enum class PassKind {
    inference,  ///< forward only: two buffers in turn hold the outputs of the layers
    training,   ///< forward and backward: every output is kept, two buffers in turn hold gradients
};

/// How a model runs one pass.
struct PassOptions {
    bool training = false;   ///< dropout drops, batch norm uses the batch's own statistics
    bool logits = false;     ///< the last layer leaves out its output activation
    std::uint64_t seed = 0;  ///< with step: the random numbers of the pass
    std::uint32_t step = 0;
};

/// All memory of a pass over a batch: the outputs of the layers, what each keeps for its backward,
/// gradients, and the device's scratch. Planned and allocated once for a largest batch; passes over
/// batches up to that size allocate nothing more.
template <class Scalar, class Device>
class Workspace {
public:
    using LayerPointer = std::shared_ptr<const Layer<Scalar, Device>>;

    /// For the layers of that build, with their names for errors. Throws ShapeError for outputs
    /// that are more than memory can hold.
    WEFT_COLD Workspace(std::span<const LayerPointer> layers, std::span<const std::string> names,
                        const Mark& build, const Device& device, Index capacity, PassKind kind)
        : build_(build), device_(device), capacity_(capacity), kind_(kind) {
        for (std::size_t i = 0; i < layers.size(); ++i) require_countable(*layers[i], names[i]);
        plan(layers);
        memory_ = Tensor<std::byte, Device>(Shape{size_bytes_}, device_);
    }

    Device& device() { return device_; }
    Index capacity() const { return capacity_; }
    PassKind kind() const { return kind_; }

    /// Throws ArgumentError or ShapeError unless a pass of that build over a batch of shape x, of
    /// such samples, stays within the workspace.
    WEFT_NOINLINE void require_pass(const Mark& build, const Shape& sample, const Shape& x,
                                    bool training) const {
        if (!(build == build_) || (training && kind_ != PassKind::training)) {
            throw ArgumentError(
                "sequential: the workspace is of another build or kind of pass; make_workspace "
                "makes one that fits");
        }
        if (x.rank() == 0 || x.sample() != sample || x[0] > capacity_) {
            throw ShapeError(detail::join({"sequential: input has shape ", x, ", expected up to ",
                                           capacity_, " samples of ", sample}));
        }
    }

    /// The bytes that the plan takes, without the device's scratch.
    Index size_bytes() const { return size_bytes_; }

    /// The penalties on the outputs of the layers in the last forward pass, summed over the batch.
    double activity_penalty() const { return activity_penalty_; }
    void set_activity_penalty(double penalty) { activity_penalty_ = penalty; }

    /// Where layer i puts its output.
    Scalar* output(std::size_t i) { return at<Scalar>(outputs_[i]); }

    /// Where dL/d(output of layer i) goes. Training only.
    Scalar* output_gradient(std::size_t i) { return at<Scalar>(gradients_[i]); }

    /// What layer i keeps from forward to backward. Training only.
    std::byte* saved(std::size_t i) { return at<std::byte>(saved_[i]); }

private:
    /// 2^16 layers of 16 bytes an element, outputs and what is saved, stay within an Index.
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

    /// Places a block of so many bytes behind the others, on a cache line of its own.
    Index place(Index bytes) {
        constexpr Index alignment = static_cast<Index>(Buffer::alignment);
        const Index offset = size_bytes_;
        size_bytes_ += (bytes + alignment - 1) / alignment * alignment;
        return offset;
    }

    WEFT_COLD void plan(std::span<const LayerPointer> layers) {
        const auto bytes_of = [&](const LayerPointer& layer) {
            return layer->output_shape().batch(capacity_).size() *
                   static_cast<Index>(sizeof(Scalar));
        };
        // Two buffers in turn: a layer reads one and writes the other. A view shares the memory of
        // the layer before it, and so do gradients where backward works in place.
        const bool training = kind_ == PassKind::training;
        std::vector<int> turn_of;
        Index largest[2] = {};
        int turn = 0;
        for (const auto& layer : layers) {
            const bool stays = layer->is_view() || (training && layer->backs_in_place());
            if (!stays) turn = 1 - turn;
            turn_of.push_back(turn);
            largest[turn] = (std::max)(largest[turn], bytes_of(layer));
        }
        const Index turns[2] = {place(largest[0]), place(largest[1])};
        for (std::size_t i = 0; i < layers.size(); ++i) {
            const Index buffer = turns[turn_of[i]];
            // Before the first view there is no memory to share, so the caller's input serves.
            const bool shares = layers[i]->is_view() && i > 0;
            if (training) {
                gradients_.push_back(buffer);
                saved_.push_back(place(static_cast<Index>(layers[i]->saved_bytes(capacity_))));
                outputs_.push_back(shares ? outputs_.back() : place(bytes_of(layers[i])));
            } else {
                outputs_.push_back(buffer);
            }
        }
    }

    template <class T>
    T* at(Index offset) {
        return reinterpret_cast<T*>(memory_.data() + offset);
    }

    Mark build_;
    Device device_;
    Index capacity_;
    PassKind kind_;
    Index size_bytes_ = 0;
    double activity_penalty_ = 0;
    std::vector<Index> outputs_, gradients_, saved_;
    Tensor<std::byte, Device> memory_;
};

/// Inference workspaces that concurrent calls of one model's predict take and give back. A copy of
/// the pool is an empty pool, so that a model can be copied without them.
template <class Scalar, class Device>
class WorkspacePool {
public:
    using Pointer = std::unique_ptr<Workspace<Scalar, Device>>;

    WorkspacePool() = default;
    WorkspacePool(const WorkspacePool&) {}
    WorkspacePool& operator=(const WorkspacePool&) {
        clear();
        return *this;
    }

    void clear() {
        const std::lock_guard lock(mutex_);
        free_.clear();
    }

    /// A free workspace of that capacity or more; null when there is none. A free one that is too
    /// small is dropped for the one the caller then makes, so the pool holds no more workspaces
    /// than calls ever ran at once.
    Pointer take(Index capacity) {
        const std::lock_guard lock(mutex_);
        if (free_.empty()) return nullptr;
        const auto fits = [&](const Pointer& w) { return w->capacity() >= capacity; };
        const auto found = std::ranges::find_if(free_, fits);
        if (found != free_.end()) std::swap(*found, free_.back());
        Pointer taken = std::move(free_.back());
        free_.pop_back();
        return fits(taken) ? std::move(taken) : nullptr;
    }

    void give_back(Pointer workspace) {
        const std::lock_guard lock(mutex_);
        free_.push_back(std::move(workspace));
    }

private:
    std::mutex mutex_;
    std::vector<Pointer> free_;
};

}  // namespace weft
