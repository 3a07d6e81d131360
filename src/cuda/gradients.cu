/// \file
/// Kernels of kernels/cuda/step.hpp that work on all parameters and gradients.
#include "mark.cuh"
#include "reduce.cuh"
#include "weft/kernels/cuda/penalty.hpp"
#include "weft/kernels/cuda/step.hpp"
#include "weft/kernels/tally.hpp"

#include <cmath>
#include <limits>

namespace weft::kernels {
namespace {

constexpr std::size_t penalties_at_once = 16;

/// Penalties, in the order of their gradients.
template <class Scalar>
struct Penalties {
    struct One {
        const Scalar* x;
        double l1, l2;
        int begin, end;  ///< of the gradients
    };
    One of[penalties_at_once];
    int count;
};

/// What is done to gradients.
template <class Scalar>
struct Rules {
    Penalties<Scalar> penalties;
    Scalar most;  ///< of a magnitude
    bool has_norm;
    double norm;
};

/// A thread comes to its gradients in their order, and so to the penalties on them.
template <class Scalar>
__global__ void each_gradient(int count, Scalar* gradient, Rules<Scalar> rules, double mark,
                              double* tally, int scores, double* factor, double* block_sums,
                              unsigned* ticket) {
    double squares = 0;
    bool is_wrong = false;
    int k = 0;
    const auto step = static_cast<Index>(gridDim.x * blockDim.x);
    for (Index at = cuda::element(); at < count; at += step) {
        const int i = static_cast<int>(at);
        const Scalar before = gradient[i];
        Scalar g = before;
        while (k < rules.penalties.count && i >= rules.penalties.of[k].end) ++k;
        if (k < rules.penalties.count && i >= rules.penalties.of[k].begin) {
            const auto& of = rules.penalties.of[k];
            const Scalar x = of.x[i - of.begin];
            const Scalar sign = x > 0 ? Scalar(1) : x < 0 ? Scalar(-1) : Scalar(0);
            g += static_cast<Scalar>(of.l1) * sign + static_cast<Scalar>(2 * of.l2) * x;
        }
        if (!std::isfinite(g)) is_wrong = true;
        if (g > rules.most) g = rules.most;
        if (g < -rules.most) g = -rules.most;
        if (g != before) gradient[i] = g;
        squares += static_cast<double>(g) * static_cast<double>(g);
    }
    if (is_wrong) cuda::set_mark(mark, tally + TallyPlaces::wrong);
    if (rules.has_norm) {
        squares = cuda::block_sum(squares);
        if (threadIdx.x == 0) block_sums[blockIdx.x] = squares;
    }
    if (!cuda::is_last_block(ticket, gridDim.x)) return;
    if (rules.has_norm) {
        const volatile double* const sums = block_sums;  // not those of a cache
        const double norm =
            std::sqrt(cuda::block_sum(threadIdx.x < gridDim.x ? sums[threadIdx.x] : 0));
        if (threadIdx.x == 0) *factor = norm > rules.norm ? rules.norm / norm : 1;
    }
    const volatile double* const wrong =
        tally + TallyPlaces::wrong;  // other blocks may have set it
    const bool counts = *wrong == 0;
    double* const batch = tally + TallyPlaces::scores;
    for (int i = static_cast<int>(threadIdx.x); i < scores; i += cuda::reduce_threads) {
        if (counts) batch[scores + i] += batch[i];
        batch[i] = 0;
    }
    if (threadIdx.x == 0 && counts) ++tally[TallyPlaces::batches];
}

}  // namespace

template <class Scalar>
void finish_gradients(Cuda& device, TensorView<Scalar, Cuda> gradients,
                      Span<const Penalty<Scalar>> penalties, const GradientClipping& limits,
                      double mark, TensorView<double, Cuda> tally, double* factor) {
    const int count = cuda::narrow(gradients.size());
    Rules<Scalar> rules{};
    rules.most = limits.value > 0 ? static_cast<Scalar>(limits.value)
                                  : std::numeric_limits<Scalar>::infinity();
    rules.has_norm = limits.global_norm > 0;
    rules.norm = limits.global_norm;
    for (const Penalty<Scalar>& of : penalties) {
        auto& known = rules.penalties;
        if (known.count < static_cast<int>(penalties_at_once)) {
            known.of[known.count++] = {of.x, of.l1, of.l2, static_cast<int>(of.offset),
                                       static_cast<int>(of.offset + of.count)};
        } else {
            const Shape shape{of.count};
            add_penalty_gradient<Scalar>(device, {of.x, shape}, of.l1, of.l2,
                                         {gradients.data() + of.offset, shape});
        }
    }
    std::byte* const memory = device.scratch(cuda::reduce_bytes + sizeof(double));
    const bool multiplies = rules.has_norm && factor == nullptr;
    if (multiplies) factor = reinterpret_cast<double*>(memory + cuda::reduce_bytes);
    constexpr int terms_per_thread = 4;
    const int blocks = std::clamp(cuda::ceil_div(count, cuda::reduce_threads * terms_per_thread), 1,
                                  cuda::reduce_blocks);
    cuda::launch(device, each_gradient<Scalar>,
                 {dim3(static_cast<unsigned>(blocks)), dim3(cuda::reduce_threads)}, count,
                 gradients.data(), rules, mark, tally.data(),
                 static_cast<int>(TallyPlaces::of_batch(tally.size())), factor,
                 reinterpret_cast<double*>(memory), device.context().tickets);
    if (!multiplies) return;
    cuda::for_each(device, count, [=, x = gradients.data()] __device__(int i) {
        if (*factor != 1) x[i] = static_cast<Scalar>(static_cast<double>(x[i]) * *factor);
    });
}

template <class Scalar>
void score_all_penalties(Cuda& device, Span<const Penalty<Scalar>> penalties, double* of_parameters,
                         const double* of_outputs, Index n, Index rows,
                         TensorView<double, Cuda> sum, double mark, double* wrong) {
    const auto samples = static_cast<double>(n), rows_of_batch = static_cast<double>(rows);
    bool adds = false;
    do {
        const auto some = penalties.first(std::min(penalties.size(), penalties_at_once));
        penalties = penalties.subspan(some.size());
        Penalties<Scalar> those{};
        Index count = 0;
        for (const Penalty<Scalar>& of : some) {
            const int begin = cuda::narrow(count);
            count += of.count;
            those.of[those.count++] = {of.x, of.l1, of.l2, begin, cuda::narrow(count)};
        }
        const bool has_all = penalties.empty(), has_any = those.count > 0;
        cuda::reduce(
            device, count,
            [=] __device__(int i) {
                int k = 0;
                while (i >= those.of[k].end) ++k;
                const auto x = static_cast<double>(those.of[k].x[i - those.of[k].begin]);
                return those.of[k].l1 * std::abs(x) + those.of[k].l2 * x * x;
            },
            [=, sum = sum.data()] __device__(double total) {
                const double so_far = adds ? *of_parameters + total : total;
                if (has_any) *of_parameters = so_far;
                if (!has_all) return;
                const double all = (has_any ? so_far : *of_parameters) + *of_outputs / samples;
                sum[0] += all * rows_of_batch;
                if (wrong != nullptr && *wrong == 0 && !std::isfinite(all)) *wrong = mark;
            });
        adds = true;
    } while (!penalties.empty());
}

template decltype(finish_gradients<float>) finish_gradients<float>;
template decltype(finish_gradients<double>) finish_gradients<double>;
template decltype(score_all_penalties<float>) score_all_penalties<float>;
template decltype(score_all_penalties<double>) score_all_penalties<double>;

}  // namespace weft::kernels
