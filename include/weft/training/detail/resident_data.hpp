/// \file
/// ResidentData: the training samples on a device whose memory is not the host's.
#pragma once

#include "weft/training/detail/epoch_batches.hpp"
#include "weft/training/detail/score_batch.hpp"

#include <limits>

namespace weft::detail {

/// All samples of a run, taken to the device once. From there a batch is gathered by a kernel, and
/// only the order of the samples goes over in each epoch.
template <class Scalar, class Device>
class ResidentData {
public:
    /// Whether the data and the options allow it.
    WEFT_COLD static bool suits(const Dataset<Scalar>& data, Index count,
                                const FitOptions<Scalar>& options) {
        const Index row = data.input_shape().size() + data.target_shape().size();
        constexpr Index most_samples = (std::numeric_limits<std::int32_t>::max)();
        // Weights of classes are looked up where the host has the targets.
        return data.is_constant() && options.class_weight.empty() && count <= most_samples &&
               row * count <= options.resident_bytes / static_cast<Index>(sizeof(Scalar));
    }

    /// The first so many samples.
    WEFT_COLD ResidentData(const Dataset<Scalar>& data, Index count, const Device& device)
        : x_(data.input_shape().batch(count), device),
          y_(data.target_shape().batch(count), device),
          order_({count}, device) {
        constexpr Index at_once = 1024;
        const Index most = (std::min)(at_once, count);
        Tensor<Scalar> x(data.input_shape().batch(most)), y(data.target_shape().batch(most));
        std::vector<Index> samples(static_cast<std::size_t>(most));
        for (Index first = 0; first < count; first += most) {
            const Index n = (std::min)(most, count - first);
            std::iota(samples.begin(), samples.end(), first);
            data.gather({samples.data(), static_cast<std::size_t>(n)}, x.data(), y.data());
            copy_to_device<Scalar>(device, x.slice(0, n), x_.slice(first, n));
            copy_to_device<Scalar>(device, y.slice(0, n), y_.slice(first, n));
        }
    }

    /// The order of the samples from now on.
    WEFT_COLD void set_order(const Device& device, std::span<const Index> order) {
        std::transform(order.begin(), order.end(), order_.host().begin(),
                       [](Index i) { return static_cast<std::int32_t>(i); });
        order_.send(device, order_.shape()[0]);
    }

    /// Gathers n samples, from a place of the order on: so many behind the one that the device has
    /// at first_of_step.
    WEFT_COLD void gather(Device& device, const std::int32_t* first_of_step, Index behind, Index n,
                          Batch<Scalar, Device>& batch) {
        const std::int32_t* const samples = order_.data() + behind;
        batch.inputs.gather(device, x_, samples, first_of_step, n, batch.x);
        batch.targets.gather(device, y_, samples, first_of_step, n, batch.y);
    }

private:
    Tensor<Scalar, Device> x_, y_;
    StagedTensor<std::int32_t, Device> order_;
};

}  // namespace weft::detail
