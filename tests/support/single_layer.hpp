/// \file
/// Checks that hold for any layer, driven without a model.
#pragma once

#include "tests/support/compare.hpp"
#include "tests/support/random_tensor.hpp"
#include "weft/testing/single_layer.hpp"

namespace weft {

/// Whether 1, 2 and 7 threads leave the same bits in y, dx and every gradient, for x of that shape,
/// which must be large enough for the kernels to split it.
template <class Scalar>
Verdict same_on_any_threads(const LayerDeclaration<Scalar, Cpu>& declaration, const Shape& shape) {
    const auto x = random_normal<Scalar>(shape, 2);
    SingleLayer<Scalar> one(declaration, shape.sample(), Cpu(1));
    const auto y = one.forward(x);
    const auto dy = random_normal<Scalar>(y.shape(), 3);
    const auto dx = one.backward(x, y, dy);
    Verdict verdict;
    for (const int threads : {2, 7}) {
        SingleLayer<Scalar> many(declaration, shape.sample(), Cpu(threads));
        verdict.add(concat("y on ", threads, " threads"), identical(many.forward(x), y));
        verdict.add(concat("dx on ", threads, " threads"), identical(many.backward(x, y, dy), dx));
        verdict.add(concat("gradients on ", threads, " threads"),
                    identical(many.gradients(), one.gradients()));
    }
    return verdict;
}

/// Whether each sample of a batch of that shape has the same bits of y and dx alone.
template <class Scalar>
Verdict same_alone_and_in_a_batch(const LayerDeclaration<Scalar, Cpu>& declaration,
                                  const Shape& shape) {
    const auto x = random_normal<Scalar>(shape, 2);
    SingleLayer<Scalar> layer(declaration, shape.sample());
    const auto y = layer.forward(x);
    const auto dy = random_normal<Scalar>(y.shape(), 3);
    const auto dx = layer.backward(x, y, dy);
    Verdict verdict;
    for (Index n = 0; n < shape[0]; ++n) {
        const Tensor<Scalar> x_n(x.slice(n, 1));
        const auto y_n = layer.forward(x_n);
        verdict.add(concat("y of sample ", n), identical(y_n, y.slice(n, 1)));
        const auto dx_n = layer.backward(x_n, y_n, Tensor<Scalar>(dy.slice(n, 1)));
        verdict.add(concat("dx of sample ", n), identical(dx_n, dx.slice(n, 1)));
    }
    return verdict;
}

}  // namespace weft
