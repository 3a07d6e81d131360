/// \file
/// Factors of the products that a convolution is: patches of images, which are nowhere in memory, and
/// filters turned round.
#pragma once

#include "divisor.cuh"
#include "matrix.cuh"
#include "weft/kernels/convolution.hpp"

namespace weft::kernels::cuda {

/// Beyond each image, whatever is added to it.
inline constexpr int outside = 1 << 29;

/// An axis of a window, in 32 bits. Throws CudaError where sums of its numbers might not fit.
struct PatchAxis {
    int input, stride, dilation, before, output;

    explicit PatchAxis(const WindowAxis& axis)
        : input(narrow(axis.input)),
          stride(narrow(axis.stride)),
          dilation(narrow(axis.dilation)),
          before(narrow(axis.before)),
          output(narrow(axis.output)) {
        narrow((axis.input + axis.output * axis.stride + axis.extent() + axis.before) *
               (INT_MAX / outside));
    }
};

/// What all factors made of images know of a convolution.
struct PatchGeometry {
    PatchAxis rows, columns;
    Divisor taps_across, channels;  ///< of a filter, and those that lie side by side in a patch
    int positions, depth;

    /// Patches at so many places, of images with so many channels of a group.
    PatchGeometry(const Window2D& window, Index places, Index of_group)
        : rows(window.rows),
          columns(window.columns),
          taps_across(narrow(window.columns.window)),
          channels(narrow(of_group)),
          positions(narrow(places)),
          depth(narrow(window.taps() * of_group)) {}

    struct Tap {
        int y, x, channel;
    };
    /// Element k of a patch.
    __device__ Tap tap(int k) const {
        const int tap = k / channels, row = tap / taps_across;
        return {row, tap - row * taps_across.divisor(), k - tap * channels.divisor()};
    }
};

/// The patches of images, and of a group: element (position, k), position = (n, o, p), k = (i, j, c),
/// is  x_n,(o s + i d - before),(p s + j d - before),c,  0 outside of the image. Along the depth lies
/// k, or else the position.
template <class Scalar, bool along_depth_>
struct Patches : PatchGeometry {
    static constexpr bool along_depth = along_depth_;
    /// Images of 1 and of 3 channels. It costs registers, which other factors do not have left.
    static constexpr bool reads_by_lanes = along_depth_, sums_columns = false;

    const Scalar* data;
    int group_step;
    bool fours;
    int row_stride, column_stride;
    Divisor across, of_image;

    Patches(const Convolution& c, Index images, const Scalar* x)
        : PatchGeometry(c.window, images * c.window.positions(), c.group_channels()),
          data(x),
          group_step(channels.divisor()),
          fours(in_fours(x, channels.divisor())),
          row_stride(narrow(c.window.columns.input * c.window.channels)),
          column_stride(narrow(c.window.channels)),
          across(columns.output),
          of_image(narrow(c.window.positions())) {}

    /// Where a patch begins, or what a tap adds to that. Offsets wrap: they mean something inside of
    /// an image.
    struct Place {
        int y, x;
        unsigned offset;
    };
    using Outer = Place;
    using Inner = Place;

    __device__ Outer outer(int o) const { return along_depth ? position(o) : element(o); }
    __device__ Inner inner(int k) const { return along_depth ? element(k) : position(k); }
    __device__ Scalar at(const Outer& outer, const Inner& inner) const {
        return inside(outer, inner) ? data[outer.offset + inner.offset] : Scalar(0);
    }
    __device__ Four<Scalar> four(const Outer& outer, const Inner& inner) const {
        return inside(outer, inner) ? read_four(data + (outer.offset + inner.offset))
                                    : Four<Scalar>{};
    }

private:
    __device__ bool inside(const Outer& outer, const Inner& inner) const {
        return static_cast<unsigned>(outer.y + inner.y) < static_cast<unsigned>(rows.input) &&
               static_cast<unsigned>(outer.x + inner.x) < static_cast<unsigned>(columns.input);
    }
    __device__ Place position(int i) const {
        if (i >= positions) return {-outside, -outside, 0};
        const int image = i / of_image, of = i - image * of_image.divisor();
        const int row = of / across, column = of - row * across.divisor();
        const int y = row * rows.stride - rows.before;
        const int x = column * columns.stride - columns.before;
        const unsigned down = static_cast<unsigned>(image) * static_cast<unsigned>(rows.input) +
                              static_cast<unsigned>(y);
        return {y, x,
                down * static_cast<unsigned>(row_stride) +
                    static_cast<unsigned>(x) * static_cast<unsigned>(column_stride)};
    }
    __device__ Place element(int k) const {
        if (k >= depth) return {-outside, -outside, 0};
        const Tap tap = this->tap(k);
        const int y = tap.y * rows.dilation, x = tap.x * columns.dilation;
        return {y, x,
                static_cast<unsigned>(y) * static_cast<unsigned>(row_stride) +
                    static_cast<unsigned>(x) * static_cast<unsigned>(column_stride) +
                    static_cast<unsigned>(tap.channel)};
    }
};

/// The outputs' gradients that an input's gradient is made of: element (pixel, k), pixel = (n, y, x),
/// k = (i, j, f), is  g_n,((y + before - i d) / s),((x + before - j d) / s),f  where the divisions leave
/// nothing and the output is there, else 0.
template <class Scalar>
struct GradientPatches : PatchGeometry {
    static constexpr bool along_depth = true, reads_by_lanes = false, sums_columns = false;

    const Scalar* data;
    int group_step;
    bool fours;
    int filters;
    Divisor across, of_image, step_down, step_across;

    GradientPatches(const Convolution& c, Index images, const Scalar* g)
        : PatchGeometry(c.window, images * c.window.rows.input * c.window.columns.input,
                        c.group_filters()),
          data(g),
          group_step(channels.divisor()),
          fours(in_fours(g, channels.divisor())),
          filters(narrow(c.filters)),
          across(columns.input),
          of_image(narrow(c.window.rows.input * c.window.columns.input)),
          step_down(rows.stride),
          step_across(columns.stride) {}

    /// The last output that sees the pixel, in steps of one; and its image's first.
    struct Outer {
        int y, x, image;
    };
    /// How far in front of it the tap is, in steps of one.
    struct Inner {
        int y, x, filter;
    };

    __device__ Outer outer(int pixel) const {
        if (pixel >= positions) return {-outside, -outside, 0};
        const int image = pixel / of_image, of = pixel - image * of_image.divisor();
        const int row = of / across, column = of - row * across.divisor();
        return {row + rows.before, column + columns.before,
                image * rows.output * columns.output * filters};
    }
    __device__ Inner inner(int k) const {
        if (k >= depth) return {outside, outside, 0};
        const Tap tap = this->tap(k);
        return {tap.y * rows.dilation, tap.x * columns.dilation, tap.channel};
    }
    __device__ Scalar at(const Outer& outer, const Inner& inner) const {
        const int i = index(outer, inner);
        return i >= 0 ? data[i] : Scalar(0);
    }
    __device__ Four<Scalar> four(const Outer& outer, const Inner& inner) const {
        const int i = index(outer, inner);
        return i >= 0 ? read_four(data + i) : Four<Scalar>{};
    }

private:
    /// -1 where there is no such output.
    __device__ int index(const Outer& outer, const Inner& inner) const {
        const int down = outer.y - inner.y, over = outer.x - inner.x;
        if (down < 0 || over < 0) return -1;
        const int y = down / step_down, x = over / step_across;
        if (y >= rows.output || x >= columns.output) return -1;
        if (y * rows.stride != down || x * columns.stride != over) return -1;
        return outer.image + (y * columns.output + x) * filters + inner.filter;
    }
};

/// Filters for the gradient of inputs: element (c, k), k = (i, j, f), is w_ijcf.
template <class Scalar>
struct TurnedFilters {
    static constexpr bool along_depth = true, reads_by_lanes = false, sums_columns = false;

    const Scalar* data;
    int group_step;
    bool fours;
    int channels, depth, filters;
    Divisor of_group;

    TurnedFilters(const Convolution& c, const Scalar* w)
        : data(w),
          group_step(narrow(c.group_filters())),
          fours(in_fours(w, group_step)),
          channels(narrow(c.group_channels())),
          depth(narrow(c.window.taps() * c.group_filters())),
          filters(narrow(c.filters)),
          of_group(group_step) {}

    struct Outer {
        int c;
    };
    struct Inner {
        int offset;  ///< -1 beyond the last
    };

    __device__ Outer outer(int c) const { return {c}; }
    __device__ Inner inner(int k) const {
        if (k >= depth) return {-1};
        const int tap = k / of_group;
        return {tap * channels * filters + k - tap * of_group.divisor()};
    }
    __device__ Scalar at(Outer outer, Inner inner) const {
        return inside(outer, inner) ? *place(outer, inner) : Scalar(0);
    }
    __device__ Four<Scalar> four(Outer outer, Inner inner) const {
        return inside(outer, inner) ? read_four(place(outer, inner)) : Four<Scalar>{};
    }

private:
    __device__ bool inside(Outer outer, Inner inner) const {
        return outer.c < channels && inner.offset >= 0;
    }
    __device__ const Scalar* place(Outer outer, Inner inner) const {
        return data + (outer.c * filters + inner.offset);
    }
};

}  // namespace weft::kernels::cuda
