/// \file
/// CIFAR-10: 60,000 small colour pictures in ten classes, in its binary file format.
#pragma once

#include "weft/core/file_name.hpp"
#include "weft/data/detail/record_dataset.hpp"
#include "weft/data/examples.hpp"

#include <filesystem>

namespace weft {

/// The names of the classes; label i means cifar10_classes[i].
inline constexpr std::array<std::string_view, 10> cifar10_classes{
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"};

/// Source: Krizhevsky, "Learning multiple layers of features from tiny images" (2009); the file
/// format at https://www.cs.toronto.edu/~kriz/cifar.html, "Binary version".
struct Cifar10 {
    Tensor<std::uint8_t> train_images;  ///< (N, 32, 32, 3): red, green, blue
    Tensor<std::uint8_t> train_labels;  ///< (N), from 0 to 9
    Tensor<std::uint8_t> test_images;   ///< (M, 32, 32, 3)
    Tensor<std::uint8_t> test_labels;   ///< (M)
};

namespace detail {

inline constexpr Index cifar10_pixels = 32 * 32;
inline constexpr std::uint64_t cifar10_record_bytes = 1 + 3 * cifar10_pixels;

/// Opens the files; a record is a label and three planes. Throws IoError unless each file holds
/// whole records with labels below 10.
WEFT_COLD inline std::vector<RecordFile> open_cifar10(std::span<const std::filesystem::path> paths,
                                                      Tensor<std::uint8_t>& labels) {
    std::vector<RecordFile> files;
    Index count = 0;
    for (const auto& path : paths) {
        RecordFile record{std::make_unique<FileBytes>(path), 1, cifar10_record_bytes};
        const std::uint64_t size = record.file->size();
        if (size == 0 || size % cifar10_record_bytes != 0) {
            throw IoError(concat(FileName(path).string(), ": holds ", size,
                                 " bytes, expected records of ", cifar10_record_bytes));
        }
        record.count = static_cast<Index>(size / cifar10_record_bytes);
        count += record.count;
        files.push_back(std::move(record));
    }
    labels = Tensor<std::uint8_t>(Shape{count});
    std::uint8_t* label = labels.data();
    for (RecordFile& record : files) {
        for (Index i = 0; i < record.count; ++i, ++label) {
            const std::uint64_t byte = static_cast<std::uint64_t>(i) * record.stride;
            record.file->seek(byte);
            record.file->read(label, 1);
            if (*label < cifar10_classes.size()) continue;
            throw IoError(concat(record.file->name(), ": the label of record ", i, ", byte ", byte,
                                 ", is ", *label, ", expected 0 to ", cifar10_classes.size() - 1));
        }
    }
    return files;
}

}  // namespace detail

/// The pictures in the files, in order, read when a batch needs them. A record is a label, then
/// 32 x 32 bytes each of red, green and blue. Throws IoError, which names the file, when one is
/// missing or does not hold whole records; for a label above 9 it names the byte as well.
template <class Scalar>
Examples<Scalar> stream_cifar10(std::span<const std::filesystem::path> paths) {
    Tensor<std::uint8_t> labels;
    auto files = detail::open_cifar10(paths, labels);
    return {std::make_shared<detail::RecordDataset<Scalar>>(std::move(files), Shape{32, 32, 3},
                                                            detail::RecordLayout::channels_first,
                                                            std::move(labels))};
}

/// Loads data_batch_1.bin ... data_batch_5.bin and test_batch.bin from that directory. Throws
/// IoError as stream_cifar10 does.
WEFT_COLD inline Cifar10 load_cifar10(const std::filesystem::path& directory) {
    const auto load = [](std::span<const std::filesystem::path> paths, auto& images, auto& labels) {
        auto files = detail::open_cifar10(paths, labels);
        images = Tensor<std::uint8_t>({labels.size(), 32, 32, 3});
        const detail::RecordDataset<std::uint8_t> records(
            std::move(files), {32, 32, 3}, detail::RecordLayout::channels_first, labels);
        for (Index i = 0; i < labels.size(); ++i) {
            records.gather({&i, 1}, images.sample(i).data(), nullptr);
        }
    };
    std::vector<std::filesystem::path> train;
    for (int i = 1; i <= 5; ++i) train.push_back(directory / concat("data_batch_", i, ".bin"));
    const std::filesystem::path test = directory / "test_batch.bin";
    Cifar10 data;
    load(train, data.train_images, data.train_labels);
    load({&test, 1}, data.test_images, data.test_labels);
    return data;
}

}  // namespace weft
