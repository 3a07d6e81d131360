/// \file
/// Kernels of kernels/cuda/penalty.hpp.
#include "weft/kernels/cuda/penalty.hpp"

#include "columns.cuh"
#include "reduce.cuh"
#include "weft/kernels/tally.hpp"

#include <cmath>

namespace weft::kernels {
namespace {

constexpr std::size_t constrained_at_once = 16;
constexpr int most_width = 8;  ///< of columns that are next to each other: a sector of floats
constexpr int most_rows_of_thread = 256;

/// Constraints, and the blocks that have them, in order.
template <class Scalar>
struct Constraints {
    struct One {
        Scalar* w;
        int rows, columns;
        int width;  ///< of a block's columns; 0: no number is negative
        double limit;
        int end;  ///< of the blocks
    };
    One of[constrained_at_once];
    int count;
};

/// What a norm is multiplied by, and so its numbers.
__device__ inline double norm_factor(double squares, double limit) {
    const double norm = std::sqrt(squares);
    const double target = limit == 0 ? 1 : limit < norm ? limit : norm;
    return target / (1e-7 + norm);
}

/// A block has all rows of its columns, so it knows their norms.
template <class Scalar>
__global__ void constrain_each(Constraints<Scalar> constraints, const double* wrong) {
    if (is_stopped(wrong)) return;
    const int thread = static_cast<int>(threadIdx.x);
    int block = static_cast<int>(blockIdx.x), k = 0;
    while (block >= constraints.of[k].end) ++k;
    if (k > 0) block -= constraints.of[k - 1].end;
    const typename Constraints<Scalar>::One one = constraints.of[k];
    if (one.width == 0) {
        const int i = block * cuda::column_threads + thread;
        if (i < one.rows * one.columns && one.w[i] < 0) one.w[i] = 0;
        return;
    }
    const int column = block * one.width + thread % one.width;
    const int height = cuda::column_threads / one.width;
    const int rows = column < one.columns ? one.rows : 0;
    cuda::Sums<1> squares;
    for (int row = thread / one.width; row < rows; row += height) {
        const auto x = static_cast<double>(one.w[row * one.columns + column]);
        squares[0] += x * x;
    }
    squares = cuda::sums_of_block(one.width, squares);
    auto& factors = cuda::shared<double[std::size_t{most_width}], 130>();
    if (thread < one.width) factors[thread] = norm_factor(squares[0], one.limit);
    __syncthreads();
    const double factor = factors[thread % one.width];
    for (int row = thread / one.width; row < rows; row += height) {
        Scalar& x = one.w[row * one.columns + column];
        x = static_cast<Scalar>(static_cast<double>(x) * factor);
    }
}

}  // namespace

template <class Scalar>
void add_penalty_gradient(Cuda& device, TensorView<const Scalar, Cuda> x, double l1, double l2,
                          TensorView<Scalar, Cuda> gradient) {
    const auto of_sign = static_cast<Scalar>(l1), of_x = static_cast<Scalar>(2 * l2);
    cuda::for_each(device, x.size(),
                   [=, x = x.data(), gradient = gradient.data()] __device__(int i) {
                       const Scalar sign = x[i] > 0 ? Scalar(1) : x[i] < 0 ? Scalar(-1) : Scalar(0);
                       gradient[i] += of_sign * sign + of_x * x[i];
                   });
}

template <class Scalar>
void clip_values(Cuda& device, TensorView<Scalar, Cuda> x, double limit) {
    const auto most = static_cast<Scalar>(limit);
    cuda::for_each(device, x.size(), [=, x = x.data()] __device__(int i) {
        const Scalar value = x[i];
        if (value > most) x[i] = most;
        if (value < -most) x[i] = -most;
    });
}

template <class Scalar>
void clip_norm(Cuda& device, TensorView<Scalar, Cuda> x, double limit) {
    std::byte* const memory = device.scratch(cuda::reduce_bytes + sizeof(double));
    auto* const factor = reinterpret_cast<double*>(memory + cuda::reduce_bytes);
    cuda::reduce(
        device, memory, x.size(),
        [x = x.data()] __device__(int i) {
            return static_cast<double>(x[i]) * static_cast<double>(x[i]);
        },
        [=] __device__(double squares) {
            const double norm = std::sqrt(squares);
            *factor = norm > limit ? limit / norm : 1;
        });
    cuda::for_each(device, x.size(), [=, x = x.data()] __device__(int i) {
        if (*factor != 1) x[i] = static_cast<Scalar>(static_cast<double>(x[i]) * *factor);
    });
}

template <class Scalar>
void make_non_negative(Cuda& device, TensorView<Scalar, Cuda> w, const double* wrong) {
    cuda::for_each(device, w.size(), [=, w = w.data()] __device__(int i) {
        if (!is_stopped(wrong) && w[i] < 0) w[i] = 0;
    });
}

template <class Scalar>
void limit_column_norms(Cuda& device, TensorView<Scalar, Cuda> w, double limit,
                        const double* wrong) {
    if (w.size() == 0) return;
    const Index columns = w.shape().last(), rows = w.size() / columns;
    const std::size_t bytes = cuda::column_bytes(rows, columns, 1);
    std::byte* const memory =
        device.scratch(bytes + static_cast<std::size_t>(columns) * sizeof(double));
    auto* const factors = reinterpret_cast<double*>(memory + bytes);
    cuda::sum_columns<1>(
        device, memory, rows, columns,
        [w = w.data()] __device__(int i, int, cuda::Sums<1>& squares) {
            squares[0] += static_cast<double>(w[i]) * static_cast<double>(w[i]);
        },
        [=] __device__(int c, const cuda::Sums<1>& squares) {
            factors[c] = norm_factor(squares[0], limit);
        });
    cuda::for_each_of_columns(device, rows, columns, [=, w = w.data()] __device__(int c) {
        const double factor = factors[c];
        const bool stays = is_stopped(wrong);
        return [=](int i) {
            if (!stays) w[i] = static_cast<Scalar>(static_cast<double>(w[i]) * factor);
        };
    });
}

template <class Scalar>
void constrain(Cuda& device, Span<const ConstrainedParameter<Scalar>> parameters,
               const double* wrong) {
    Constraints<Scalar> some{};
    int blocks = 0;
    const auto run = [&] {
        cuda::launch(device, constrain_each<Scalar>,
                     {dim3(static_cast<unsigned>(blocks)), dim3(cuda::column_threads)}, some,
                     wrong);
        some.count = blocks = 0;
    };
    for (const ConstrainedParameter<Scalar>& parameter : parameters) {
        const int count = cuda::narrow(parameter.rows * parameter.columns);
        const int rows = static_cast<int>(parameter.rows);
        const int columns = static_cast<int>(parameter.columns);
        int width = 0, own_blocks = cuda::ceil_div(count, cuda::column_threads);
        if (parameter.limits_norms) {
            for (width = 1; width < most_width && width < columns;) width *= 2;
            own_blocks = cuda::ceil_div(columns, width);
            if (rows / (cuda::column_threads / width) >= most_rows_of_thread) {
                // Many blocks for few columns.
                limit_column_norms<Scalar>(device, {parameter.w, Shape{rows, columns}},
                                           parameter.limit, wrong);
                continue;
            }
        }
        blocks += own_blocks;
        some.of[some.count++] = {parameter.w, rows, columns, width, parameter.limit, blocks};
        if (some.count == static_cast<int>(constrained_at_once)) run();
    }
    run();
}

template <class Scalar>
void weight_rows(Cuda& device, TensorView<const Scalar, Cuda> weights,
                 TensorView<Scalar, Cuda> losses, TensorView<Scalar, Cuda> gradient) {
    if (losses.size() == 0) return;
    const int rows_per_weight = cuda::narrow(losses.size() / weights.size());
    const int columns = cuda::narrow(gradient.size() / losses.size());
    cuda::for_each(device, losses.size(),
                   [=, weights = weights.data(), losses = losses.data()] __device__(int r) {
                       losses[r] *= weights[r / rows_per_weight];
                   });
    cuda::for_each(device, gradient.size(),
                   [=, weights = weights.data(), gradient = gradient.data()] __device__(int i) {
                       gradient[i] *= weights[i / columns / rows_per_weight];
                   });
}

template decltype(add_penalty_gradient<float>) add_penalty_gradient<float>;
template decltype(add_penalty_gradient<double>) add_penalty_gradient<double>;
template decltype(clip_values<float>) clip_values<float>;
template decltype(clip_values<double>) clip_values<double>;
template decltype(clip_norm<float>) clip_norm<float>;
template decltype(clip_norm<double>) clip_norm<double>;
template decltype(make_non_negative<float>) make_non_negative<float>;
template decltype(make_non_negative<double>) make_non_negative<double>;
template decltype(limit_column_norms<float>) limit_column_norms<float>;
template decltype(limit_column_norms<double>) limit_column_norms<double>;
template decltype(constrain<float>) constrain<float>;
template decltype(constrain<double>) constrain<double>;
template decltype(weight_rows<float>) weight_rows<float>;
template decltype(weight_rows<double>) weight_rows<double>;

}  // namespace weft::kernels
