/// \file
/// Tensor: a row-major array of numbers that owns its memory.
#pragma once

#include "weft/core/buffer.hpp"
#include "weft/core/tensor_view.hpp"

#include <algorithm>
#include <initializer_list>

namespace weft {

/// A row-major tensor, the last axis contiguous, aligned to 64 bytes. A copy is deep. Made with a
/// shape alone it is all zeros. Images lie channels last: (N, H, W, C).
///
/// The memory is the device's. The host can access elements only if Device::is_host.
template <class Scalar, class Device = Cpu>
class Tensor {
public:
    using value_type = Scalar;

    /// Empty: shape (0).
    Tensor() = default;
    /// All zeros, in the device's memory. Throws ShapeError when its size in bytes exceeds an
    /// Index.
    Tensor(const Shape& shape, const Device& device)
        : shape_(shape), memory_(device.allocate(size_bytes(shape))) {}
    /// All zeros, in memory of the host.
    explicit Tensor(const Shape& shape)
    requires(Device::is_host)
        : shape_(shape), memory_(size_bytes(shape)) {}

    Tensor(const Tensor&) = default;
    Tensor& operator=(const Tensor&) = default;
    /// A moved-from tensor is empty: shape (0).
    Tensor(Tensor&& other) noexcept : shape_(other.shape_), memory_(std::move(other.memory_)) {
        other.shape_ = Shape{0};
    }
    Tensor& operator=(Tensor&& other) noexcept {
        const Shape shape = other.shape_;
        other.shape_ = Shape{0};
        shape_ = shape;
        memory_ = std::move(other.memory_);
        return *this;
    }

    /// The values in row-major order. Throws ShapeError when their number differs from the shape's.
    Tensor(const Shape& shape, std::initializer_list<Scalar> values)  // ({3, 4}), ({2}, {7, 8})
    requires(Device::is_host)
        : Tensor(shape) {
        const TensorView<const Scalar> view(values, shape);
        std::copy(view.begin(), view.end(), data());
    }

    /// A copy of the viewed elements.
    explicit Tensor(TensorView<const Scalar, Device> view)
    requires(Device::is_host)
        : Tensor(view.shape()) {
        std::copy(view.begin(), view.end(), data());
    }

    Scalar* data() { return reinterpret_cast<Scalar*>(memory_.data()); }
    const Scalar* data() const { return reinterpret_cast<const Scalar*>(memory_.data()); }
    const Shape& shape() const { return shape_; }
    Index size() const { return shape_.size(); }
    Scalar* begin()
    requires(Device::is_host) {
        return data();
    }
    Scalar* end()
    requires(Device::is_host) {
        return data() + size();
    }
    const Scalar* begin() const
    requires(Device::is_host) {
        return data();
    }
    const Scalar* end() const
    requires(Device::is_host) {
        return data() + size();
    }

    TensorView<Scalar, Device> view() { return {data(), shape_}; }
    TensorView<const Scalar, Device> view() const { return {data(), shape_}; }
    operator TensorView<Scalar, Device>() { return view(); }
    operator TensorView<const Scalar, Device>() const { return view(); }

    /// The element at the given indices, one per axis.
    template <std::integral... I>
    requires(Device::is_host)
    Scalar& operator()(I... indices) {
        return view()(indices...);
    }
    template <std::integral... I>
    requires(Device::is_host)
    const Scalar& operator()(I... indices) const {
        return view()(indices...);
    }

    /// Element i in memory order.
    Scalar& operator[](Index i)
    requires(Device::is_host) {
        return view()[i];
    }
    const Scalar& operator[](Index i) const
    requires(Device::is_host) {
        return view()[i];
    }

    TensorView<Scalar, Device> slice(Index first, Index count) {
        return view().slice(first, count);
    }
    TensorView<const Scalar, Device> slice(Index first, Index count) const {
        return view().slice(first, count);
    }
    TensorView<Scalar, Device> sample(Index i) { return view().sample(i); }
    TensorView<const Scalar, Device> sample(Index i) const { return view().sample(i); }

private:
    static std::size_t size_bytes(const Shape& shape) {
        constexpr auto element_bytes = static_cast<Index>(sizeof(Scalar));
        if (shape.size() > (std::numeric_limits<Index>::max)() / element_bytes) {
            throw ShapeError(detail::join({"tensor: shape ", shape, " has too many elements"}));
        }
        return static_cast<std::size_t>(shape.size() * element_bytes);
    }

    Shape shape_{0};
    typename Device::Memory memory_;
};

}  // namespace weft
