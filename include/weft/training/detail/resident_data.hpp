/// \file
/// ResidentData: the training samples on a device whose memory is not the host's.
#pragma once

#include "weft/kernels/fused.hpp"
#include "weft/training/detail/epoch_batches.hpp"
#include "weft/training/detail/score_batch.hpp"

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
        const Index row = data.input_shape().size() + data.target_shape().size();
        const Index bytes = row * static_cast<Index>(sizeof(Scalar)) + change_bytes(changed);
        constexpr Index most_samples = (std::numeric_limits<std::int32_t>::max)();
        // The host looks up the weights of classes and needs the targets.
        return (data.is_constant() || changed != nullptr) && options.class_weight.empty() &&
               count <= most_samples && count <= options.resident_bytes / bytes;
    }

    /// The first `count` samples; null if they do not suit or do not fit into memory. Other errors,
    /// such as of reading a file, also lead to null: they occur again batch by batch.
    WEFT_COLD static std::unique_ptr<ResidentData> make_if_suits(const Dataset<Scalar>& data,
                                                                 Index count,
                                                                 const FitOptions<Scalar>& options,
                                                                 const Device& device) {
        if (!suits(data, count, options)) return nullptr;
        try {
            return std::make_unique<ResidentData>(data, count, device);
        } catch (const std::exception&) {
            return nullptr;
        }
    }

    /// Copies the first `count` samples.
    WEFT_COLD ResidentData(const Dataset<Scalar>& data, Index count, const Device& device)
        : x_(data.input_shape().batch(count), device),
          y_(data.target_shape().batch(count), device),
          order_({count}, device),
          changed_(changed_images(data)),
          changes_({count * change_bytes(changed_)}, device) {
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
        gathered_.clear();
        batch.inputs.add_gathered(x_, /*is_checked=*/true, batch.x.data(), n, gathered_);
        batch.targets.add_gathered(y_, /*is_checked=*/false, batch.y.data(), n, gathered_);
        gather_batch<Scalar>(device, step, /*takes_row=*/behind == 0, order_.data() + behind, n,
                             Span<const kernels::GatheredColumns<Scalar>>(gathered_), mark, wrong);
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

    Tensor<Scalar, Device> x_, y_;
    StagedTensor<std::int32_t, Device> order_;
    const ChangedImages<Scalar>* changed_;
    StagedTensor<std::byte, Device> changes_;  ///< in the order of the samples
    std::vector<kernels::GatheredColumns<Scalar>> gathered_;
};

}  // namespace weft::detail
