/// \file
/// Add: the sum of several inputs.
#pragma once

#include "weft/layers/layer_fields.hpp"
#include "weft/layers/merge_layer.hpp"

namespace weft {

/// y = x_0 + x_1 + ..., from the left,  dx_k = dy.   Inputs of one shape.
struct Add {
    std::string name = {};  ///< instead of "add", "add_1", ...

    static constexpr std::string_view type = "Add";
    friend bool operator==(const Add&, const Add&) = default;

    template <class Scalar, class Device>
    class Layer;
};

inline void visit_fields(Add&, LayerFields&) {}

template <class Scalar, class Device>
class Add::Layer final : public MergeLayer<Scalar, Device> {
public:
    using typename MergeLayer<Scalar, Device>::View;
    using typename MergeLayer<Scalar, Device>::ConstView;

    WEFT_COLD Layer(const Add&, LayerBuilder& builder)
        : MergeLayer<Scalar, Device>(builder.input_shape(), detail::common_input_shape(builder)) {}

    void merge(const Pass<Scalar, Device>& pass, std::span<const ConstView> xs,
               View y) const override {
        if (xs.size() == 1) return copy_elements<Scalar>(pass.device, xs[0], y);
        add_elements<Scalar>(pass.device, xs[0], xs[1], y);
        for (const ConstView& x : xs.subspan(2)) add_elements<Scalar>(pass.device, x, y, y);
    }

    void split(const Pass<Scalar, Device>& pass, std::span<const ConstView>, ConstView, View dy,
               std::span<const View> dxs) const override {
        for (const View& dx : dxs) {
            if (dx) copy_elements<Scalar>(pass.device, dy, dx);
        }
    }

    bool backward_reads_x() const override { return false; }
    bool backward_reads_y(bool) const override { return false; }
};

}  // namespace weft
