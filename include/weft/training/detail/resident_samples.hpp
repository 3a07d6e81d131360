/// \file
/// ResidentSamples: samples that stay on a device whose memory is not the host's.
#pragma once

#include "weft/training/detail/score_batch.hpp"

#include <exception>

namespace weft::detail {

/// What a device with memory of its own keeps, perhaps nothing. The host's memory needs no copy.
template <class Device, class Kept>
using KeptOnDevice = std::conditional_t<Device::is_host, std::nullptr_t, std::unique_ptr<Kept>>;

/// Calls make(), which copies samples to a device. Null if they do not fit into memory. Other
/// errors, such as of reading a file, also lead to null: they occur again batch by batch.
template <class Kept, class Make>
WEFT_COLD std::unique_ptr<Kept> null_on_errors(const Make& make) {
    try {
        return make();
    } catch (const std::exception&) {
        return nullptr;
    }
}

/// Samples copied to a device once: all of the first input, then all of the second, and so on;
/// likewise targets.
template <class Scalar, class Device>
class ResidentSamples {
public:
    using Columns = kernels::GatheredColumns<Scalar>;

    /// Of each sample.
    WEFT_COLD static Index bytes(const Dataset<Scalar>& data) {
        return (data.input_shape().size() + data.target_shape().size()) *
               static_cast<Index>(sizeof(Scalar));
    }

    /// Copies samples [first, first + count).
    WEFT_COLD ResidentSamples(const Dataset<Scalar>& data, Index first, Index count,
                              const Device& device)
        : count_(count),
          x_(data.input_shape().batch(count), device),
          y_(data.target_shape().batch(count), device) {
        constexpr Index at_once = 1024;
        const Index most = (std::min)(at_once, count);
        std::vector<Index> order(static_cast<std::size_t>(count));
        for (Index i = 0; i < count; ++i) order[static_cast<std::size_t>(i)] = first + i;
        GatheringReader<Scalar> reader(data, {order, most});
        Tensor<Scalar> x(data.input_shape().batch(most)), y(data.target_shape().batch(most));
        for (Index begin = 0; begin < count; begin += most) {
            const Index n = (std::min)(most, count - begin);
            reader.next(x.data(), y.data());
            send(device, data.input_shapes(), x.data(), begin, n, x_.data());
            send(device, data.target_shapes(), y.data(), begin, n, y_.data());
        }
    }

    /// The columns of which a batch of n is made, until the next call.
    WEFT_COLD Span<const Columns> columns(Index n, Batch<Scalar, Device>& batch) {
        columns_.clear();
        batch.inputs.add_columns(x_.data(), count_, /*is_checked=*/true, batch.x.data(), n,
                                 columns_);
        batch.targets.add_columns(y_.data(), count_, /*is_checked=*/false, batch.y.data(), n,
                                  columns_);
        return columns_;
    }

    /// Copies samples [first, first + n) to the batch.
    WEFT_COLD void copy(Device& device, Index first, Index n, Batch<Scalar, Device>& batch) {
        for (const Columns& of : columns(n, batch)) {
            const Shape shape{n * of.columns};
            copy_elements<Scalar>(device,
                                  TensorView<const Scalar, Device>(of.x + first * of.x_row, shape),
                                  TensorView<Scalar, Device>(of.y, shape));
        }
    }

private:
    /// A batch of n as samples from `begin` on.
    WEFT_COLD void send(const Device& device, const std::vector<Shape>& shapes, const Scalar* batch,
                        Index begin, Index n, Scalar* all) const {
        for (const Shape& shape : shapes) {
            const Shape of_batch{n * shape.size()};
            copy_to_device<Scalar>(
                device, TensorView<const Scalar>(batch, of_batch),
                TensorView<Scalar, Device>(all + begin * shape.size(), of_batch));
            batch += n * shape.size();
            all += count_ * shape.size();
        }
    }

    Index count_;
    Tensor<Scalar, Device> x_, y_;
    std::vector<Columns> columns_;
};

}  // namespace weft::detail
