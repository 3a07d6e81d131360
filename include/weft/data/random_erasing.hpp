/// \file
/// RandomErasing: pictures with a part hidden.
#pragma once

#include "weft/data/augmentation.hpp"

#include <cmath>

namespace weft {

/// Fills a rectangle of the image with one value. Its area is drawn from scale, as a share of the
/// image's, its ratio of height to width from 1/3 ... 3 uniformly in its logarithm, its place
/// uniformly among those where it lies inside; a side longer than the image's is cut to that.
/// Source: Zhong, Zheng, Kang, Li and Yang, "Random erasing data augmentation" (2017),
/// arXiv:1708.04896, algorithm 1, which draws again where a rectangle does not fit and is uniform
/// in the ratio itself.
struct RandomErasing {
    double factor = 1;                 ///< the probability that an image loses a part
    FactorRange scale = {0.02, 0.33};  ///< within 0 and 1
    double fill_value = 0;

    template <class Scalar>
    void apply(TensorView<Scalar> image, const AugmentationRandom& random) const {
        if (!random.bernoulli(0, factor)) return;
        const Index height = image.shape()[0], width = image.shape()[1],
                    channels = image.shape()[2];
        const double area = random.uniform(1, scale) * static_cast<double>(height * width);
        const double ratio = std::exp(random.uniform(2, std::log(3.0)));
        const auto side = [](double length, Index most) {
            return std::clamp<Index>(std::llround(length), 1, most);
        };
        const auto place = [&](std::uint32_t i, Index free) {
            const double drawn = random.uniform(i, {0, static_cast<double>(free + 1)});
            return (std::min)(static_cast<Index>(drawn), free);
        };
        const Index rows = side(std::sqrt(area * ratio), height);
        const Index columns = side(std::sqrt(area / ratio), width);
        const Index top = place(3, height - rows), left = place(4, width - columns);
        for (Index h = top; h < top + rows; ++h) {
            Scalar* row = image.data() + (h * width + left) * channels;
            std::fill_n(row, columns * channels, static_cast<Scalar>(fill_value));
        }
    }

    void check() const {
        detail::require_option(factor >= 0 && factor <= 1, "RandomErasing", "factor", factor,
                               "a probability");
        detail::require_range("RandomErasing", "scale", scale, 0, 1);
        detail::require_option(std::isfinite(fill_value), "RandomErasing", "fill_value", fill_value,
                               "a finite number");
    }
};

}  // namespace weft
