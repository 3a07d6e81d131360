/// \file
/// Splits of samples for training and testing, and one-hot labels.
#pragma once

#include "weft/core/eigen.hpp"
#include "weft/core/random.hpp"
#include "weft/core/summation.hpp"

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

namespace weft {

/// Indices of samples in two disjoint parts.
struct SplitIndices {
    std::vector<Index> train;  ///< places of the samples to train on
    std::vector<Index> test;   ///< places of the samples held back
};

namespace detail {

/// A label as an index. Throws ArgumentError unless it is a whole number of at least 0.
template <class Label>
Index class_index(std::string_view who, Index i, Label label) {
    const auto number = static_cast<double>(label);
    if (!(number >= 0 && number < 0x1p63) || number != std::floor(number)) {
        throw ArgumentError(
            join({who, ": label ", i, " is ", number, ", expected a whole number of at least 0"}));
    }
    return static_cast<Index>(label);
}

struct ClassSamples {
    Index label = 0;
    std::vector<Index> samples = {};
};

/// The samples of each class, classes ordered by label, samples in random order. Throws
/// ArgumentError for a label that is not an index.
template <class Label>
std::vector<ClassSamples> shuffled_classes(TensorView<Label> labels, std::uint64_t seed) {
    std::vector<ClassSamples> classes;
    for (Index i = 0; i < labels.size(); ++i) {
        const Index label = class_index("split", i, labels[i]);
        auto found = std::lower_bound(
            classes.begin(), classes.end(), label,
            [](const ClassSamples& known, Index other) { return known.label < other; });
        if (found == classes.end() || found->label != label) {
            found = classes.insert(found, {label});
        }
        found->samples.push_back(i);
    }
    for (auto& [label, samples] : classes) {
        RandomStream(seed, RandomPurpose::split, static_cast<std::uint32_t>(label))
            .shuffle(samples);
    }
    return classes;
}

}  // namespace detail

/// Puts a random test_share of each class, rounded to whole samples, into test and the rest into
/// train; the seed decides which. Both are in ascending order. Throws ArgumentError unless
/// 0 < test_share < 1.
///
/// labels: class indices as a tensor, vector, span or Eigen vector.
template <class Labels>
SplitIndices stratified_split(const Labels& labels, double test_share, std::uint64_t seed = 0) {
    detail::require_option(test_share > 0 && test_share < 1, "stratified_split", "test_share",
                           test_share, "a number between 0 and 1");
    SplitIndices split;
    for (const auto& [label, samples] : detail::shuffled_classes(as_view(labels), seed)) {
        const auto test = static_cast<std::ptrdiff_t>(
            std::llround(test_share * static_cast<double>(samples.size())));
        split.test.insert(split.test.end(), samples.begin(), samples.begin() + test);
        split.train.insert(split.train.end(), samples.begin() + test, samples.end());
    }
    std::sort(split.train.begin(), split.train.end());
    std::sort(split.test.begin(), split.test.end());
    return split;
}

/// Splits the samples into folds, each with its share of every class to within one sample. Entry k
/// has fold k as test and the others as train. Throws ArgumentError for fewer than 2 folds, or more
/// than the smallest class has samples.
template <class Labels>
std::vector<SplitIndices> stratified_k_fold(const Labels& labels, Index folds,
                                            std::uint64_t seed = 0) {
    detail::require_option(folds >= 2, "stratified_k_fold", "folds", static_cast<double>(folds),
                           "at least 2");
    const auto samples_of = detail::shuffled_classes(as_view(labels), seed);
    std::vector<Index> fold_of(static_cast<std::size_t>(as_view(labels).size()));
    // Dealing continues from class to class where it stopped: sizes of folds differ by one at most.
    Index next = 0;
    for (const auto& [label, samples] : samples_of) {
        const auto size = static_cast<Index>(samples.size());
        if (size < folds) {
            throw ArgumentError(detail::join({"stratified_k_fold: folds is ", folds, ", but class ",
                                              label, " has ", size, " samples"}));
        }
        for (const Index sample : samples) {
            fold_of[static_cast<std::size_t>(sample)] = next++ % folds;
        }
    }
    std::vector<SplitIndices> splits(static_cast<std::size_t>(folds));
    for (std::size_t i = 0; i < fold_of.size(); ++i) {
        for (std::size_t fold = 0; fold < splits.size(); ++fold) {
            auto& part =
                fold_of[i] == static_cast<Index>(fold) ? splits[fold].test : splits[fold].train;
            part.push_back(static_cast<Index>(i));
        }
    }
    return splits;
}

/// The mean and standard deviation of numbers.
struct MeanAndDeviation {
    double mean = 0;       ///< of all numbers
    double deviation = 0;  ///< its square is the variance
};

/// The mean and deviation of numbers, such as the scores of a cross-validation:
///   mean = 1/n sum x,   deviation = sqrt(1/(n - 1) sum (x - mean)^2), 0 for n = 1.
/// Sums are pairwise: their error is at most (259 + log2(n / 256)) 2^-53 times the sum of the
/// magnitudes. Throws ArgumentError for an empty x.
inline MeanAndDeviation mean_and_deviation(std::span<const double> x) {
    if (x.empty()) throw ArgumentError("mean_and_deviation: no numbers, expected at least 1");
    const auto n = static_cast<double>(x.size());
    const auto sum = [&](const auto& term) {
        return detail::pairwise_sum(static_cast<Index>(x.size()), [&](Index begin, Index end) {
            double result = 0;
            for (Index i = begin; i < end; ++i) result += term(x[static_cast<std::size_t>(i)]);
            return result;
        });
    };
    const double mean = sum([](double value) { return value; }) / n;
    const double squares = sum([=](double value) { return (value - mean) * (value - mean); });
    return {mean, x.size() == 1 ? 0 : std::sqrt(squares / (n - 1))};
}

/// A copy of the given entries of the first axis.   x (N, ...) -> (indices, ...)
/// Throws ArgumentError for an index outside 0 ... N - 1.
template <class T>
Tensor<T> take(TensorView<const T> x, std::span<const Index> indices) {
    Tensor<T> y(x.shape().sample().batch(static_cast<Index>(indices.size())));
    for (std::size_t i = 0; i < indices.size(); ++i) {
        if (indices[i] < 0 || indices[i] >= x.shape()[0]) {
            throw ArgumentError(detail::join(
                {"take: index ", i, " is ", indices[i], ", expected 0 ... ", x.shape()[0] - 1}));
        }
        const auto sample = x.sample(indices[i]);
        std::copy(sample.begin(), sample.end(), y.sample(static_cast<Index>(i)).begin());
    }
    return y;
}

/// One-hot rows:  y_nc = 1 where c is label n, else 0.   labels (N) -> y (N, classes)
/// Throws ArgumentError for a label outside 0 ... classes - 1.
template <class Scalar, class Labels>
Tensor<Scalar> one_hot(const Labels& labels, Index classes) {
    const auto view = as_view(labels);
    Tensor<Scalar> y({view.size(), classes});
    for (Index n = 0; n < view.size(); ++n) {
        const Index label = detail::class_index("one_hot", n, view[n]);
        if (label >= classes) {
            throw ArgumentError(detail::join(
                {"one_hot: label ", n, " is ", label, ", expected 0 ... ", classes - 1}));
        }
        y(n, label) = 1;
    }
    return y;
}

}  // namespace weft
