/// \file
/// Multiply: the product of several inputs.
#pragma once

#include "weft/layers/layer_fields.hpp"
#include "weft/layers/merge_layer.hpp"

namespace weft {

/// y = x_0 x_1 ..., elementwise, from the left;  dx_k = dy prod_{j != k} x_j.   Inputs of one
/// shape.
struct Multiply {
    std::string name = {};  ///< instead of "multiply", "multiply_1", ...

    static constexpr std::string_view type = "Multiply";
    friend bool operator==(const Multiply&, const Multiply&) = default;

    template <class Scalar, class Device>
    class Layer;
};

inline void visit_fields(Multiply&, LayerFields&) {}

template <class Scalar, class Device>
class Multiply::Layer final : public MergeLayer<Scalar, Device> {
public:
    using typename MergeLayer<Scalar, Device>::View;
    using typename MergeLayer<Scalar, Device>::ConstView;

    WEFT_COLD Layer(const Multiply&, LayerBuilder& builder)
        : MergeLayer<Scalar, Device>(builder.input_shape(), detail::common_input_shape(builder)) {}

    void merge(const Pass<Scalar, Device>& pass, std::span<const ConstView> xs,
               View y) const override {
        if (xs.size() == 1) return copy_elements<Scalar>(pass.device, xs[0], y);
        multiply_elements<Scalar>(pass.device, xs[0], xs[1], y);
        for (const ConstView& x : xs.subspan(2)) multiply_elements<Scalar>(pass.device, x, y, y);
    }

    void split(const Pass<Scalar, Device>& pass, std::span<const ConstView> xs, ConstView, View dy,
               std::span<const View> dxs) const override {
        for (std::size_t k = 0; k < dxs.size(); ++k) {
            if (!dxs[k]) continue;
            ConstView product = dy;
            for (std::size_t j = 0; j < xs.size(); ++j) {
                if (j == k) continue;
                multiply_elements<Scalar>(pass.device, xs[j], product, dxs[k]);
                product = dxs[k];
            }
            if (xs.size() == 1) copy_elements<Scalar>(pass.device, dy, dxs[k]);
        }
    }

    bool backward_reads_y(bool) const override { return false; }
};

}  // namespace weft
