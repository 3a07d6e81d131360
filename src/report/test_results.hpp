/// \file
/// The classification of the test samples, and the sheets that show it.
#pragma once

#include "class_names.hpp"
#include "sheet.hpp"

#include "weft/metrics/classification_report.hpp"
#include "weft/report/run_report.hpp"

#include <optional>

namespace weft::detail {

/// The classification of the test samples.
struct Classified {
    std::vector<Index> labels;
    std::vector<Index> predicted;
    ClassificationReport report;
};

/// Throws as write_report; empty if there are no predictions.
inline std::optional<Classified> classified(const RunReport& run) {
    const Tensor<float>& p = run.predictions;
    if (p.size() == 0) return std::nullopt;
    const Index samples = run.test ? run.test->size() : 0;
    if (p.shape().rank() != 2 || p.shape()[0] != samples || p.shape()[1] < 2) {
        throw ShapeError(concat("report: predictions have shape ", p.shape(), ", expected (",
                                samples, ", classes), a row for each test sample"));
    }
    const Index classes = p.shape()[1];
    if (!run.class_names.empty() && std::ssize(run.class_names) != classes) {
        throw ArgumentError(concat("report: there are ", run.class_names.size(),
                                   " class names, expected ", classes));
    }
    for (Index i = 0; i < p.size(); ++i) {
        if (p[i] < -1e-3f || p[i] > 1 + 1e-3f) {
            throw ArgumentError(concat("report: prediction ", i % classes, " of test sample ",
                                       i / classes, " is ", p[i], ", expected a probability"));
        }
    }
    std::vector<Index> labels = class_indices(*run.test, first_samples(samples, samples));
    ClassificationReport report(p, labels);
    std::vector<Index> predicted;
    for (Index i = 0; i < samples; ++i) {
        predicted.push_back(kernels::argmax(p.sample(i).data(), classes));
    }
    return Classified{std::move(labels), std::move(predicted), std::move(report)};
}

/// Pictures of the training set, `label : class name` below each, or the name alone.
inline Sheet training_sheet(const RunReport& run, std::string title,
                            const std::vector<Index>& samples, bool numbers) {
    Sheet sheet{std::move(title)};
    const ClassNames names(run.class_names);
    for (LabelledPicture& picture : labelled_pictures(*run.train, samples, run.white)) {
        const std::string name = names[picture.label];
        sheet.cells.push_back({std::move(picture.pixels),
                               concat("Training sample ", picture.sample, ": ", name),
                               numbers ? names.with_number(picture.label) : name, ""});
    }
    return sheet;
}

/// Test samples with the model's predictions.
inline Sheet prediction_sheet(const RunReport& run, const Classified& test, std::string title,
                              const std::vector<Index>& samples) {
    Sheet sheet{std::move(title), 3, "wide"};
    const ClassNames names(run.class_names);
    for (LabelledPicture& picture : labelled_pictures(*run.test, samples, run.white)) {
        const Index predicted = test.predicted[static_cast<std::size_t>(picture.sample)];
        const TensorView<const float> probabilities = run.predictions.sample(picture.sample);
        const std::string truth = names[picture.label];
        const std::string confidence = per_cent(static_cast<double>(probabilities[predicted]));
        std::string text = "Probabilities:";
        for (Index c = 0; c < probabilities.size(); ++c) {
            if (probabilities[c] < 0.005f) continue;  // 0 %
            text +=
                concat(" ", names[c], " ", per_cent(static_cast<double>(probabilities[c])), ";");
        }
        sheet.cells.push_back({std::move(picture.pixels),
                               concat("Test sample ", picture.sample, ": ", truth),
                               concat(names[predicted], " ", confidence, " (", truth, ")"),
                               predicted == picture.label ? "right" : "wrong",
                               probability_bars(probabilities, predicted, picture.label), text});
    }
    return sheet;
}

/// The misclassified test samples with the most confidence, at most `count`.
inline std::vector<Index> worst_mistakes(const RunReport& run, const Classified& test,
                                         std::size_t count) {
    std::vector<std::pair<float, Index>> wrong;
    for (std::size_t i = 0; i < test.labels.size(); ++i) {
        if (test.predicted[i] == test.labels[i]) continue;
        const float confidence = run.predictions(static_cast<Index>(i), test.predicted[i]);
        wrong.emplace_back(std::isnan(confidence) ? 0 : -confidence, static_cast<Index>(i));
    }
    std::ranges::sort(wrong);
    std::vector<Index> samples;
    for (std::size_t i = 0; i < (std::min)(count, wrong.size()); ++i) {
        samples.push_back(wrong[i].second);
    }
    return samples;
}

/// The filters, all on one scale: their mean over the channels, from blue to red.
inline Sheet filter_sheet(const Tensor<float>& kernel) {
    Sheet sheet{"Filters of the first convolution", 8, "small"};
    if (kernel.size() == 0) return sheet;
    if (kernel.shape().rank() != 4) {
        throw ShapeError(concat("report: filters have shape ", kernel.shape(),
                                ", expected (kh, kw, C, filters)"));
    }
    double scale = 0;
    for (const float weight : kernel)
        scale = (std::max)(scale, static_cast<double>(std::abs(weight)));
    for (Index f = 0; f < kernel.shape()[3]; ++f) {
        sheet.cells.push_back(
            {filter_pixels(kernel, f, scale), concat("Filter ", f), concat(f), ""});
    }
    return sheet;
}

}  // namespace weft::detail
