/// \file
/// Splits: which samples to train on and which to test with; and one-hot labels.
#pragma once

#include "weft/core/random.hpp"
#include "weft/core/tensor.hpp"

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

namespace weft {

/// Indices of samples, in two parts that have none in common.
struct SplitIndices {
    std::vector<Index> train;
    std::vector<Index> test;
};

namespace detail {

/// The samples of each class, each class in random order. Throws ArgumentError for a negative
/// label.
template <class Label>
std::vector<std::vector<Index>> shuffled_classes(std::span<const Label> labels,
                                                 std::uint64_t seed) {
    std::vector<std::vector<Index>> classes;
    for (std::size_t i = 0; i < labels.size(); ++i) {
        const auto label = static_cast<Index>(labels[i]);
        if (label < 0) throw ArgumentError(concat("split: label ", i, " is ", label, ", below 0"));
        if (static_cast<std::size_t>(label) >= classes.size()) {
            classes.resize(static_cast<std::size_t>(label) + 1);
        }
        classes[static_cast<std::size_t>(label)].push_back(static_cast<Index>(i));
    }
    for (std::size_t c = 0; c < classes.size(); ++c) {
        RandomStream(seed, RandomPurpose::split, static_cast<std::uint32_t>(c))
            .shuffle(std::span<Index>(classes[c]));
    }
    return classes;
}

}  // namespace detail

/// Puts test_share of each class into test, rounded to whole samples, the rest into train; which
/// ones, the seed decides. Both come in ascending order. Throws ArgumentError unless 0 < test_share
/// < 1.
template <class Label>
SplitIndices stratified_split(std::span<const Label> labels, double test_share,
                              std::uint64_t seed = 0) {
    if (!(test_share > 0 && test_share < 1)) {
        throw ArgumentError(concat("stratified_split: test_share is ", test_share,
                                   ", expected a number between 0 and 1"));
    }
    SplitIndices split;
    for (const auto& samples : detail::shuffled_classes(labels, seed)) {
        const auto test = static_cast<std::ptrdiff_t>(
            std::llround(test_share * static_cast<double>(samples.size())));
        split.test.insert(split.test.end(), samples.begin(), samples.begin() + test);
        split.train.insert(split.train.end(), samples.begin() + test, samples.end());
    }
    std::ranges::sort(split.train);
    std::ranges::sort(split.test);
    return split;
}

/// Cuts the samples into that many folds, each with its share of every class, to within one sample;
/// entry k has fold k as test and the others as train. Throws ArgumentError for fewer than 2 folds
/// and for more than the smallest class has samples.
template <class Label>
std::vector<SplitIndices> stratified_k_fold(std::span<const Label> labels, Index folds,
                                            std::uint64_t seed = 0) {
    if (folds < 2) {
        throw ArgumentError(concat("stratified_k_fold: folds is ", folds, ", expected at least 2"));
    }
    std::vector<Index> fold_of(labels.size());
    // Dealing goes on from class to class where it stopped, so that folds differ by one at most.
    Index next = 0;
    const auto classes = detail::shuffled_classes(labels, seed);
    for (std::size_t c = 0; c < classes.size(); ++c) {
        const auto size = static_cast<Index>(classes[c].size());
        if (size > 0 && size < folds) {
            throw ArgumentError(concat("stratified_k_fold: folds is ", folds, ", but class ", c,
                                       " has ", size, " samples"));
        }
        for (const Index sample : classes[c]) {
            fold_of[static_cast<std::size_t>(sample)] = next++ % folds;
        }
    }
    std::vector<SplitIndices> splits(static_cast<std::size_t>(folds));
    for (std::size_t i = 0; i < labels.size(); ++i) {
        for (std::size_t fold = 0; fold < splits.size(); ++fold) {
            auto& part =
                fold_of[i] == static_cast<Index>(fold) ? splits[fold].test : splits[fold].train;
            part.push_back(static_cast<Index>(i));
        }
    }
    return splits;
}

/// The mean of some numbers and their standard deviation around it.
struct MeanAndDeviation {
    double mean = 0;
    double deviation = 0;
};

/// Of the scores of the folds of a cross-validation:
///   mean = 1/n sum x,   deviation = sqrt(1/(n - 1) sum (x - mean)^2), 0 for n = 1.
/// Throws ArgumentError when there are none.
inline MeanAndDeviation mean_and_deviation(std::span<const double> x) {
    if (x.empty()) throw ArgumentError("mean_and_deviation: no numbers, expected at least 1");
    const auto n = static_cast<double>(x.size());
    double sum = 0, squares = 0;
    for (const double value : x) sum += value;
    const double mean = sum / n;
    for (const double value : x) squares += (value - mean) * (value - mean);
    return {mean, x.size() == 1 ? 0 : std::sqrt(squares / (n - 1))};
}

/// The elements of those indices of the first axis: a copy.   x (N, ...) -> (indices, ...)
template <class T>
Tensor<T> take(TensorView<const T> x, std::span<const Index> indices) {
    Tensor<T> y(x.shape().sample().batch(static_cast<Index>(indices.size())));
    for (std::size_t i = 0; i < indices.size(); ++i) {
        std::ranges::copy(x.sample(indices[i]), y.sample(static_cast<Index>(i)).begin());
    }
    return y;
}

/// One-hot rows:  y_nc = 1 where c is label n, else 0.   labels (N) -> y (N, classes)
/// Throws ArgumentError for a label outside 0 ... classes - 1.
template <class Scalar, class Label>
Tensor<Scalar> one_hot(std::span<const Label> labels, Index classes) {
    Tensor<Scalar> y({static_cast<Index>(labels.size()), classes});
    for (std::size_t n = 0; n < labels.size(); ++n) {
        const auto label = static_cast<Index>(labels[n]);
        if (label < 0 || label >= classes) {
            throw ArgumentError(
                concat("one_hot: label ", n, " is ", label, ", expected 0 ... ", classes - 1));
        }
        y(static_cast<Index>(n), label) = 1;
    }
    return y;
}

}  // namespace weft
