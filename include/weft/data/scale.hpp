/// \file
/// scaled: pixels as floating-point numbers.
#pragma once

#include "weft/data/wrapped_dataset.hpp"

#include <cmath>
#include <concepts>
#include <cstdint>
#include <type_traits>

namespace weft {

namespace detail {

template <class Scalar>
void require_divisor(Scalar divisor) {
    if (!std::isfinite(divisor) || divisor == 0) {
        throw ArgumentError(
            concat("scaled: divisor is ", divisor, ", expected a finite number other than 0"));
    }
}

template <class Scalar>
class Scaled final : public WrappedDataset<Scalar> {
public:
    Scaled(Examples<Scalar> inner, Scalar divisor)
        : WrappedDataset<Scalar>(std::move(inner)), divisor_(divisor) {
        require_divisor(divisor);
    }

    bool is_constant() const override { return this->inner().is_constant(); }

private:
    void change(std::span<const Index> samples, const std::optional<TrainingEpoch>&,
                Scalar* x) const override {
        const Index size = static_cast<Index>(samples.size()) * this->input_shape().size();
        for (Index i = 0; i < size; ++i) x[i] /= divisor_;
    }

    Scalar divisor_;
};

}  // namespace detail

/// y = x / divisor, of the shape of x.
///
/// `scaled<float>(images, 255)` maps pixels to [0, 1], 255 to exactly 1. The numbers equal NumPy's
/// `(images / 255.0).astype("float32")`: quotients are correctly rounded, unlike x * (1 / 255.f).
/// `scaled<float>(images, 1)` only converts.
/// Throws ArgumentError unless the divisor is finite and not zero.
template <std::floating_point Scalar>
Tensor<Scalar> scaled(TensorView<const std::uint8_t> x, std::type_identity_t<Scalar> divisor) {
    detail::require_divisor(divisor);
    Tensor<Scalar> y(x.shape());
    Scalar* out = y.data();
    for (const std::uint8_t pixel : x) *out++ = static_cast<Scalar>(pixel) / divisor;
    return y;
}

/// The same for the samples of a dataset, batch by batch: the bits are those of scaled tensors, and
/// pixels stay bytes in memory.
///
///   Examples<float> examples = scaled(Examples<float>(data.train_images, data.train_labels), 255);
template <std::floating_point Scalar>
Examples<Scalar> scaled(Examples<Scalar> examples, std::type_identity_t<Scalar> divisor) {
    return {std::make_shared<detail::Scaled<Scalar>>(std::move(examples), divisor)};
}

}  // namespace weft
