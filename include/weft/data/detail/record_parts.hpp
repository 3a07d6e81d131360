/// \file
/// RecordParts: splits whole samples into those of each input or target.
#pragma once

#include "weft/core/tensor.hpp"

#include <algorithm>
#include <vector>

namespace weft::detail {

/// The shape of a sample: its only input or target, or all of them, one after another.
WEFT_COLD inline Shape record_shape(const std::vector<Shape>& shapes) {
    if (shapes.size() == 1) return shapes.front();
    Index size = 0;
    for (const Shape& shape : shapes) size += shape.size();
    return {size};
}

/// The samples of a task that gathers a batch: some microseconds, or one if that takes longer.
inline Index grain_of_samples(Index size) {
    return (std::max<Index>)(1, 8192 / (std::max<Index>)(1, size));
}

/// Memory for a batch of records, each all inputs of a sample, until they are split. A single input
/// needs none: its records lie where they are needed. Likewise targets.
template <class Scalar>
class RecordParts {
public:
    WEFT_COLD RecordParts(std::vector<Shape> shapes, Index capacity)
        : shapes_(std::move(shapes)),
          size_(record_shape(shapes_).size()),
          records_(Shape{is_one() ? 0 : capacity * size_}) {}

    /// Of a record.
    Index size() const { return size_; }

    /// Where records of a batch are gathered, from the first one on; null if `batch` is.
    Scalar* records(Scalar* batch, Index first) {
        if (batch == nullptr) return nullptr;
        return (is_one() ? batch : records_.data()) + first * size_;
    }

    /// Writes records [begin, end) to a batch of n:  (n, shape_0), (n, shape_1), ...
    WEFT_NOINLINE void split(Index begin, Index end, Index n, Scalar* batch) const {
        if (batch == nullptr || is_one()) return;
        const Scalar* record = records_.data() + begin * size_;
        for (Index i = begin; i < end; ++i) {
            Scalar* part = batch;
            for (const Shape& shape : shapes_) {
                std::copy_n(record, shape.size(), part + i * shape.size());
                record += shape.size();
                part += n * shape.size();
            }
        }
    }

private:
    bool is_one() const { return shapes_.size() == 1; }

    std::vector<Shape> shapes_;
    Index size_;
    Tensor<Scalar> records_;
};

}  // namespace weft::detail
