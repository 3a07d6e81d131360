/// \file
/// Kernels of kernels/cuda/loss.hpp: a loss for each row, the gradient, and the sums. Terms are computed in
/// Scalar and added in double, so a sum has the few roundings of its terms and one more.
#include "weft/kernels/cuda/loss.hpp"

#include "score.cuh"
#include "softmax.cuh"

namespace weft::kernels {
namespace cuda {
namespace {

/// x limited to [probability_epsilon, 1 - probability_epsilon]; NaN stays NaN.
template <class Scalar>
struct ClippedProbability {
    __device__ explicit ClippedProbability(Scalar x) {
        constexpr auto low = static_cast<Scalar>(probability_epsilon);
        constexpr auto high = Scalar(1) - low;
        is_inside = !(x < low || x > high);
        value = is_inside ? x : x < low ? low : high;
    }

    Scalar value;
    bool is_inside;
};

template <class Scalar>
__device__ double wide(Scalar x) {
    return static_cast<double>(x);
}

/// The row's loss, which all threads of the team have, written once; its first thread's part of it, and
/// 0 on others.
template <int threads, class Scalar>
__device__ Scalar of_first(const RowTeam<threads>& team, Scalar loss, Scalar* to) {
    if (team.rank != 0) return 0;
    *to = loss;
    return loss;
}

}  // namespace
}  // namespace cuda

template <class Scalar>
void sparse_softmax_crossentropy(Cuda& device, TensorView<const Scalar, Cuda> logits,
                                 TensorView<const Scalar, Cuda> labels, Scalar scale,
                                 const ScoredLosses<Scalar, Cuda>& losses,
                                 TensorView<Scalar, Cuda> probabilities,
                                 TensorView<Scalar, Cuda> gradient) {
    const int columns = cuda::narrow(logits.shape().last());
    cuda::score_rows(
        device, losses, columns,
        [=, z = logits.data(), labels = labels.data(), losses = losses.data(),
         p = probabilities.data(), g = gradient.data()] __device__(int r, auto team) {
            const int begin = r * columns, label = static_cast<int>(labels[r]);
            Scalar below_largest = 0;  // of the label, on the thread that has it
            const auto row = cuda::exp_of_row(team, columns, z + begin, p + begin,
                                              [&](int c, Scalar difference) {
                                                  if (c == label) below_largest = difference;
                                              });
            const Scalar loss = team.has(label) ? row.log_total + below_largest : Scalar(0);
            if (team.has(label)) losses[r] = loss;
            team.each(columns, [&](int c) {
                const Scalar q = p[begin + c] * row.inverse_total;
                p[begin + c] = q;
                g[begin + c] = scale * (c == label ? q - Scalar(1) : q);  // may be p's memory
            });
            return loss;
        });
}

template <class Scalar>
void softmax_crossentropy(Cuda& device, TensorView<const Scalar, Cuda> logits,
                          SmoothedTargets<Scalar> targets, Scalar scale,
                          const ScoredLosses<Scalar, Cuda>& losses,
                          TensorView<Scalar, Cuda> probabilities,
                          TensorView<Scalar, Cuda> gradient) {
    const int columns = cuda::narrow(logits.shape().last());
    cuda::score_rows(
        device, losses, columns,
        [=, z = logits.data(), losses = losses.data(), p = probabilities.data(),
         g = gradient.data()] __device__(int r, auto team) {
            const int begin = r * columns;
            double weighted = 0, mass = 0;
            const auto row = cuda::exp_of_row(team, columns, z + begin, p + begin,
                                              [&](int c, Scalar difference) {
                                                  const Scalar t = targets[begin + c];
                                                  mass += cuda::wide(t);
                                                  // A class of no weight may have any logit: 0 * inf must not become NaN.
                                                  if (t != 0)
                                                      weighted += cuda::wide(t * difference);
                                              });
            mass = team.sum(mass);
            weighted = team.sum(weighted);
            const Scalar loss = cuda::of_first(
                team, static_cast<Scalar>(mass * cuda::wide(row.log_total) + weighted), losses + r);
            const auto all = static_cast<Scalar>(mass);
            team.each(columns, [&](int c) {
                const Scalar q = p[begin + c] * row.inverse_total;
                p[begin + c] = q;
                g[begin + c] = scale * (q * all - targets[begin + c]);  // may be p's memory
            });
            return loss;
        });
}

template <class Scalar>
void categorical_crossentropy(Cuda& device, TensorView<const Scalar, Cuda> probabilities,
                              SmoothedTargets<Scalar> targets, Scalar scale,
                              const ScoredLosses<Scalar, Cuda>& losses,
                              TensorView<Scalar, Cuda> gradient) {
    const int columns = cuda::narrow(probabilities.shape().last());
    cuda::score_rows(device, losses, columns,
                     [=, p = probabilities.data(), losses = losses.data(),
                      g = gradient.data()] __device__(int r, auto team) {
                         const int begin = r * columns;
                         double total = 0, loss = 0, unclipped = 0;
                         team.each(columns, [&](int c) { total += cuda::wide(p[begin + c]); });
                         const auto s = static_cast<Scalar>(team.sum(total));
                         team.each(columns, [&](int c) {
                             const Scalar t = targets[begin + c];
                             const cuda::ClippedProbability<Scalar> q(p[begin + c] / s);
                             loss -= cuda::wide(t * std::log(q.value));
                             if (q.is_inside) unclipped += cuda::wide(t);
                             g[begin + c] = q.is_inside ? t / q.value : Scalar(0);
                         });
                         loss = team.sum(loss);
                         const auto all = static_cast<Scalar>(team.sum(unclipped));
                         const Scalar factor = scale / s;
                         team.each(columns,
                                   [&](int c) { g[begin + c] = factor * (all - g[begin + c]); });
                         return cuda::of_first(team, static_cast<Scalar>(loss), losses + r);
                     });
}

template <class Scalar>
void sparse_categorical_crossentropy(Cuda& device, TensorView<const Scalar, Cuda> probabilities,
                                     TensorView<const Scalar, Cuda> labels, Scalar scale,
                                     const ScoredLosses<Scalar, Cuda>& losses,
                                     TensorView<Scalar, Cuda> gradient) {
    const int columns = cuda::narrow(probabilities.shape().last());
    cuda::score_rows(device, losses, columns,
                     [=, p = probabilities.data(), labels = labels.data(), losses = losses.data(),
                      g = gradient.data()] __device__(int r, auto team) {
                         using Probability = cuda::ClippedProbability<Scalar>;
                         const int begin = r * columns, label = static_cast<int>(labels[r]);
                         double total = 0;
                         team.each(columns, [&](int c) {
                             total += cuda::wide(Probability(p[begin + c]).value);
                         });
                         const auto s = static_cast<Scalar>(team.sum(total));
                         const Scalar share = Scalar(1) / s;
                         Scalar loss = 0;
                         team.each(columns, [&](int c) {
                             const Probability q(p[begin + c]);
                             if (c == label) losses[r] = loss = std::log(s / q.value);
                             const Scalar slope = c == label ? share - Scalar(1) / q.value : share;
                             g[begin + c] = (q.is_inside ? scale : Scalar(0)) * slope;
                         });
                         return loss;
                     });
}

template <class Scalar>
void sigmoid_crossentropy(Cuda& device, TensorView<const Scalar, Cuda> logits,
                          SmoothedTargets<Scalar> targets, Scalar scale,
                          const ScoredLosses<Scalar, Cuda>& losses,
                          TensorView<Scalar, Cuda> probabilities,
                          TensorView<Scalar, Cuda> gradient) {
    const int columns = cuda::narrow(logits.shape().last());
    const double share = 1 / static_cast<double>(columns);
    const Scalar factor = scale * static_cast<Scalar>(share);
    cuda::score_rows(
        device, losses, columns,
        [=, logits = logits.data(), losses = losses.data(), probabilities = probabilities.data(),
         g = gradient.data()] __device__(int r, auto team) {
            double sum = 0;
            team.each(columns, [&](int c) {
                const int i = r * columns + c;
                const Scalar z = logits[i], t = targets[i];
                const Scalar e = std::exp(-std::abs(z));
                const Scalar positive = Scalar(1) / (Scalar(1) + e);  // sigmoid(|z|)
                const Scalar p = z >= 0 ? positive : e * positive;
                const Scalar hinge = (z > 0 ? z : z * Scalar(0)) - z * t;
                sum += cuda::wide(hinge + std::log1p(e));
                probabilities[i] = p;
                g[i] = factor * (p - t);  // may be the probabilities' memory
            });
            sum = team.sum(sum);
            return cuda::of_first(team, static_cast<Scalar>(sum * share), losses + r);
        });
}

template <class Scalar>
void binary_crossentropy(Cuda& device, TensorView<const Scalar, Cuda> probabilities,
                         SmoothedTargets<Scalar> targets, Scalar scale,
                         const ScoredLosses<Scalar, Cuda>& losses,
                         TensorView<Scalar, Cuda> gradient) {
    const int columns = cuda::narrow(probabilities.shape().last());
    const double share = 1 / static_cast<double>(columns);
    const Scalar factor = scale * static_cast<Scalar>(share);
    cuda::score_rows(device, losses, columns,
                     [=, probabilities = probabilities.data(), losses = losses.data(),
                      g = gradient.data()] __device__(int r, auto team) {
                         double sum = 0;
                         team.each(columns, [&](int c) {
                             const int i = r * columns + c;
                             const cuda::ClippedProbability<Scalar> clipped(probabilities[i]);
                             const Scalar p = clipped.value, t = targets[i];
                             sum -= cuda::wide(t * std::log(p) + (Scalar(1) - t) * std::log1p(-p));
                             g[i] = clipped.is_inside ? factor * (p - t) / (p * (Scalar(1) - p))
                                                      : Scalar(0);
                         });
                         sum = team.sum(sum);
                         return cuda::of_first(team, static_cast<Scalar>(sum * share), losses + r);
                     });
}

template <class Scalar>
void mean_squared_error(Cuda& device, TensorView<const Scalar, Cuda> predictions,
                        TensorView<const Scalar, Cuda> targets, Scalar scale,
                        const ScoredLosses<Scalar, Cuda>& losses,
                        TensorView<Scalar, Cuda> gradient) {
    const int columns = cuda::narrow(predictions.shape().last());
    const double share = 1 / static_cast<double>(columns);
    const Scalar factor = scale * static_cast<Scalar>(2 * share);
    cuda::score_rows(device, losses, columns,
                     [=, predictions = predictions.data(), targets = targets.data(),
                      losses = losses.data(), g = gradient.data()] __device__(int r, auto team) {
                         double sum = 0;
                         team.each(columns, [&](int c) {
                             const int i = r * columns + c;
                             const Scalar difference = predictions[i] - targets[i];
                             sum += cuda::wide(difference * difference);
                             g[i] = factor * difference;
                         });
                         sum = team.sum(sum);
                         return cuda::of_first(team, static_cast<Scalar>(sum * share), losses + r);
                     });
}

template <class Scalar>
void add_score(Cuda& device, const ScoredLosses<Scalar, Cuda>& losses) {
    const int columns = cuda::narrow(losses.score->predictions.shape().last());
    cuda::score_rows(device, losses, columns,
                     [losses = losses.data()] __device__(int r, auto team) {
                         return team.rank == 0 ? losses[r] : Scalar(0);
                     });
}

template decltype(sparse_softmax_crossentropy<float>) sparse_softmax_crossentropy<float>;
template decltype(sparse_softmax_crossentropy<double>) sparse_softmax_crossentropy<double>;
template decltype(softmax_crossentropy<float>) softmax_crossentropy<float>;
template decltype(softmax_crossentropy<double>) softmax_crossentropy<double>;
template decltype(categorical_crossentropy<float>) categorical_crossentropy<float>;
template decltype(categorical_crossentropy<double>) categorical_crossentropy<double>;
template decltype(sparse_categorical_crossentropy<float>) sparse_categorical_crossentropy<float>;
template decltype(sparse_categorical_crossentropy<double>) sparse_categorical_crossentropy<double>;
template decltype(sigmoid_crossentropy<float>) sigmoid_crossentropy<float>;
template decltype(sigmoid_crossentropy<double>) sigmoid_crossentropy<double>;
template decltype(binary_crossentropy<float>) binary_crossentropy<float>;
template decltype(binary_crossentropy<double>) binary_crossentropy<double>;
template decltype(mean_squared_error<float>) mean_squared_error<float>;
template decltype(mean_squared_error<double>) mean_squared_error<double>;
template decltype(add_score<float>) add_score<float>;
template decltype(add_score<double>) add_score<double>;

}  // namespace weft::kernels
