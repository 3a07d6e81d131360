/// \file
/// GradientSum: the gradient of an update, from those of its batches.
#pragma once

#include "weft/training/detail/epoch_batches.hpp"

namespace weft::detail {

/// Adds the gradients g_1, ..., g_n of an update's batches, one after another. From more than 64 on
/// they are added in blocks of b = ceil(sqrt(n)), and the sums of blocks to each other. A number
/// then goes through at most b + n / b additions, so the sum is off by at most
///   (2 sqrt(n) + 2) u sum |g_i|,   u = 2^-24 in float,   to first order in u,
/// where one running sum may be off by (n - 1) u sum |g_i|.
template <class Scalar, class Device>
class GradientSum {
public:
    using View = TensorView<Scalar, Device>;
    using ConstView = TensorView<const Scalar, Device>;

    /// For updates of up to `samples`. size: of a gradient
    WEFT_COLD GradientSum(Index size, Index batch_size, Index samples, const Device& device)
        : size_(size),
          batch_size_(batch_size),
          memory_(Shape{size * ((batches(samples) > 1) + (batches(samples) > most_in_a_row))},
                  device) {}

    /// Where the batch's gradient has to be written.
    Scalar* place(const UpdatePart& part, Scalar* sum) {
        return part.first / batch_size_ % block(part) > 0 ? batch() : sum_of_block(part, sum);
    }

    /// Adds it. After the update's last batch, `sum` is the gradient of all.
    WEFT_COLD void add(Device& device, const UpdatePart& part, Scalar* sum) {
        const Index i = part.first / batch_size_, size = block(part);
        if (i % size > 0) add(device, batch(), sum_of_block(part, sum));
        if (i < size) return;
        if (part.is_last) {
            add(device, blocks(), sum);
        } else if (i % size == size - 1) {
            add(device, sum, blocks());
        }
    }

private:
    static constexpr Index most_in_a_row = 64;

    Scalar* batch() { return memory_.data(); }           ///< the gradient of a batch
    Scalar* blocks() { return memory_.data() + size_; }  ///< the sum of the blocks so far

    Index batches(Index samples) const { return (samples + batch_size_ - 1) / batch_size_; }

    /// The batches of a block: all of them, if they are few.
    WEFT_COLD Index block(const UpdatePart& part) const {
        const Index n = batches(part.update_samples);
        if (n <= most_in_a_row) return n;
        Index root = 8;
        while (root * root < n) ++root;
        return root;
    }

    /// Of the first of several blocks, it is that of the blocks so far.
    Scalar* sum_of_block(const UpdatePart& part, Scalar* sum) {
        const Index n = batches(part.update_samples);
        return n > most_in_a_row && part.first / batch_size_ < block(part) ? blocks() : sum;
    }

    WEFT_COLD void add(Device& device, const Scalar* x, Scalar* sum) {
        const Shape shape{size_};
        add_elements<Scalar>(device, ConstView(x, shape), ConstView(sum, shape), View(sum, shape));
    }

    Index size_, batch_size_;
    Tensor<Scalar, Device> memory_;
};

}  // namespace weft::detail
