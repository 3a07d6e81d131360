/// \file
/// ZeroPadding2D: a border of zeros around images.
#pragma once

#include "weft/layers/detail/window_layer.hpp"
#include "weft/layers/layer_fields.hpp"

namespace weft {

/// Zeros around each image:  X (N, H, W, C) -> Y (N, top + H + bottom, left + W + right, C).
/// dx is dy without the border.
struct ZeroPadding2D {
    Extent2D before = 1;      ///< {top, left}, at least 0
    Extent2D after = before;  ///< {bottom, right}, at least 0
    std::string name = {};    ///< instead of "zero_padding2d", "zero_padding2d_1", ...

    static constexpr std::string_view type = "ZeroPadding2D";
    friend bool operator==(const ZeroPadding2D&, const ZeroPadding2D&) = default;

    template <class Scalar, class Device>
    class Layer;
};

WEFT_COLD inline void visit_fields(ZeroPadding2D& layer, LayerFields& field) {
    field("padding", layer.before, layer.after);
}

template <class Scalar, class Device>
class ZeroPadding2D::Layer final : public weft::Layer<Scalar, Device> {
public:
    WEFT_COLD Layer(const ZeroPadding2D& options, LayerBuilder& builder)
        : weft::Layer<Scalar, Device>(builder.input_shape(), inferred_shape(options, builder)),
          before_(options.before) {}

    WEFT_NOINLINE void forward(const Pass<Scalar, Device>& pass, TensorView<const Scalar, Device> x,
                               TensorView<Scalar, Device> y) const override {
        pad_images<Scalar>(pass.device, x, before_.rows, before_.columns, y);
    }

    WEFT_NOINLINE void backward(const Pass<Scalar, Device>& pass, TensorView<const Scalar, Device>,
                                TensorView<const Scalar, Device>, TensorView<Scalar, Device> dy,
                                TensorView<Scalar, Device> dx) const override {
        if (dx) crop_images<Scalar>(pass.device, dy, before_.rows, before_.columns, dx);
    }

    bool backward_reads_x() const override { return false; }
    bool backward_reads_y(bool) const override { return false; }

private:
    WEFT_COLD static Shape inferred_shape(const ZeroPadding2D& options,
                                          const LayerBuilder& builder) {
        detail::require_extent(builder, "before", options.before, 0);
        detail::require_extent(builder, "after", options.after, 0);
        const Shape& input = builder.input_shape();
        builder.require_input(input.rank() == 3, "(None, height, width, channels)");
        return {options.before.rows + input[0] + options.after.rows,
                options.before.columns + input[1] + options.after.columns, input[2]};
    }

    Extent2D before_;
};

}  // namespace weft
