/// \file
/// Reference: a device whose kernels are their definitions.
#pragma once

#include "weft/core/tensor.hpp"

#include <algorithm>
#include <string>
#include <type_traits>

namespace weft::kernels {

/// A second device, in this machine's memory. Each of its kernels is one plain loop nest that says
/// what is computed, and nothing of how to be fast: the kernels of other devices are compared with
/// them, and a new device can be written from them. Contracts of arguments, such as what may share
/// memory, are those of kernels/cpu.
class Reference {
public:
    /// The host reads and writes its memory.
    static constexpr bool is_host = true;
    using Memory = Buffer;
    Memory allocate(std::size_t size_bytes) const { return Memory(size_bytes); }

    Reference() = default;
    /// A copy has no scratch yet.
    Reference(const Reference&) {}
    Reference& operator=(const Reference&) { return *this; }

    /// Memory for a kernel's numbers, which are undefined. It is kept for later kernels.
    template <class Number>
    Scratch<Number> scratch(Index count) {
        const std::size_t size_bytes = static_cast<std::size_t>(count) * sizeof(Number);
        if (scratch_.size() < size_bytes) scratch_ = Buffer(size_bytes);
        return {scratch_.data(), is_scratch_taken_};
    }

private:
    Buffer scratch_;
    bool is_scratch_taken_ = false;
};

/// What decides the last bits of its kernels, for files of models.
inline std::string kernels_build(const Reference&) { return "definitions"; }

/// Runs body(), a chain of kernels.
template <class Body>
void run_pass(Reference&, double, const Body& body) {
    body();
}

/// What reference kernels compute in, so that a result is rounded to Scalar once, at its end.
template <class Scalar>
using Wide = std::conditional_t<std::is_same_v<Scalar, float>, double, long double>;

template <class Scalar>
constexpr Wide<Scalar> wide(Scalar x) {
    return static_cast<Wide<Scalar>>(x);
}

/// Sums that start at 0, for a kernel that adds to them in another order than theirs.
template <class Scalar>
class Sums {
public:
    Sums(Reference& device, Index count)
        : count_(count), scratch_(device.scratch<Wide<Scalar>>(count)) {
        std::fill_n(scratch_.data(), count, Wide<Scalar>(0));
    }

    Wide<Scalar>& operator[](Index i) { return scratch_.data()[i]; }

    /// y = the sums, rounded.
    void round_to(Scalar* y) const {
        for (Index i = 0; i < count_; ++i) y[i] = static_cast<Scalar>(scratch_.data()[i]);
    }

private:
    Index count_;
    Scratch<Wide<Scalar>> scratch_;
};

}  // namespace weft::kernels

namespace weft {

using kernels::Reference;

/// The numbers of a tensor, or of a view, in the precision that an oracle takes them in.
template <class Number = double, class Numbers>
Tensor<Number, Reference> as_reference(const Numbers& x) {
    Tensor<Number, Reference> y(x.shape());
    for (Index i = 0; i < x.shape().size(); ++i) y[i] = static_cast<Number>(x.data()[i]);
    return y;
}

}  // namespace weft
