/// \file
/// RecordDataset: samples of one size, read from files when a batch needs them.
#pragma once

#include "weft/core/threads.hpp"
#include "weft/data/dataset.hpp"
#include "weft/data/detail/scratch.hpp"
#include "weft/data/idx.hpp"

#include <vector>

namespace weft::detail {

/// A file of records of one size, one after another.
struct RecordFile {
    std::unique_ptr<FileBytes> file;
    std::uint64_t first = 0;   ///< byte of the first sample
    std::uint64_t stride = 0;  ///< bytes from one sample to the next
    Index count = 0;           ///< samples
};

/// The layout of a sample's bytes in the file.
enum class RecordLayout { as_sample, channels_first };

/// Samples of bytes in files, with labels in memory.
template <class Scalar>
class RecordDataset final : public Dataset<Scalar> {
public:
    RecordDataset(std::vector<RecordFile> files, const Shape& sample, RecordLayout layout,
                  Tensor<std::uint8_t> labels)
        : files_(std::move(files)), sample_(sample), layout_(layout), labels_(std::move(labels)) {}

    Index size() const override { return labels_.size(); }
    Shape input_shape() const override { return sample_; }
    Shape target_shape() const override { return {}; }

    void gather(std::span<const Index> samples, Scalar* x, Scalar* y) const override {
        for (const Index i : samples) {
            if (y != nullptr) *y++ = static_cast<Scalar>(labels_[i]);
            if (x == nullptr) continue;
            convert(read(i), x);
            x += sample_.size();
        }
    }

private:
    const std::uint8_t* read(Index i) const {
        const auto size = static_cast<std::size_t>(sample_.size());
        std::uint8_t* const bytes = thread_scratch<std::uint8_t>(size);
        auto part = files_.begin();
        for (; i >= part->count; ++part) i -= part->count;
        const Lock lock(mutex_);
        part->file->seek(part->first + static_cast<std::uint64_t>(i) * part->stride);
        part->file->read(bytes, size);
        return bytes;
    }

    void convert(const std::uint8_t* bytes, Scalar* x) const {
        if (layout_ == RecordLayout::as_sample) {
            std::copy_n(bytes, sample_.size(), x);
            return;
        }
        const Index channels = sample_.last(), pixels = sample_.size() / channels;
        for (Index c = 0; c < channels; ++c) {
            for (Index p = 0; p < pixels; ++p) x[p * channels + c] = static_cast<Scalar>(*bytes++);
        }
    }

    std::vector<RecordFile> files_;
    Shape sample_;
    RecordLayout layout_;
    Tensor<std::uint8_t> labels_;
    mutable Mutex mutex_;  ///< of the places in the files
};

}  // namespace weft::detail
