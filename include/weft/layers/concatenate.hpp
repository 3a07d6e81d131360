/// \file
/// Concatenate: several inputs side by side.
#pragma once

#include "weft/layers/layer_fields.hpp"
#include "weft/layers/merge_layer.hpp"

namespace weft {

/// The inputs one behind the other along an axis; other axes must agree. dx_k is its part of dy.
/// Axes count as in Keras: 0 is the batch, -1 the last.
struct Concatenate {
    Index axis = -1;        ///< not 0
    std::string name = {};  ///< instead of "concatenate", "concatenate_1", ...

    static constexpr std::string_view type = "Concatenate";
    friend bool operator==(const Concatenate&, const Concatenate&) = default;

    template <class Scalar, class Device>
    class Layer;
};

WEFT_COLD inline void visit_fields(Concatenate& layer, LayerFields& field) {
    field("axis", layer.axis);
}

template <class Scalar, class Device>
class Concatenate::Layer final : public MergeLayer<Scalar, Device> {
public:
    using typename MergeLayer<Scalar, Device>::View;
    using typename MergeLayer<Scalar, Device>::ConstView;

    WEFT_COLD Layer(const Concatenate& options, LayerBuilder& builder)
        : MergeLayer<Scalar, Device>(builder.input_shape(), output(options, builder)),
          axis_(sample_axis(options, builder)) {}

    void merge(const Pass<Scalar, Device>& pass, std::span<const ConstView> xs,
               View y) const override {
        Index to = 0;
        for (const ConstView& x : xs) {
            const ConstView columns = matrix(x);
            const Index width = columns.shape()[1];
            copy_columns<Scalar>(pass.device, columns, 0, width, matrix(y), to);
            to += width;
        }
    }

    void split(const Pass<Scalar, Device>& pass, std::span<const ConstView> xs, ConstView, View dy,
               std::span<const View> dxs) const override {
        Index from = 0;
        for (std::size_t k = 0; k < xs.size(); ++k) {
            const Index width = matrix(xs[k]).shape()[1];
            if (dxs[k]) {
                copy_columns<Scalar>(pass.device, matrix(dy), from, width, matrix(dxs[k]), 0);
            }
            from += width;
        }
    }

    bool backward_reads_x() const override { return false; }
    bool backward_reads_y(bool) const override { return false; }

private:
    /// A batch as a matrix: its rows are the axes before `axis`, its columns the others.
    template <class Batch>
    Batch matrix(const Batch& batch) const {
        Index rows = 1, columns = 1;
        for (Index i = 0; i < batch.shape().rank(); ++i) {
            (i <= axis_ ? rows : columns) *= batch.shape()[i];
        }
        return batch.reshape({rows, columns});
    }

    /// The axis within a sample.
    WEFT_COLD static Index sample_axis(const Concatenate& options, const LayerBuilder& builder) {
        const Index rank = builder.input_shape().rank();
        const Index axis = options.axis < 0 ? options.axis + rank : options.axis - 1;
        builder.require(axis >= 0 && axis < rank, "axis", options.axis,
                        detail::join({"an axis of ", builder.input_shape().to_batch_string(),
                                      " behind the batch's"}));
        return axis;
    }

    WEFT_COLD static Shape output(const Concatenate& options, const LayerBuilder& builder) {
        const Index axis = sample_axis(options, builder);
        std::vector<Index> extents(builder.input_shape().begin(), builder.input_shape().end());
        Index& sum = extents[static_cast<std::size_t>(axis)];
        sum = 0;
        for (const Shape& shape : builder.input_shapes()) {
            bool fits = shape.rank() == builder.input_shape().rank();
            for (Index i = 0; fits && i < shape.rank(); ++i) {
                fits = i == axis || shape[i] == builder.input_shape()[i];
            }
            if (!fits) {
                throw ShapeError(detail::join({builder.name(), ": inputs have the shapes ",
                                               builder.input_shape().to_batch_string(), " and ",
                                               shape.to_batch_string(),
                                               ", expected the same but for axis ", options.axis}));
            }
            sum += shape[axis];
        }
        return Shape(extents);
    }

    Index axis_;
};

}  // namespace weft
