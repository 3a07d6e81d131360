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
/// likewise targets. Inputs that are bytes stay bytes there.
template <class Scalar, class Device>
class ResidentSamples {
public:
    using Columns = kernels::GatheredColumns<Scalar>;

    /// Of each sample.
    WEFT_COLD static Index bytes(const Dataset<Scalar>& data) {
        constexpr auto of_number = static_cast<Index>(sizeof(Scalar));
        const Index of_input = data.inputs_are_bytes() ? 1 : of_number;
        return data.input_shape().size() * of_input + data.target_shape().size() * of_number;
    }

    /// Copies samples [first, first + count).
    WEFT_COLD ResidentSamples(const Dataset<Scalar>& data, Index first, Index count,
                              const Device& device)
        : count_(count),
          are_bytes_(data.inputs_are_bytes()),
          x_(data.input_shape().batch(are_bytes_ ? 0 : count), device),
          x_bytes_(data.input_shape().batch(are_bytes_ ? count : 0), device),
          y_(data.target_shape().batch(count), device),
          zero_({1}, device) {
        constexpr Index at_once = 1024;
        const Index most = (std::min)(at_once, count);
        std::vector<Index> order(static_cast<std::size_t>(count));
        for (Index i = 0; i < count; ++i) order[static_cast<std::size_t>(i)] = first + i;
        GatheringReader<Scalar> reader(data, {order, most});
        Tensor<Scalar> x(data.input_shape().batch(most)), y(data.target_shape().batch(most));
        Tensor<std::uint8_t> bytes(data.input_shape().batch(are_bytes_ ? most : 0));
        for (Index begin = 0; begin < count; begin += most) {
            const Index n = (std::min)(most, count - begin);
            reader.next(x.data(), y.data());
            if (are_bytes_) {
                std::transform(x.data(), x.data() + n * data.input_shape().size(), bytes.data(),
                               [](Scalar value) { return static_cast<std::uint8_t>(value); });
                send(device, data.input_shapes(), bytes.data(), begin, n, x_bytes_.data());
            } else {
                send(device, data.input_shapes(), x.data(), begin, n, x_.data());
            }
            send(device, data.target_shapes(), y.data(), begin, n, y_.data());
        }
    }

    /// The columns of which a batch of n is made, until the next call.
    WEFT_COLD Span<const Columns> columns(Index n, Batch<Scalar, Device>& batch) {
        columns_.clear();
        const auto add_inputs = [&](const auto* x, bool is_checked) {
            batch.inputs.add_columns(x, count_, is_checked, batch.x.data(), n, columns_);
        };
        if (are_bytes_) {
            add_inputs(x_bytes_.data(), /*is_checked=*/false);
        } else {
            add_inputs(x_.data(), /*is_checked=*/true);
        }
        batch.targets.add_columns(y_.data(), count_, /*is_checked=*/false, batch.y.data(), n,
                                  columns_);
        return columns_;
    }

    /// Copies samples [first, first + n) to the batch.
    WEFT_COLD void copy(Device& device, Index first, Index n, Batch<Scalar, Device>& batch) {
        for (const Columns& of : columns(n, batch)) {
            if (of.bytes != nullptr) {  // all as one record, the first
                const std::int32_t* const zero = std::as_const(zero_).data();
                gather_samples(device, 1, n * of.columns, of.bytes + first * of.x_row, Index{0},
                               zero, zero, of.y);
                continue;
            }
            const Shape shape{n * of.columns};
            copy_elements<Scalar>(device,
                                  TensorView<const Scalar, Device>(of.x + first * of.x_row, shape),
                                  TensorView<Scalar, Device>(of.y, shape));
        }
    }

private:
    /// A batch of n as samples from `begin` on.
    template <class X>
    WEFT_COLD void send(const Device& device, const std::vector<Shape>& shapes, const X* batch,
                        Index begin, Index n, X* all) const {
        for (const Shape& shape : shapes) {
            const Shape of_batch{n * shape.size()};
            copy_to_device<X>(device, TensorView<const X>(batch, of_batch),
                              TensorView<X, Device>(all + begin * shape.size(), of_batch));
            batch += n * shape.size();
            all += count_ * shape.size();
        }
    }

    Index count_;
    bool are_bytes_;
    Tensor<Scalar, Device> x_;              ///< empty if inputs are bytes
    Tensor<std::uint8_t, Device> x_bytes_;  ///< else empty
    Tensor<Scalar, Device> y_;
    Tensor<std::int32_t, Device> zero_;
    std::vector<Columns> columns_;
};

}  // namespace weft::detail
