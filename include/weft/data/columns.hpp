/// \file
/// Column: one of several inputs or targets of a dataset, an array with one entry per sample.
#pragma once

#include "weft/core/eigen.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <type_traits>
#include <vector>

namespace weft {

namespace detail {

/// Arrays that are views themselves: of them the view is kept, not a reference to the variable.
template <class X>
inline constexpr bool is_view =
    std::ranges::enable_borrowed_range<X> || std::is_base_of_v<Eigen::MapBase<X, 0>, X>;
template <class Scalar>
inline constexpr bool is_view<TensorView<Scalar>> = true;

/// An array (N, ...) of any number type: a reference to a variable, or the array itself if it is a
/// temporary or a view.
template <class Scalar>
class Samples {
public:
    template <class X>
    requires requires(const X& x) { as_view(x); }
    WEFT_COLD explicit Samples(X&& x) {  // NOLINT(bugprone-forwarding-reference-overload)
        using Array = std::remove_cvref_t<X>;
        using Element = std::remove_cvref_t<decltype(*as_view(std::as_const(x)).data())>;
        static_assert(
            std::is_convertible_v<Element, Scalar>,
            "the elements of the data are not numbers; rows that are containers of their own, "
            "such as of a vector of vectors, have to be copied into one weft::Tensor");
        if constexpr (std::is_lvalue_reference_v<X> && !is_view<Array>) {
            array_ = &x;
        } else {
            owned_ = std::make_shared<const Array>(std::forward<X>(x));
            array_ = owned_.get();
        }
        place_ = place_of<Array>;
        copy_ = copy_samples<Element>;
        is_bytes_ = std::same_as<Element, std::uint8_t>;
        made_of_ = place_(array_);
    }

    const Shape& shape() const { return made_of_.shape; }
    bool is_bytes() const { return is_bytes_; }  ///< whether its elements are std::uint8_t

    /// Throws ArgumentError if the array has other memory or another shape than it had when this
    /// was made.   what, number: "input ", 0
    template <class... Number>
    WEFT_COLD void require_unchanged(std::string_view what, Number... number) const {
        const Place now = place_(array_);
        if (now.data == made_of_.data && now.shape == made_of_.shape) return;
        throw ArgumentError(join({"dataset: ", what, number...,
                                  " was assigned, resized or moved after the Examples were made of "
                                  "it, expected the same array; make them anew"}));
    }

    /// Writes the given samples. The array must be unchanged.
    void copy(Span<const Index> samples, Scalar* to) const {
        copy_(made_of_.data, samples, shape().sample().size(), to);
    }

private:
    struct Place {
        const void* data = nullptr;
        Shape shape = {};
    };

    template <class Array>
    WEFT_COLD static Place place_of(const void* array) {
        const auto view = as_view(*static_cast<const Array*>(array));
        return {view.data(), view.shape()};
    }

    template <class Element>
    WEFT_NOINLINE static void copy_samples(const void* data, Span<const Index> samples, Index size,
                                           Scalar* to) {
        for (const Index i : samples) {
            const Element* const sample = static_cast<const Element*>(data) + i * size;
            for (Index k = 0; k < size; ++k) *to++ = static_cast<Scalar>(sample[k]);
        }
    }

    std::shared_ptr<const void> owned_;  ///< the array, if it is no variable
    const void* array_;
    Place (*place_)(const void* array);
    void (*copy_)(const void* data, Span<const Index> samples, Index size, Scalar* to);
    bool is_bytes_;
    Place made_of_;
};

}  // namespace detail

/// An array (N, ...) of any number type, such as uint8 labels; elements are converted when read. It
/// refers to a variable, which must outlive it and keep its memory and shape, and keeps a temporary
/// or a view. {"image", x} is the array of the model's input or output "image".
template <class Scalar>
class Column : public detail::Samples<Scalar> {
public:
    template <class X>
    requires(!std::same_as<std::remove_cvref_t<X>, Column> && requires(const X& x) { as_view(x); })
    Column(X&& x)  // NOLINT(bugprone-forwarding-reference-overload)
        : detail::Samples<Scalar>(std::forward<X>(x)) {}

    template <class X>
    requires requires(const X& x) { as_view(x); }
    WEFT_COLD Column(std::string name, X&& x) : Column(std::forward<X>(x)) {
        name_ = std::move(name);
    }

    const std::string& name() const { return name_; }  ///< empty where there is none

private:
    std::string name_;
};

namespace detail {

template <class Scalar>
WEFT_COLD std::vector<Shape> sample_shapes(const std::vector<Column<Scalar>>& columns) {
    std::vector<Shape> shapes;
    for (const Column<Scalar>& column : columns) shapes.push_back(column.shape().sample());
    return shapes;
}

/// The names of inputs or targets, empty if no column has one. Throws ArgumentError if only some
/// have one.   kind: "input"
template <class Scalar>
WEFT_COLD std::vector<std::string> names_of(const std::vector<Column<Scalar>>& columns,
                                            std::string_view kind) {
    std::vector<std::string> names;
    for (const Column<Scalar>& column : columns) {
        if (column.name().empty() != columns.front().name().empty()) {
            throw ArgumentError(join({"dataset: ", kind, " ", std::ssize(names),
                                      column.name().empty() ? " has no name" : " has a name",
                                      ", expected names of all or of none"}));
        }
        names.push_back(column.name());
    }
    if (names.front().empty()) names.clear();
    return names;
}

/// Writes the samples with the given indices, each with its entries of all columns.
template <class Scalar>
WEFT_NOINLINE void copy_records(const std::vector<Column<Scalar>>& columns,
                                std::span<const Index> samples, Scalar* to) {
    for (; !samples.empty(); samples = samples.subspan(1)) {
        for (const Column<Scalar>& column : columns) {
            column.copy(samples.first(1), to);
            to += column.shape().sample().size();
        }
    }
}

}  // namespace detail

}  // namespace weft
