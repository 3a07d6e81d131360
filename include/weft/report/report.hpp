/// \file
/// write_report: a training run as a page and as pictures. Compiled in src/report/report.cpp, which
/// weft::report brings along.
#pragma once

#include "weft/report/run_report.hpp"

#include <filesystem>

namespace weft {
inline namespace WEFT_BUILD_NAMESPACE {  // a report's tensors are of one build

/// Writes index.html into the directory, which is made if it is missing: a page that needs no other
/// file and no network, with the run's figures and their 95 % intervals, curves of all scores,
/// confusion matrix (of up to 100 classes), scores of each class, pictures of the data, the first
/// test samples with their predictions, the worst mistakes and the filters. Its pictures are also
/// written as files of their own: curves.svg, grid.svg, samples.svg, predictions.svg, mistakes.svg,
/// filters.svg. Each file is the old one or all of the new one at any moment; one that an earlier
/// report left and this one does not have is removed.
///
///   write_report("report", {.summary = model.summary(),
///                           .history = history,
///                           .test = {images, labels},
///                           .predictions = model.predict(images)});
///
/// Of a model with several inputs or outputs, scores and curves are of all of them, the rest of one
/// input and one output: RunReport::input and output.
///
/// Throws IoError when a file cannot be written; ShapeError or ArgumentError, before any is, for
/// predictions that are not probabilities of the test samples, labels that are not classes, or
/// another number of class names.
void write_report(const std::filesystem::path& directory, const RunReport& run);

}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft
