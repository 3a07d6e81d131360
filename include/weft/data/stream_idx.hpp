/// \file
/// stream_idx: IDX files that stay on disk.
#pragma once

#include "weft/core/file_name.hpp"
#include "weft/data/detail/record_dataset.hpp"
#include "weft/data/examples.hpp"

#include <filesystem>

namespace weft {

/// Images (or other bytes) and labels in uncompressed IDX files of uint8: samples (N, ...) and
/// labels (N). Samples are read when a batch needs them, so the dataset may be larger than memory;
/// labels, one byte each, are kept. Throws IoError, which names the file, where read_idx does, and
/// unless there are as many labels as samples. Later errors of the file are thrown when a batch is
/// read.
template <class Scalar>
Examples<Scalar> stream_idx(const std::filesystem::path& images,
                            const std::filesystem::path& labels) {
    detail::RecordFile record{std::make_unique<detail::FileBytes>(images)};
    detail::FileBytes& file = *record.file;
    detail::require_not_gzip(file, "only plain files can be streamed");
    const Shape shape = detail::parse_idx_header(file, detail::idx_type<std::uint8_t>, 1);
    const Shape sample = shape.sample();
    record.first = file.size() - file.left();
    record.stride = static_cast<std::uint64_t>(sample.size());
    record.count = shape[0];

    Tensor<std::uint8_t> classes = read_idx<std::uint8_t>(labels);
    if (classes.shape() != Shape{record.count}) {
        throw IoError(concat(FileName(labels).string(), ": has shape ", classes.shape(),
                             ", expected ", Shape{record.count}, " for the samples of ",
                             FileName(images).string()));
    }
    std::vector<detail::RecordFile> files;
    files.push_back(std::move(record));
    return {std::make_shared<detail::RecordDataset<Scalar>>(
        std::move(files), sample, detail::RecordLayout::as_sample, std::move(classes))};
}

}  // namespace weft
