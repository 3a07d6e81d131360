/// \file
/// TensorView: a tensor in memory owned by somebody else.
#pragma once

#include "weft/core/cpu.hpp"
#include "weft/core/shape.hpp"

#include <cassert>
#include <concepts>
#include <iterator>
#include <span>
#include <type_traits>

/// \cond
/// Iterators of a Span outlive it, like those of a std::span.
template <class T>
inline constexpr bool std::ranges::enable_borrowed_range<weft::Span<T>> = true;
/// \endcond

namespace weft {

/// A range of contiguous elements that the host can read, hence not one in a device's own memory.
/// std::ranges::contiguous_range requires more and is slower to compile.
template <class Range>
concept InARow = requires(Range& range) {
    *std::data(range);
    *std::begin(range);
    std::size(range);
};

/// A contiguous range that a view may refer to: an lvalue, or a range that owns nothing. Not a
/// temporary container, which would be destroyed before the view is used.
template <class Range, class Scalar>
concept ViewableAs = InARow<Range> &&
                     requires(Range& range) {
                         { std::data(range) } -> std::convertible_to<Scalar*>;
                     } &&
                     (std::is_lvalue_reference_v<Range> ||
                      std::ranges::enable_borrowed_range<std::remove_cvref_t<Range>>);

/// A pointer and a Shape: row-major elements, the last axis contiguous. It owns nothing; the memory
/// must outlive it. TensorView<const Scalar> is read-only; every TensorView<Scalar> converts to it.
/// It views contiguous elements without a copy: a std::vector, std::array, std::span, a plain
/// pointer, or an Eigen matrix (see as_view).
///
/// Elements can be accessed only if the device's memory is the host's, Device::is_host. For other
/// devices, copy_to_host and copy_to_device copy them.
template <class Scalar, class Device = Cpu>
class TensorView {
public:
    TensorView() = default;
    TensorView(Scalar* data, const Shape& shape) : data_(data), shape_(shape) {}

    /// The elements of a contiguous range as a tensor of that shape. Throws ShapeError unless there
    /// are shape.size() of them.
    template <ViewableAs<Scalar> Range>
    TensorView(Range&& range, const Shape& shape) : TensorView(std::data(range), shape) {
        const auto count = static_cast<Index>(std::size(range));
        if (count != shape.size()) {
            throw ShapeError(detail::join(
                {"view: ", count, " elements as shape ", shape, ", expected ", shape.size()}));
        }
    }

    /// The read-only view of writable elements. Not a conversion operator: a read-only view would
    /// then convert to itself.
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

    /// Entries [first, first + count) of the first axis: a slice of a batch. Throws ShapeError when
    /// there are fewer.
    WEFT_NOINLINE TensorView slice(Index first, Index count) const {
        const Shape sample = shape_.sample();
        if (first < 0 || count < 0 || first > shape_[0] - count) {
            throw ShapeError(detail::join(
                {"slice: ", count, " entries from ", first, " on exceed shape ", shape_}));
        }
        return {data_ + first * sample.size(), sample.batch(count)};
    }

    /// Entry i of the first axis, without that axis: one sample of a batch. Throws ShapeError when
    /// there is none.
    WEFT_NOINLINE TensorView sample(Index i) const {
        const Shape sample = shape_.sample();
        if (i < 0 || i >= shape_[0]) {
            throw ShapeError(detail::join(
                {"sample: ", i, " of shape ", shape_, ", expected 0 ... ", shape_[0] - 1}));
        }
        return {data_ + i * sample.size(), sample};
    }

    /// The same elements with another shape. Throws ShapeError when the sizes differ.
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
