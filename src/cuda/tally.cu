/// \file
/// Kernels of kernels/cuda/tally.hpp.
#include "weft/kernels/cuda/tally.hpp"

#include "reduce.cuh"

#include <cmath>

namespace weft::kernels {

template <class Scalar>
void check_finite(Cuda& device, TensorView<const Scalar, Cuda> x, double mark, double* wrong,
                  const double* unless) {
    if (wrong == nullptr) return;
    cuda::reduce(
        device, x.size(),
        [x = x.data()] __device__(int i) { return std::isfinite(x[i]) ? 0.0 : 1.0; },
        [=] __device__(double found) {
            if (found > 0 && *wrong == 0 && !is_stopped(unless)) *wrong = mark;
        });
}

template <class Scalar>
void add_penalty(Cuda& device, TensorView<const Scalar, Cuda> x, double l1, double l2, bool adds,
                 double* sum) {
    cuda::reduce(
        device, x.size(),
        [=, x = x.data()] __device__(int i) {
            const auto value = static_cast<double>(x[i]);
            return l1 * std::abs(value) + l2 * value * value;
        },
        [=] __device__(double total) { *sum = (adds ? *sum : 0) + total; });
}

template <class Scalar>
void add_losses(Cuda& device, TensorView<const Scalar, Cuda> losses, TensorView<double, Cuda> sum,
                double mark, double* wrong) {
    const auto rows = static_cast<double>(losses.size());
    cuda::reduce(
        device, losses.size(),
        [losses = losses.data()] __device__(int i) { return static_cast<double>(losses[i]); },
        [=, sum = sum.data()] __device__(double total) {
            sum[0] += total;
            sum[1] += rows;
            // A sum has a NaN or an infinity where one of its terms has.
            if (wrong != nullptr && *wrong == 0 && !std::isfinite(total)) *wrong = mark;
        });
}

void score_penalties(Cuda& device, const double* of_parameters, const double* of_outputs, Index n,
                     Index rows, TensorView<double, Cuda> sum, double mark, double* wrong) {
    const auto samples = static_cast<double>(n), count = static_cast<double>(rows);
    cuda::for_each(device, 1, [=, sum = sum.data()] __device__(int) {
        const double penalties = *of_parameters + *of_outputs / samples;
        sum[0] += penalties * count;
        if (wrong != nullptr && *wrong == 0 && !std::isfinite(penalties)) *wrong = mark;
    });
}

void end_batch(Cuda& device, TensorView<double, Cuda> tally) {
    const Index count = TallyPlaces::of_batch(tally.size());
    cuda::for_each(device, count, [=, tally = tally.data()] __device__(int i) {
        double* const batch = tally + TallyPlaces::scores;
        if (!is_stopped(tally + TallyPlaces::wrong)) {
            if (i == 0) ++tally[TallyPlaces::batches];
            batch[count + i] += batch[i];
        }
        batch[i] = 0;
    });
}

template <class Scalar>
void undo_if_wrong(Cuda& device, const double* wrong, TensorView<const Scalar, Cuda> before,
                   TensorView<Scalar, Cuda> now) {
    cuda::for_each(device, now.size(),
                   [=, before = before.data(), now = now.data()] __device__(int i) {
                       if (is_stopped(wrong)) now[i] = before[i];
                   });
}

template decltype(check_finite<float>) check_finite<float>;
template decltype(check_finite<double>) check_finite<double>;
template decltype(add_penalty<float>) add_penalty<float>;
template decltype(add_penalty<double>) add_penalty<double>;
template decltype(add_losses<float>) add_losses<float>;
template decltype(add_losses<double>) add_losses<double>;
template decltype(undo_if_wrong<float>) undo_if_wrong<float>;
template decltype(undo_if_wrong<double>) undo_if_wrong<double>;

}  // namespace weft::kernels
