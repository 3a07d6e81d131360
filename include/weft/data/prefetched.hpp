/// \file
/// prefetched: batches read ahead by another thread.
#pragma once

#include "weft/core/threads.hpp"
#include "weft/data/wrapped_dataset.hpp"

#include <cassert>
#include <exception>
#include <vector>

namespace weft {

namespace detail {

/// Reads batches on another thread into a ring of buffers; next() copies from it, exchange() takes
/// a buffer and leaves another in its place.
template <class Scalar>
class PrefetchingReader final : public BatchReader<Scalar> {
public:
    PrefetchingReader(const Dataset<Scalar>& data, const BatchPlan& plan, Index batches_ahead)
        : reader_(data.read_batches(plan)),
          left_(static_cast<Index>(plan.samples.size())),
          batch_size_((std::min)(plan.batch_size, left_)),
          batches_(batch_size_ == 0 ? 0 : (left_ + batch_size_ - 1) / batch_size_),
          x_size_(data.input_shape().size()),
          y_size_(data.target_shape().size()) {
        ring_.resize(static_cast<std::size_t>((std::min)(batches_ahead, batches_)));
        for (Buffers& buffers : ring_) {
            buffers.x = Tensor<Scalar>(data.input_shape().batch(batch_size_));
            buffers.y = Tensor<Scalar>(data.target_shape().batch(batch_size_));
        }
        // Where no thread is to be had, nothing is read ahead.
        if (!thread_.template start<&PrefetchingReader::read_all>(*this)) ring_.clear();
    }
    PrefetchingReader(const PrefetchingReader&) = delete;
    PrefetchingReader& operator=(const PrefetchingReader&) = delete;
    ~PrefetchingReader() override {
        {
            const Lock lock(mutex_);
            abandoned_ = true;
        }
        changed_.notify_all();
        thread_.join();
    }

    void next(Scalar* x, Scalar* y) override {
        if (!thread_.is_started()) return reader_->next(x, y);
        take([&](Buffers& from, Index count) {
            if (x != nullptr) std::copy_n(from.x.data(), count * x_size_, x);
            if (y != nullptr) std::copy_n(from.y.data(), count * y_size_, y);
        });
    }

    bool exchange(Tensor<Scalar>& x, Tensor<Scalar>& y) override {
        if (!thread_.is_started() || x.shape() != ring_[0].x.shape() ||
            y.shape() != ring_[0].y.shape()) {
            return false;
        }
        take([&](Buffers& from, Index) {
            std::swap(from.x, x);
            std::swap(from.y, y);
        });
        return true;
    }

private:
    struct Buffers {
        Tensor<Scalar> x, y;
    };

    /// Hands the next batch and its number of samples to `use`.
    template <class Use>
    void take(const Use& use) {
        assert(left_ > 0);
        {
            const Lock lock(mutex_);
            while (taken_ == filled_ && failure_ == nullptr) changed_.wait(mutex_);
            // Batches read before the failure come first, as without reading ahead.
            if (taken_ == filled_) std::rethrow_exception(failure_);
        }
        const Index count = (std::min)(batch_size_, left_);
        use(buffers(taken_), count);
        left_ -= count;
        {
            const Lock lock(mutex_);
            ++taken_;
        }
        changed_.notify_all();
    }

    Buffers& buffers(Index batch) { return ring_[static_cast<std::size_t>(batch) % ring_.size()]; }

    /// The body of the reading thread.
    void read_all() noexcept {
        try {
            for (Index batch = 0; batch < batches_; ++batch) {
                {
                    const Lock lock(mutex_);
                    while (!abandoned_ && batch - taken_ == static_cast<Index>(ring_.size())) {
                        changed_.wait(mutex_);
                    }
                    if (abandoned_) return;
                }
                reader_->next(buffers(batch).x.data(), buffers(batch).y.data());
                {
                    const Lock lock(mutex_);
                    ++filled_;
                }
                changed_.notify_all();
            }
        } catch (...) {
            const Lock lock(mutex_);
            failure_ = std::current_exception();
            changed_.notify_all();
        }
    }

    std::unique_ptr<BatchReader<Scalar>> reader_;  ///< the reading thread's, like ring_[filled_]
    Index left_;                                   ///< samples that next() has not handed out yet
    Index batch_size_, batches_, x_size_, y_size_;
    std::vector<Buffers> ring_;
    Mutex mutex_;  ///< guards the members below
    Condition changed_;
    Index filled_ = 0, taken_ = 0;  ///< batches
    std::exception_ptr failure_;
    bool abandoned_ = false;
    Thread thread_;
};

template <class Scalar>
class Prefetched final : public WrappedDataset<Scalar> {
public:
    Prefetched(Examples<Scalar> inner, Index batches_ahead)
        : WrappedDataset<Scalar>(std::move(inner)), batches_ahead_(batches_ahead) {
        require_option(batches_ahead >= 1, "prefetched", "batches_ahead",
                       static_cast<double>(batches_ahead), "at least 1");
    }

    bool is_constant() const override { return this->inner().is_constant(); }
    bool inputs_are_bytes() const override { return this->inner().inputs_are_bytes(); }
    const ChangedImages<Scalar>* changed_images() const override {
        return this->inner().changed_images();
    }

    std::unique_ptr<BatchReader<Scalar>> read_batches(const BatchPlan& plan) const override {
        return std::make_unique<PrefetchingReader<Scalar>>(this->inner(), plan, batches_ahead_);
    }

private:
    Index batches_ahead_;
};

}  // namespace detail

/// The same samples in the same order, to the bit, read ahead by another thread while the model
/// trains: at most batches_ahead batches are kept ready. Exceptions of reading are thrown by fit or
/// evaluate, when they need the batch. If no thread can be started, nothing is read ahead. Use it
/// outermost: datasets that wrap it do not read ahead.
///
///   trainer.fit(prefetched(augmented(examples, {RandomFlip{}})), {.epochs = 5});
///
/// Throws ArgumentError unless batches_ahead is at least 1.
template <class Scalar>
Examples<Scalar> prefetched(Examples<Scalar> examples, Index batches_ahead = 2) {
    return {std::make_shared<detail::Prefetched<Scalar>>(std::move(examples), batches_ahead)};
}

}  // namespace weft
