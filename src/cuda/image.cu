/// \file
/// Kernels of kernels/cuda/image.hpp.
#include "weft/kernels/cuda/image.hpp"

#include "launch.cuh"

#include <cmath>

namespace weft::kernels {
namespace {

struct Image {
    int height, width, channels;

    __host__ __device__ int size() const { return height * width * channels; }
};

/// The pixels of an image, and what is beyond them.
template <class Scalar>
struct Pixels {
    Image image;
    const Scalar* x;
    FillMode fill_mode;
    Scalar fill_value;

    __device__ Scalar at(Index row, Index column, int channel) const {
        const Index h = detail::filled_index(row, image.height, fill_mode);
        const Index w = detail::filled_index(column, image.width, fill_mode);
        return h < 0 || w < 0 ? fill_value : x[(h * image.width + w) * image.channels + channel];
    }
};

/// Element (h, w, c) of an image after its pixels were moved. Each product is rounded, as on a CPU
/// without fused multiply-adds.
template <class Scalar>
__device__ Scalar moved(const ImageChange& change, const Pixels<Scalar>& before, int h, int w,
                        int c) {
    const Image& image = before.image;
    if (change.kind == ImageChange::Kind::flip) {
        return before.at(change.flips_rows ? image.height - 1 - h : h,
                         change.flips_columns ? image.width - 1 - w : w, c);
    }
    const ImageMap& map = change.map;
    const double center_y = static_cast<double>(image.height - 1) / 2;
    const double center_x = static_cast<double>(image.width - 1) / 2;
    const double down = h - center_y, right = w - center_x;
    const double y = __dmul_rn(map.yy, down) + __dmul_rn(map.yx, right) + map.dy + center_y;
    const double x = __dmul_rn(map.xy, down) + __dmul_rn(map.xx, right) + map.dx + center_x;
    if (change.interpolation == Interpolation::nearest) {
        return before.at(static_cast<Index>(floor(y + 0.5)), static_cast<Index>(floor(x + 0.5)), c);
    }
    const double top = floor(y), left = floor(x);
    const auto i = static_cast<Index>(top), j = static_cast<Index>(left);
    const auto v = static_cast<Scalar>(y - top), u = static_cast<Scalar>(x - left);
    const Scalar above = (1 - u) * before.at(i, j, c) + u * before.at(i, j + 1, c);
    const Scalar below = (1 - u) * before.at(i + 1, j, c) + u * before.at(i + 1, j + 1, c);
    return (1 - v) * above + v * below;
}

/// What stays where it is, but changes.
template <class Scalar>
__device__ Scalar recolored(const ImageChange& change, Scalar x, int h, int w) {
    if (change.kind == ImageChange::Kind::fill) {
        const bool is_inside = h >= change.top && h < change.top + change.rows &&
                               w >= change.left && w < change.left + change.columns;
        return is_inside ? static_cast<Scalar>(change.value) : x;
    }
    const auto low = static_cast<Scalar>(change.low), high = static_cast<Scalar>(change.high);
    x += static_cast<Scalar>(change.value) * (high - low);
    x = x < low ? low : x;
    return high < x ? high : x;
}

/// A block changes an image, to and fro between x and `other`.
template <class Scalar>
__global__ void change_each(Image image, int per_image, const ImageChange* changes,
                            const std::int32_t* first, Scalar* x, Scalar* other) {
    const int size = image.size();
    const Index n = blockIdx.x;
    Scalar *now = x + n * size, *next = other + n * size;
    changes += (*first + n) * per_image;
    for (int k = 0; k < per_image; ++k) {
        const ImageChange& change = changes[k];
        if (change.kind == ImageChange::Kind::none) continue;
        const bool moves =
            change.kind == ImageChange::Kind::flip || change.kind == ImageChange::Kind::map;
        const Pixels<Scalar> before{image, now, change.fill_mode,
                                    static_cast<Scalar>(change.value)};
        for (int i = static_cast<int>(threadIdx.x); i < size; i += static_cast<int>(blockDim.x)) {
            const int c = i % image.channels, w = i / image.channels % image.width;
            const int h = i / image.channels / image.width;
            if (moves) {
                next[i] = moved(change, before, h, w, c);
            } else {
                now[i] = recolored(change, now[i], h, w);
            }
        }
        __syncthreads();
        if (moves) {
            Scalar* const before_it = now;
            now = next;
            next = before_it;
        }
    }
    if (now == x + n * size) return;
    for (int i = static_cast<int>(threadIdx.x); i < size; i += static_cast<int>(blockDim.x)) {
        next[i] = now[i];
    }
}

}  // namespace

template <class Scalar>
void change_images(Cuda& device, const Shape& image, Index n, Index per_image,
                   const ImageChange* changes, const std::int32_t* first, Scalar* x) {
    constexpr int threads = 256;
    const Image of{cuda::narrow(image[0]), cuda::narrow(image[1]), cuda::narrow(image[2])};
    cuda::narrow(image.size());
    const auto bytes = static_cast<std::size_t>(n * image.size()) * sizeof(Scalar);
    auto* const other = reinterpret_cast<Scalar*>(device.scratch(bytes));
    cuda::launch(device, change_each<Scalar>,
                 {dim3(static_cast<unsigned>(cuda::narrow(n))), dim3(threads)}, of,
                 cuda::narrow(per_image), changes, first, x, other);
}

template decltype(change_images<float>) change_images<float>;
template decltype(change_images<double>) change_images<double>;

}  // namespace weft::kernels
