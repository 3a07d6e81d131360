/// \file
/// Max and average pooling over windows, the base of all pooling layers.
#pragma once

#include "weft/layers/detail/window_layer.hpp"

namespace weft::detail {

/// y = the largest of each window; backward adds dy to that element.
template <class Scalar, class Device>
class MaxPoolLayer : public Layer<Scalar, Device> {
public:
    MaxPoolLayer(const Shape& input, const Shape& output, const kernels::Window2D& window)
        : Layer<Scalar, Device>(input, output), window_(window) {
        // Numbers of taps are compared as Scalars.
        constexpr Index most = Index{1} << std::numeric_limits<Scalar>::digits;
        if (window.taps() > most) {
            throw ShapeError(
                join({"the window has ", window.taps(), " elements, expected at most ", most}));
        }
    }

    WEFT_NOINLINE void forward(const Pass<Scalar, Device>& pass, TensorView<const Scalar, Device> x,
                               TensorView<Scalar, Device> y) const override {
        with_taps(pass, [&](auto* taps) {
            if constexpr (kernels::fuses_pools<Device>()) {
                if constexpr (sizeof(*taps) == sizeof(std::uint8_t)) {
                    if (pass.norm) {
                        return max_pool_forward_normalizing<Scalar>(pass.device, window_, pass.norm,
                                                                    pass.dropping, x, y, taps,
                                                                    chosen(pass, x.shape()[0]));
                    }
                }
                if (pass.dropping) {
                    return max_pool_forward_dropping<Scalar>(pass.device, window_, pass.dropping, x,
                                                             y, taps);
                }
            }
            max_pool_forward<Scalar>(pass.device, window_, x, y, taps);
        });
    }

    WEFT_NOINLINE void backward(const Pass<Scalar, Device>& pass,
                                [[maybe_unused]] TensorView<const Scalar, Device> x,
                                TensorView<const Scalar, Device> y, TensorView<Scalar, Device> dy,
                                TensorView<Scalar, Device> dx) const override {
        if (!dx) return;
        if (pass.before == linear) y = {};
        with_taps(pass, [&](auto* taps) {
            if constexpr (kernels::fuses_pools<Device>()) {
                if constexpr (sizeof(*taps) == sizeof(std::uint8_t)) {
                    if (pass.norm) {
                        return max_pool_backward_normalizing<Scalar>(
                            pass.device, window_, pass.norm, pass.dropping, pass.before == relu, x,
                            dy, taps, chosen(pass, x.shape()[0]), dx);
                    }
                }
                if (pass.dropping) {
                    return max_pool_backward_dropping<Scalar>(pass.device, window_, pass.dropping,
                                                              y, dy, taps, dx);
                }
            }
            max_pool_backward<Scalar>(pass.device, window_, y, dy, taps, dx);
        });
    }

    bool backs_through_relu() const override { return true; }
    bool backward_reads_x() const override { return false; }
    bool backward_reads_y(bool through_relu) const override { return through_relu; }
    /// A device that absorbs dropout marks dropped outputs by one more number of a tap.
    bool absorbs_dropout() const override {
        return kernels::fuses_pools<Device>() && window_.taps() < 256;
    }

    bool absorbs_norm() const override { return absorbs_dropout(); }

    std::size_t saved_bytes(Index batch) const override {
        return outputs(batch) * (has_small_taps() ? sizeof(std::uint8_t) : sizeof(std::int32_t));
    }
    std::size_t saved_bytes_of_norm(Index batch) const override {
        return kernels::fuses_products<Device>() ? outputs(batch) * sizeof(Scalar) + alignof(Scalar)
                                                 : 0;
    }

private:
    bool has_small_taps() const { return window_.taps() <= 256; }
    std::size_t outputs(Index batch) const {
        return static_cast<std::size_t>(batch * window_.positions() * window_.channels);
    }

    /// The x of a batch norm that were chosen, behind the taps.
    Scalar* chosen(const Pass<Scalar, Device>& pass, Index batch) const {
        const std::size_t behind = (saved_bytes(batch) + alignof(Scalar) - 1) / alignof(Scalar);
        return reinterpret_cast<Scalar*>(pass.saved) + behind * alignof(Scalar) / sizeof(Scalar);
    }

    /// Calls run with the numbers of the taps, in the smallest type that holds them; null in
    /// inference.
    template <class Run>
    void with_taps(const Pass<Scalar, Device>& pass, const Run& run) const {
        if (has_small_taps()) {
            run(reinterpret_cast<std::uint8_t*>(pass.saved));
        } else {
            run(reinterpret_cast<std::int32_t*>(pass.saved));
        }
    }

    kernels::Window2D window_;
};

/// y = the mean of each window over the elements inside the image.
template <class Scalar, class Device>
class AveragePoolLayer : public Layer<Scalar, Device> {
public:
    AveragePoolLayer(const Shape& input, const Shape& output, const kernels::Window2D& window)
        : Layer<Scalar, Device>(input, output), window_(window) {}

    WEFT_NOINLINE void forward(const Pass<Scalar, Device>& pass, TensorView<const Scalar, Device> x,
                               TensorView<Scalar, Device> y) const override {
        average_pool_forward<Scalar>(pass.device, window_, x, y);
    }

    WEFT_NOINLINE void backward(const Pass<Scalar, Device>& pass, TensorView<const Scalar, Device>,
                                TensorView<const Scalar, Device>, TensorView<Scalar, Device> dy,
                                TensorView<Scalar, Device> dx) const override {
        if (dx) average_pool_backward<Scalar>(pass.device, window_, dy, dx);
    }

    bool backward_reads_x() const override { return false; }
    bool backward_reads_y(bool) const override { return false; }

private:
    kernels::Window2D window_;
};

/// Base, one of the above, over windows of pool_size: (N, H, W, C) -> (N, OH, OW, C).
template <class Base>
class WindowPool final : public Base {
public:
    template <class Options>
    WindowPool(const Options& options, LayerBuilder& builder)
        : WindowPool(builder, window_2d(builder, "pool_size", options.pool_size, options.strides, 1,
                                        options.padding)) {}

private:
    WindowPool(const LayerBuilder& builder, const kernels::Window2D& window)
        : Base(builder.input_shape(), {window.rows.output, window.columns.output, window.channels},
               window) {}
};

/// Base over the whole image: (N, H, W, C) -> (N, C).
template <class Base>
class GlobalPool final : public Base {
public:
    template <class Options>
    GlobalPool(const Options&, LayerBuilder& builder)
        : Base(builder.input_shape(), {builder.input_shape().last()}, whole_image(builder)) {}

private:
    static kernels::Window2D whole_image(const LayerBuilder& builder) {
        const Shape& input = builder.input_shape();
        builder.require_input(input.rank() == 3, "(None, height, width, channels)");
        return window_2d(builder, "pool_size", {input[0], input[1]}, 1, 1, Padding::valid);
    }
};

}  // namespace weft::detail
