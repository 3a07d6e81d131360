/// \file
/// TensorView: a tensor in memory that somebody else owns.
#pragma once

#include "weft/core/cpu.hpp"
#include "weft/core/shape.hpp"

#include <cassert>
#include <concepts>
#include <iterator>
#include <span>
#include <type_traits>

/// \cond
/// Iterators of a Span outlive it, as those of a std::span.
template <class T>
inline constexpr bool std::ranges::enable_borrowed_range<weft::Span<T>> = true;
/// \endcond

namespace weft {

/// What has elements in a row that the host may read, so none on a device with memory of its own.
/// std::ranges::contiguous_range asks more of it, and takes compilers longer.
template <class Range>
concept InARow = requires(Range& range) {
    *std::data(range);
    *std::begin(range);
    std::size(range);
};

/// A range of elements in a row that a view may refer to: a named one, or one that owns nothing.
/// Not a temporary container, whose elements would be gone before the view is used.
template <class Range, class Scalar>
concept ViewableAs = InARow<Range> &&
                     requires(Range& range) {
                         { std::data(range) } -> std::convertible_to<Scalar*>;
                     } &&
                     (std::is_lvalue_reference_v<Range> ||
                      std::ranges::enable_borrowed_range<std::remove_cvref_t<Range>>);

/// A pointer and a Shape: row-major elements, the last axis contiguous. It owns nothing; the memory
/// must outlive it. TensorView<const Scalar> is the read-only one, which every TensorView<Scalar>
/// converts to. It views whatever holds its elements in a row, without a copy: std::vector,
/// std::array, std::span, a plain pointer, or an Eigen matrix (see as_view).
///
/// Elements are there only for a device whose memory is the host's, Device::is_host. Those of
/// another are moved by copy_to_host and copy_to_device.
template <class Scalar, class Device = Cpu>
class TensorView {
public:
    TensorView() = default;
    TensorView(Scalar* data, const Shape& shape) : data_(data), shape_(shape) {}

    /// The elements of a contiguous range as a tensor of that shape. Throws ShapeError when their
    /// numbers differ.
    template <ViewableAs<Scalar> Range>
    TensorView(Range&& range, const Shape& shape) : TensorView(std::data(range), shape) {
        const auto count = static_cast<Index>(std::size(range));
        if (count != shape.size()) {
            throw ShapeError(detail::join(
                {"view: ", count, " elements as shape ", shape, ", expected ", shape.size()}));
        }
    }

    /// The read-only view of elements that may be written. A constructor and not a conversion
    /// operator, which a read-only view would have to itself.
    template <class Written>
    requires std::same_as<const Written, Scalar>
    TensorView(TensorView<Written, Device> view) : data_(view.data()), shape_(view.shape()) {}

    Scalar* data() const { return data_; }
    const Shape& shape() const { return shape_; }
    Index size() const { return shape_.size(); }
    Scalar* begin() const
    requires(Device::is_host) {
        return data_;
    }
    Scalar* end() const
    requires(Device::is_host) {
        return data_ + size();
    }
    explicit operator bool() const { return data_ != nullptr; }

    /// The element at the given indices, one per axis; bounds are asserted.
    template <std::integral... I>
    requires(Device::is_host)
    Scalar& operator()(I... indices) const {
        assert(static_cast<Index>(sizeof...(I)) == shape_.rank());
        Index offset = 0, axis = 0;
        ((assert(Index(indices) >= 0 && Index(indices) < shape_[axis]),
          offset = offset * shape_[axis++] + Index(indices)),
         ...);
        return data_[offset];
    }

    /// Element i in memory order.
    Scalar& operator[](Index i) const
    requires(Device::is_host) {
        assert(i >= 0 && i < size());
        return data_[i];
    }

    /// The count entries of the first axis that start at first: a slice of a batch. ShapeError when
    /// there are fewer.
    WEFT_NOINLINE TensorView slice(Index first, Index count) const {
        const Shape sample = shape_.sample();
        if (first < 0 || count < 0 || first > shape_[0] - count) {
            throw ShapeError(
                detail::join({"slice: ", count, " from ", first, " on, of shape ", shape_}));
        }
        return {data_ + first * sample.size(), sample.batch(count)};
    }

    /// Entry i of the first axis, without that axis: one sample of a batch. ShapeError when there
    /// is none.
    WEFT_NOINLINE TensorView sample(Index i) const {
        const Shape sample = shape_.sample();
        if (i < 0 || i >= shape_[0]) {
            throw ShapeError(detail::join(
                {"sample: ", i, " of shape ", shape_, ", expected 0 ... ", shape_[0] - 1}));
        }
        return {data_ + i * sample.size(), sample};
    }

    /// The same elements under another shape of as many elements; ShapeError otherwise.
    WEFT_NOINLINE TensorView reshape(const Shape& shape) const {
        if (shape.size() != size()) {
            throw ShapeError(detail::join(
                {"reshape: shape ", shape_, " to ", shape, ", expected as many elements"}));
        }
        return {data_, shape};
    }

private:
    Scalar* data_ = nullptr;
    Shape shape_{0};
};

}  // namespace weft
