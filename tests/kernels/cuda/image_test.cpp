#include "weft/kernels/cuda/image.hpp"

#include "tests/support/cuda.hpp"
#include "tests/support/random_tensor.hpp"
#include "weft/core/random.hpp"
#include "weft/data/detail/change_image.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>

using namespace weft;

namespace {

constexpr double not_there = -7;

/// One of all kinds, with random numbers.
ImageChange random_change(const Shape& image, Index i) {
    const RandomStream random(9, RandomPurpose::user);
    const auto place = static_cast<std::uint64_t>(i) << 8;
    const auto number = [&](std::uint64_t k, double low, double high) {
        return random.uniform(place + k, low, high);
    };
    const auto below = [&](std::uint64_t k, Index bound) {
        return static_cast<std::int32_t>(
            random.below(place + k, static_cast<std::uint64_t>(bound)));
    };
    ImageChange change{.kind = static_cast<ImageChange::Kind>(i % 5),
                       .interpolation = static_cast<Interpolation>(below(0, 2)),
                       .fill_mode = static_cast<FillMode>(below(1, 4)),
                       .flips_rows = random.bernoulli(place + 2, 0.5),
                       .flips_columns = random.bernoulli(place + 3, 0.5),
                       .rows = below(4, image[0]) + 1,
                       .columns = below(5, image[1]) + 1,
                       .value = not_there};
    change.top = below(6, image[0] - change.rows + 1);
    change.left = below(7, image[1] - change.columns + 1);
    change.map = {.yy = number(8, -2, 2),
                  .yx = number(9, -1, 1),
                  .dy = number(10, -5, 5),
                  .xy = number(11, -1, 1),
                  .xx = number(12, -2, 2),
                  .dx = number(13, -5, 5)};
    if (change.kind == ImageChange::Kind::shift) {
        change.value = number(14, -1, 1);
        change.low = -0.5;
        change.high = 0.75;
    }
    return change;
}

/// Images that are changed on a GPU, as many changes each, which begin with those of image `first`.
template <class Scalar>
Tensor<Scalar> change_on_gpu(const Tensor<Scalar>& images, std::span<const ImageChange> changes,
                             Index per_image, std::int32_t first) {
    Cuda device;
    Tensor<std::uint8_t> bytes({static_cast<Index>(changes.size_bytes())});
    std::memcpy(bytes.data(), changes.data(), changes.size_bytes());
    const auto on_gpu = on_device<std::uint8_t>(device, bytes);
    const auto first_on_gpu = on_device<std::int32_t>(device, Tensor<std::int32_t>({1}, {first}));
    auto x = to_cuda(device, images);
    kernels::change_images<Scalar>(device, images.shape().sample(), images.shape()[0], per_image,
                                   reinterpret_cast<const ImageChange*>(on_gpu.data()),
                                   first_on_gpu.data(), x.data());
    return from_cuda(device, x);
}

}  // namespace

TEST_CASE_TEMPLATE("images are changed on a GPU as on the CPU", Scalar, float, double) {
    // Coordinates are computed in double on both, so numbers differ by the rounding of the mean of
    // four pixels alone: three products and sums, each change adding its own.
    const double bound = std::is_same_v<Scalar, float> ? 1e-5 : 1e-14;
    for (const Shape& image : {Shape{6, 7, 2}, {1, 1, 1}, {28, 28, 1}, {33, 2, 3}, {1, 300, 1}}) {
        for (const Index per_image : {1, 5}) {
            CAPTURE(image);
            CAPTURE(per_image);
            constexpr Index count = 10, before = 3;
            std::vector<ImageChange> changes;
            for (Index i = 0; i < (before + count) * per_image; ++i) {
                changes.push_back(random_change(image, i));
            }
            const auto images = random_normal<Scalar>(image.batch(count), 1);
            Tensor<Scalar> expected = images;
            for (Index n = 0; n < count; ++n) {
                for (Index k = 0; k < per_image; ++k) {
                    detail::change_image(
                        TensorView<Scalar>(expected.slice(n, 1).data(), image),
                        changes[static_cast<std::size_t>((before + n) * per_image + k)]);
                }
            }
            in_each_order([&] {
                const auto changed = change_on_gpu<Scalar>(images, changes, per_image, before);
                CHECK(largest_gap(changed, expected, 0.1) < bound);
            });
        }
    }
}

TEST_CASE("no images and no changes are nothing to do on a GPU") {
    const auto images = random_normal<float>({2, 3, 3, 1}, 1);
    CHECK(identical(change_on_gpu<float>(images, {}, 0, 0), images));
    CHECK(change_on_gpu<float>(Tensor<float>({0, 3, 3, 1}), {}, 0, 0).size() == 0);
}
