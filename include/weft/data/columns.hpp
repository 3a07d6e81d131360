/// \file
/// Column: one of several inputs or targets of a dataset, an array with one entry per sample.
#pragma once

#include "weft/core/eigen.hpp"

#include <memory>
#include <span>
#include <type_traits>
#include <vector>

namespace weft {

/// An array (N, ...) of any number type, such as uint8 labels; elements are converted when read. It
/// refers to a variable, which must outlive it, and keeps a temporary. {"image", x} is the array of
/// the model's input or output "image".
template <class Scalar>
class Column {
public:
    template <class X>
    requires(!std::same_as<std::remove_cvref_t<X>, Column> && requires(const X& x) { as_view(x); })
    Column(X&& x) {  // NOLINT(bugprone-forwarding-reference-overload)
        using Element = std::remove_cvref_t<decltype(*as_view(std::as_const(x)).data())>;
        const auto keep = std::make_shared<const Kept<X>>(std::forward<X>(x));
        const auto view = as_view(keep->array);
        shape_ = view.shape();
        data_ = std::shared_ptr<const void>(keep, view.data());
        copy_ = [](const void* data, Index first, Index count, Scalar* to) {
            const Element* from = static_cast<const Element*>(data) + first;
            for (Index i = 0; i < count; ++i) to[i] = static_cast<Scalar>(from[i]);
        };
    }

    template <class X>
    requires requires(const X& x) { as_view(x); }
    WEFT_COLD Column(std::string name, X&& x) : Column(std::forward<X>(x)) {
        name_ = std::move(name);
    }

    const std::string& name() const { return name_; }  ///< empty where there is none
    const Shape& shape() const { return shape_; }

    /// Writes elements [first, first + count).
    void copy(Index first, Index count, Scalar* to) const { copy_(data_.get(), first, count, to); }

private:
    template <class X>
    struct Kept {
        explicit Kept(X&& x) : array(std::forward<X>(x)) {}
        X array;  ///< a reference, if it is a variable
    };

    std::string name_;
    Shape shape_;
    std::shared_ptr<const void> data_;
    void (*copy_)(const void* data, Index first, Index count, Scalar* to);
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
    for (const Index i : samples) {
        for (const Column<Scalar>& column : columns) {
            const Index size = column.shape().sample().size();
            column.copy(i * size, size, to);
            to += size;
        }
    }
}

}  // namespace detail

}  // namespace weft
