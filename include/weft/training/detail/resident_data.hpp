/// \file
/// ResidentData: the training samples on a device whose memory is not the host's.
#pragma once

#include "weft/kernels/fused.hpp"
#include "weft/training/detail/epoch_batches.hpp"
#include "weft/training/detail/resident_samples.hpp"

#include <limits>

namespace weft::detail {

/// Whether a device can change images itself; this is optional.
template <class Device, class Scalar>
concept ChangesImages = requires(Device& device, const Shape& image, const ImageChange* changes,
                                 const std::int32_t* first, Scalar* x) {
    change_images<Scalar>(device, image, Index{1}, Index{1}, changes, first, x);
};

/// All samples of a run, copied to the device once. A kernel gathers each batch from them. In each
/// epoch only the order of the samples is copied, and the changes of images if there are any.
template <class Scalar, class Device>
class ResidentData {
public:
    /// Whether the data and the options allow it.
    WEFT_COLD static bool suits(const Dataset<Scalar>& data, Index count,
                                const FitOptions<Scalar>& options) {
        const ChangedImages<Scalar>* const changed = changed_images(data);
        const Index bytes = bytes_of_sample(data);
        constexpr Index most_samples = (std::numeric_limits<std::int32_t>::max)();
        // The host looks up the weights of classes and needs the targets.
        return (data.is_constant() || changed != nullptr) && options.class_weight.empty() &&
               count <= most_samples && count <= options.resident_bytes / bytes;
    }

    /// The first `count` samples; null if they do not suit, or if there are errors.
    WEFT_COLD static std::unique_ptr<ResidentData> make_if_suits(const Dataset<Scalar>& data,
                                                                 Index count,
                                                                 const FitOptions<Scalar>& options,
                                                                 const Device& device) {
        if (!suits(data, count, options)) return nullptr;
        return null_on_errors<ResidentData>(
            [&] { return std::make_unique<ResidentData>(data, count, device); });
    }

    /// Copies the first `count` samples.
    WEFT_COLD ResidentData(const Dataset<Scalar>& data, Index count, const Device& device)
        : samples_(data, 0, count, device),
          order_({count}, device),
          changed_(changed_images(data)),
          changes_({count * change_bytes(changed_)}, device),
          bytes_(count * bytes_of_sample(data)) {}

    Index bytes() const { return bytes_; }

    /// Sends the order of the samples in the epoch, and their changes.
    WEFT_COLD void begin_epoch(const Device& device, Span<const Index> order,
                               const TrainingEpoch& epoch) {
        std::transform(order.begin(), order.end(), order_.host().begin(),
                       [](Index i) { return static_cast<std::int32_t>(i); });
        order_.send(device, order_.shape()[0]);
        if (changed_ == nullptr) return;
        changed_->write_changes(order, epoch,
                                reinterpret_cast<ImageChange*>(changes_.host().data()));
        changes_.send(device, changes_.shape()[0]);
    }

    /// Gathers n samples, from sample `behind` of the step on; 0 also takes the step's row. Marks
    /// inputs that are not finite.
    WEFT_COLD void gather(Device& device, const kernels::StepRow& step, Index behind, Index n,
                          Batch<Scalar, Device>& batch, double mark, double* wrong) {
        gather_batch<Scalar>(device, step, /*takes_row=*/behind == 0, order_.data() + behind, n,
                             samples_.columns(n, batch), mark, wrong);
        if constexpr (ChangesImages<Device, Scalar>) {
            if (changed_ == nullptr) return;
            const auto* const first =
                reinterpret_cast<const std::int32_t*>(step.row + step.first_sample);
            const Index each = changed_->changes_per_image();
            change_images<Scalar>(
                device, changed_->image_shape(), n, each,
                reinterpret_cast<const ImageChange*>(changes_.data()) + behind * each, first,
                batch.x.data());
        }
    }

private:
    static const ChangedImages<Scalar>* changed_images(const Dataset<Scalar>& data) {
        return ChangesImages<Device, Scalar> ? data.changed_images() : nullptr;
    }

    /// The bytes of a sample's changes.
    static Index change_bytes(const ChangedImages<Scalar>* changed) {
        constexpr auto size = static_cast<Index>(sizeof(ImageChange));
        return changed == nullptr ? 0 : changed->changes_per_image() * size;
    }

    static Index bytes_of_sample(const Dataset<Scalar>& data) {
        return ResidentSamples<Scalar, Device>::bytes(data) + change_bytes(changed_images(data));
    }

    ResidentSamples<Scalar, Device> samples_;
    StagedTensor<std::int32_t, Device> order_;
    const ChangedImages<Scalar>* changed_;
    StagedTensor<std::byte, Device> changes_;  ///< in the order of the samples
    Index bytes_;
};

}  // namespace weft::detail
