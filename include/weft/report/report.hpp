/// \file
/// write_report: a training run as a page and as pictures. Compiled in src/report/report.cpp, a
/// part of weft::report.
#pragma once

#include "weft/report/run_report.hpp"

#include <filesystem>

namespace weft {
inline namespace WEFT_BUILD_NAMESPACE {  // a report's tensors are of one build

/// Writes index.html into a directory, which is created if missing. The page needs no other file
/// and no network. It shows the run's figures with 95 % intervals, curves of all scores, the
/// confusion matrix (up to 100 classes), scores of each class, pictures of the data, the first test
/// samples with their predictions, the worst mistakes and the filters. Its pictures are also
/// written to files: curves.svg, grid.svg, samples.svg, predictions.svg, mistakes.svg, filters.svg.
/// Each file is replaced as a whole. Files of an earlier report that this one does not have are
/// removed.
///
///   write_report("report", {.summary = model.summary(),
///                           .history = history,
///                           .test = {images, labels},
///                           .predictions = model.predict(images)});
///
/// For a model with several inputs or outputs, scores and curves are of all outputs; the rest is of
/// one input and one output, RunReport::input and output.
///
/// Throws IoError when a file cannot be written. Before any is written, throws ShapeError or
/// ArgumentError for predictions that are not probabilities of the test samples, labels that are
/// not classes, or another number of class names.
void write_report(const std::filesystem::path& directory, const RunReport& run);

}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft
