/// \file
/// RandomErasing: images with a rectangle erased.
#pragma once

#include "weft/data/augmentation.hpp"

#include <cmath>

namespace weft {

/// Fills a rectangle of the image with one value. Drawn at random are its area, a share of the
/// image's from `scale`; its ratio of height to width, from 1/3 to 3, uniform in its logarithm; and
/// its place, uniform inside the image. A side longer than the image's is cut.
/// Source: Zhong, Zheng, Kang, Li and Yang, "Random erasing data augmentation" (2017),
/// arXiv:1708.04896, algorithm 1, which draws again if a rectangle does not fit and is uniform in
/// the ratio itself.
struct RandomErasing {
    double factor = 1;                 ///< the probability that an image loses a part
    FactorRange scale = {0.02, 0.33};  ///< within 0 and 1
    double fill_value = 0;             ///< of the erased pixels

    ImageChange change(const Shape& image, const AugmentationRandom& random) const {
        if (!random.bernoulli(0, factor)) return {};
        const Index height = image[0], width = image[1];
        const double area = random.uniform(1, scale) * static_cast<double>(height * width);
        const double ratio = std::exp(random.uniform(2, std::log(3.0)));
        const auto side = [](double length, Index most) {
            return static_cast<std::int32_t>(std::clamp<Index>(std::llround(length), 1, most));
        };
        const auto place = [&](std::uint32_t i, Index free) {
            const double drawn = random.uniform(i, {0, static_cast<double>(free + 1)});
            return static_cast<std::int32_t>((std::min)(static_cast<Index>(drawn), free));
        };
        ImageChange change{.kind = ImageChange::Kind::fill,
                           .rows = side(std::sqrt(area * ratio), height),
                           .columns = side(std::sqrt(area / ratio), width),
                           .value = fill_value};
        change.top = place(3, height - change.rows);
        change.left = place(4, width - change.columns);
        return change;
    }

    void check() const {
        detail::require_option(factor >= 0 && factor <= 1, "RandomErasing", "factor", factor,
                               "a probability");
        detail::require_range("RandomErasing", "scale", scale, 0, 1);
        detail::require_fill_value("RandomErasing", fill_value);
    }
};

}  // namespace weft
