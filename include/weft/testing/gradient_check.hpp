/// \file
/// gradient_check: compares gradients with central differences, for any layer and loss.
#pragma once

#include "weft/testing/compare.hpp"
#include "weft/testing/evaluate_loss.hpp"
#include "weft/testing/single_layer.hpp"

namespace weft {

/// A correct gradient is within 1e-6 of the central difference. With h = eps^(1/3) max(1, |theta|),
/// the difference's error is about h^2 / 6 f''' + eps f / h, 1e-10 if f is near 1; divided by the
/// gap's floor that is at most 1e-7.
inline constexpr double gradient_tolerance = 1e-6;

/// dL/dtheta_i = (L(theta_i + h) - L(theta_i - h)) / 2h for each entry, with L = sum_k r_k f_k. f()
/// computes all f_k from theta's current values. Entries that do not depend on theta_i cancel
/// exactly.
template <class F>
Tensor<double> numerical_gradient(TensorView<double> theta, TensorView<const double> r,
                                  const F& f) {
    Tensor<double> gradient(theta.shape());
    for (Index i = 0; i < theta.size(); ++i) {
        const double value = theta[i];
        const double h =
            std::cbrt(std::numeric_limits<double>::epsilon()) * (std::max)(1.0, std::abs(value));
        const double high = value + h, low = value - h;
        theta[i] = high;
        const Tensor<double> above = f();
        theta[i] = low;
        const Tensor<double> below = f();
        theta[i] = value;
        for (Index k = 0; k < r.size(); ++k) gradient[i] += r[k] * (above[k] - below[k]);
        gradient[i] /= high - low;
    }
    return gradient;
}

/// The result of a gradient check: true if nothing is wrong. Printing it tells what is wrong, or
/// where the largest gap is.
struct GradientCheck : Verdict {
    /// The largest |gradient - difference| / max(|gradient|, |difference|, 1e-3) of all entries;
    /// infinite if one is not finite.
    double largest_gap = 0;
    std::string where = {};  ///< its place: "swish/beta (element 2 of (5,): 0.1, expected 0.2)"
    bool is_finite = true;   ///< all numbers are, hence all gradients were written

    void add(std::string_view what, const Gap& gap, double bound) {
        Verdict::add(what, gap, bound);
        is_finite = is_finite && std::isfinite(gap.value);
        if (gap.value <= largest_gap) return;
        largest_gap = gap.value;
        where = concat(what, gap.where);
    }
    using Verdict::add;

    friend std::ostream& operator<<(std::ostream& out, const GradientCheck& check) {
        if (!check) return out << check.complaint;
        const std::string_view in = check.where.empty() ? "" : " in ";
        return out << concat("largest gap ", check.largest_gap, in, check.where);
    }
};

/// What gradient_check does and demands.
struct GradientCheckOptions {
    bool logits = false;       ///< skip the layer's output activation
    std::uint32_t stream = 4;  ///< of the random input and r; take another if a kink is too close
    double deviation = 1;      ///< of the input
    double tolerance = gradient_tolerance;  ///< the largest gap allowed
};

/// Checks the backward of a layer for a random batch x of the given shape (N, ...), with
/// L = sum(r f(x)):
///   - dx and the gradient of each trainable parameter, every entry, against central differences;
///   - a second backward gives the same bits, so the first destroyed nothing that forward kept;
///   - without dx the gradients have the same bits.
///
///   GradientCheck check = gradient_check(Swish{}, {3, 5});   // a batch of 3 samples (5)
///   if (!check) std::cout << check;
///
/// Everything is computed in double. Use small shapes with different extents: they find most
/// faults, and each entry costs two forward passes. Near a kink, such as relu's at 0, differences
/// are wrong; another stream moves the input away. gradient_check<Device>(...) computes on another
/// device. Passes on exceptions of building the layer.
template <class Device = Cpu>
GradientCheck gradient_check(
    const std::type_identity_t<LayerDeclaration<double, Device>>& declaration, const Shape& shape,
    const GradientCheckOptions& options = {}) {
    SingleLayer<double, Device> layer(declaration, shape.sample());
    layer.logits = options.logits;
    Tensor<double> x = random_normal(shape, options.stream, options.deviation);
    const Tensor<double> y = layer.forward(x);
    const Tensor<double> r = random_normal(y.shape(), options.stream + 1);
    const Tensor<double> dx = layer.backward(x, y, r);
    const Tensor<double> gradients = layer.gradients();

    GradientCheck check;
    check.add("dx again", identical(layer.backward(x, y, r), dx));
    check.add("gradients again", identical(layer.gradients(), gradients));
    layer.backward_without_dx(x, y, r);
    check.add("gradients without dx", identical(layer.gradients(), gradients));

    const auto outputs = [&] { return SingleLayer<double, Device>(layer).forward(x); };
    check.add("dx", largest_gap(dx, numerical_gradient(x, r, outputs)), options.tolerance);
    for (const ParameterInfo& info : layer.parameters()) {
        if (!info.slot.trainable) continue;
        const auto expected = numerical_gradient(layer.parameter(info), r, outputs);
        check.add(info.name, largest_gap(layer.gradient(info), expected), options.tolerance);
    }
    return check;
}

/// Checks the gradient of a loss, the mean over the rows, with respect to every prediction
/// (N, ..., C). `fused`: predictions are logits, which the loss takes instead of the activation's
/// output (see Loss::fuses).
template <class Device = Cpu>
GradientCheck gradient_check(const std::type_identity_t<LossDeclaration<double, Device>>& loss,
                             Tensor<double> predictions, const Tensor<double>& targets,
                             bool fused = false, double tolerance = gradient_tolerance) {
    const auto evaluate = [&] {
        return evaluate_loss<double, Device>(loss, predictions, targets, fused);
    };
    const auto result = evaluate();
    Tensor<double> r(result.losses.shape());
    std::ranges::fill(r, 1 / static_cast<double>(r.size()));
    const auto losses = [&] { return evaluate().losses; };
    GradientCheck check;
    check.add("gradient", largest_gap(result.gradient, numerical_gradient(predictions, r, losses)),
              tolerance);
    return check;
}

}  // namespace weft
