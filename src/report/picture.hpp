/// \file
/// Pictures of samples and of filters, as pixels.
#pragma once

#include "weft/core/random.hpp"
#include "weft/data/examples.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string_view>
#include <vector>

namespace weft::detail {

/// A sample and its picture in a report.
struct LabelledPicture {
    Index sample = 0;
    Index label = 0;
    Tensor<std::uint8_t> pixels;  ///< (H, W, 1 or 3)
};

/// (H, W), (H, W, 1) or (H, W, 3).
inline bool is_picture(const Shape& shape) {
    const bool channels =
        shape.rank() == 2 || (shape.rank() == 3 && (shape[2] == 1 || shape[2] == 3));
    return channels && shape.size() > 0;
}

/// 0 for black or less, 255 for white or more; a NaN is black.
inline std::uint8_t to_pixel(double share_of_white) {
    const double value = 255 * share_of_white;
    return static_cast<std::uint8_t>(value > 0 ? (std::min)(std::round(value), 255.0) : 0);
}

/// A picture (H, W) or (H, W, C) as pixels. If a side has more than 128, each pixel is the mean of
/// a square.
inline Tensor<std::uint8_t> to_pixels(TensorView<const float> x, double white) {
    const Index height = x.shape()[0], width = x.shape()[1];
    const Index channels = x.size() / (height * width);
    const Index side = ((std::max)(height, width) + 127) / 128;
    Tensor<std::uint8_t> pixels({(height + side - 1) / side, (width + side - 1) / side, channels});
    std::uint8_t* out = pixels.data();
    for (Index i = 0; i < height; i += side) {
        for (Index j = 0; j < width; j += side) {
            for (Index c = 0; c < channels; ++c) {
                double sum = 0, count = 0;
                for (Index di = i; di < (std::min)(i + side, height); ++di) {
                    for (Index dj = j; dj < (std::min)(j + side, width); ++dj) {
                        sum += static_cast<double>(x[(di * width + dj) * channels + c]);
                        ++count;
                    }
                }
                *out++ = to_pixel(sum / count / white);
            }
        }
    }
    return pixels;
}

/// The classes of all samples. A target is a class index (), or one number per class (C), whose
/// argmax counts. Throws ShapeError for other targets, ArgumentError for a target that is not an
/// index.
inline std::vector<Index> class_indices(const Dataset<float>& data,
                                        std::span<const Index> samples) {
    const Shape target = data.target_shape();
    if (target.rank() > 1) {
        throw ShapeError(concat("report: targets have shape ", target.to_batch_string(),
                                ", expected (None,) or (None, classes)"));
    }
    const auto width = static_cast<std::size_t>(target.size());
    std::vector<float> y(samples.size() * width);
    data.gather(samples, nullptr, y.data());
    std::vector<Index> labels;
    for (std::size_t i = 0; i < samples.size(); ++i) {
        if (target.rank() == 1) {
            const auto row = std::span(y).subspan(i * width, width);
            labels.push_back(std::ranges::max_element(row) - row.begin());
        } else if (y[i] >= 0 && y[i] < 1e6f && std::floor(y[i]) == y[i]) {
            labels.push_back(static_cast<Index>(y[i]));
        } else {
            throw ArgumentError(concat("report: label ", samples[i], " is ", y[i],
                                       ", expected the index of a class"));
        }
    }
    return labels;
}

/// The pictures of the given samples.
inline std::vector<LabelledPicture> labelled_pictures(const Dataset<float>& data,
                                                      std::span<const Index> samples,
                                                      double white) {
    const std::vector<Index> labels = class_indices(data, samples);
    Tensor<float> x(data.input_shape());
    std::vector<LabelledPicture> pictures;
    for (std::size_t i = 0; i < samples.size(); ++i) {
        data.gather(samples.subspan(i, 1), x.data(), nullptr);
        pictures.push_back({samples[i], labels[i], to_pixels(x, white)});
    }
    return pictures;
}

/// The first samples, at most `count`.
inline std::vector<Index> first_samples(Index size, Index count) {
    std::vector<Index> samples;
    for (Index i = 0; i < (std::min)(size, count); ++i) samples.push_back(i);
    return samples;
}

/// Different samples in random order, at most `count`.
inline std::vector<Index> random_samples(Index size, Index count, std::uint64_t seed) {
    const RandomStream random(seed, RandomPurpose::user);
    std::vector<Index> samples;
    for (std::uint64_t draw = 0; std::ssize(samples) < (std::min)(size, count); ++draw) {
        const auto sample =
            static_cast<Index>(random.below(draw, static_cast<std::uint64_t>(size)));
        if (std::ranges::find(samples, sample) == samples.end()) samples.push_back(sample);
    }
    return samples;
}

/// Filter f of a kernel (kh, kw, C, filters) as pixels (kh, kw, 3): its mean over the channels,
/// from blue for -scale over white for 0 to red for scale.
inline Tensor<std::uint8_t> filter_pixels(TensorView<const float> kernel, Index f, double scale) {
    const Shape& shape = kernel.shape();
    Tensor<std::uint8_t> pixels({shape[0], shape[1], 3});
    std::uint8_t* out = pixels.data();
    for (Index tap = 0; tap < shape[0] * shape[1]; ++tap) {
        double mean = 0;
        for (Index c = 0; c < shape[2]; ++c) {
            mean += static_cast<double>(kernel[(tap * shape[2] + c) * shape[3] + f]);
        }
        const double share = scale > 0 ? mean / static_cast<double>(shape[2]) / scale : 0;
        const double up = (std::max)(share, 0.0), down = (std::max)(-share, 0.0);
        *out++ = to_pixel(1 - 0.25 * up - 0.95 * down);
        *out++ = to_pixel(1 - 0.9 * up - 0.55 * down);
        *out++ = to_pixel(1 - 0.85 * up - 0.25 * down);
    }
    return pixels;
}

}  // namespace weft::detail
