/// \file
/// Span: a view of contiguous elements.
#pragma once

#include <cassert>
#include <cstddef>
#include <initializer_list>
#include <type_traits>

namespace weft {

namespace detail {

/// One assertion for spans of all types: one in each takes g++ 12 5 MB more in a small program.
inline void require_inside([[maybe_unused]] bool is_inside) { assert(is_inside); }

}  // namespace detail

/// Contiguous elements owned by somebody else, like std::span. Made from a std::vector, std::array,
/// std::span, std::initializer_list, or a pointer and a count. The elements must outlive it.
///
/// Not std::span, for compile time: per element type, g++ 12 allocates 2 to 4 MB to check its
/// iterators, and 0.1 to 0.7 MB for this. Not constexpr: g++ keeps such functions twice.
template <class T>
class Span {
public:
    Span() = default;
    /// A template, so {0, 4} does not match: its 0 might be a null pointer.
    template <class U>
    requires std::is_same_v<std::remove_cv_t<U>, std::remove_cv_t<T>>
    Span(U* data, std::size_t size) : data_(data), size_(size) {}

    template <class Range>
    requires requires(Range& range, T*& data) {
        data = range.data();
        requires std::is_same_v<std::remove_cvref_t<decltype(*data)>,
                                std::remove_cvref_t<decltype(*range.data())>>;
        range.begin();
        range.size();
    }
    Span(Range&& range) : Span(range.data(), range.size()) {}

    template <std::size_t Size>
    Span(T (&array)[Size]) : Span(array, Size) {}

    template <class List>
    requires std::is_same_v<List, std::initializer_list<std::remove_cv_t<T>>>
    Span(const List& list) : Span(list.begin(), list.size()) {}

    T* data() const { return data_; }
    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }
    T* begin() const { return data_; }
    T* end() const { return data_ + size_; }
    T& operator[](std::size_t i) const {
        detail::require_inside(i < size_);
        return data_[i];
    }
    T& front() const { return (*this)[0]; }
    T& back() const { return (*this)[size_ - 1]; }

    /// The first `count` elements; all from `first` on; `count` from `first` on.
    Span first(std::size_t count) const { return subspan(0, count); }
    Span subspan(std::size_t first) const { return subspan(first, size_ - first); }
    Span subspan(std::size_t first, std::size_t count) const {
        detail::require_inside(first <= size_ && count <= size_ - first);
        return {data_ + first, count};
    }

private:
    T* data_ = nullptr;
    std::size_t size_ = 0;
};

template <class T>
Span(T*, std::size_t) -> Span<T>;

}  // namespace weft
