/// \file
/// Kernels as plain loop nests in double: what those of weft/kernels/cpu are compared with.
#pragma once

#include "weft/core/tensor.hpp"
#include "weft/kernels/cpu/convolution_patches.hpp"

#include <cmath>
#include <vector>

namespace weft::reference {

template <class Scalar>
Tensor<double> in_double(const Tensor<Scalar>& x) {
    Tensor<double> y(x.shape());
    std::ranges::copy(x, y.begin());
    return y;
}

/// y_ji = x_ij of a matrix.
template <class Scalar>
Tensor<Scalar> transposed(const Tensor<Scalar>& x) {
    Tensor<Scalar> y({x.shape()[1], x.shape()[0]});
    for (Index i = 0; i < x.shape()[0]; ++i) {
        for (Index j = 0; j < x.shape()[1]; ++j) y(j, i) = x(i, j);
    }
    return y;
}

/// C = A B.   A (rows, depth)   B (depth, columns)
template <class Scalar>
Tensor<double> matmul(const Tensor<Scalar>& a, const Tensor<Scalar>& b) {
    const Index rows = a.shape()[0], depth = a.shape()[1], columns = b.shape()[1];
    Tensor<double> c({rows, columns});
    for (Index i = 0; i < rows; ++i) {
        for (Index k = 0; k < depth; ++k) {
            const auto left = static_cast<double>(a(i, k));
            for (Index j = 0; j < columns; ++j) c(i, j) += left * static_cast<double>(b(k, j));
        }
    }
    return c;
}

/// The sum of each column of x (R, C).
template <class Scalar>
Tensor<double> column_sums(const Tensor<Scalar>& x) {
    Tensor<double> sums({x.shape()[1]});
    for (Index i = 0; i < x.size(); ++i) sums[i % sums.size()] += static_cast<double>(x[i]);
    return sums;
}

/// Calls visit(y, x, w) with the places in memory of each product of a convolution:
///   Y (N, OH, OW, F)   X (N, H, W, C)   W (kh, kw, C / groups, F)
template <class Visit>
void for_each_product(const kernels::Convolution& c, Index images, const Visit& visit) {
    const kernels::WindowAxis &rows = c.window.rows, &columns = c.window.columns;
    const Index channels = c.group_channels();
    Index y = 0;
    for (Index n = 0; n < images; ++n) {
        for (Index o = 0; o < rows.output; ++o) {
            for (Index p = 0; p < columns.output; ++p) {
                for (Index f = 0; f < c.filters; ++f, ++y) {
                    Index w = f;
                    for (Index i = 0; i < rows.window; ++i) {
                        for (Index j = 0; j < columns.window; ++j) {
                            const Index row = o * rows.stride + i * rows.dilation - rows.before;
                            const Index column =
                                p * columns.stride + j * columns.dilation - columns.before;
                            const bool inside = row >= 0 && row < rows.input && column >= 0 &&
                                                column < columns.input;
                            for (Index k = 0; k < channels; ++k, w += c.filters) {
                                const Index channel = f / c.group_filters() * channels + k;
                                const Index pixel = (n * rows.input + row) * columns.input + column;
                                if (inside) visit(y, pixel * c.window.channels + channel, w);
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Calls visit(y, x) for each output of a pool, with the places in memory of the elements of its
/// window that lie inside the image, in order:   Y (N, OH, OW, C)   X (N, H, W, C)
template <class Visit>
void for_each_window(const kernels::Window2D& window, Index images, const Visit& visit) {
    const kernels::WindowAxis &rows = window.rows, &columns = window.columns;
    Index y = 0;
    for (Index n = 0; n < images; ++n) {
        for (Index o = 0; o < rows.output; ++o) {
            for (Index p = 0; p < columns.output; ++p) {
                for (Index channel = 0; channel < window.channels; ++channel, ++y) {
                    std::vector<Index> x;
                    for (Index i = 0; i < rows.window; ++i) {
                        for (Index j = 0; j < columns.window; ++j) {
                            const Index row = o * rows.stride + i * rows.dilation - rows.before;
                            const Index column =
                                p * columns.stride + j * columns.dilation - columns.before;
                            if (row < 0 || row >= rows.input || column < 0 ||
                                column >= columns.input) {
                                continue;
                            }
                            const Index pixel = (n * rows.input + row) * columns.input + column;
                            x.push_back(pixel * window.channels + channel);
                        }
                    }
                    visit(y, x);
                }
            }
        }
    }
}

/// Mean and biased variance of each column of x (R, C).
struct Moments {
    template <class Scalar>
    explicit Moments(const Tensor<Scalar>& x)
        : mean(reference::column_sums(x)), variance(mean.shape()) {
        const auto rows = static_cast<double>(x.shape()[0]);
        for (double& value : mean) value /= rows;
        for (Index i = 0; i < x.size(); ++i) {
            const double difference = static_cast<double>(x[i]) - mean[i % mean.size()];
            variance[i % mean.size()] += difference * difference / rows;
        }
    }

    Tensor<double> mean, variance;
};

/// n = (x - mean) / sqrt(variance + epsilon), the moments those of x, and the gradients of
/// gamma n + beta:   dx = gamma / deviation (dy - mean of dy - n mean of dy n).
struct BatchNorm {
    template <class Scalar>
    BatchNorm(const Tensor<Scalar>& x, const Tensor<Scalar>& gamma, const Tensor<Scalar>& dy,
              double epsilon)
        : n(x.shape()), dgamma(gamma.shape()), dbeta(reference::column_sums(dy)), dx(x.shape()) {
        const Moments moments(x);
        const Index columns = gamma.size();
        const auto rows = static_cast<double>(x.shape()[0]);
        const auto deviation = [&](Index c) { return std::sqrt(moments.variance[c] + epsilon); };
        for (Index i = 0; i < x.size(); ++i) {
            const Index c = i % columns;
            n[i] = (static_cast<double>(x[i]) - moments.mean[c]) / deviation(c);
            dgamma[c] += static_cast<double>(dy[i]) * n[i];
        }
        for (Index i = 0; i < x.size(); ++i) {
            const Index c = i % columns;
            dx[i] = static_cast<double>(gamma[c]) / deviation(c) *
                    (static_cast<double>(dy[i]) - dbeta[c] / rows - n[i] * dgamma[c] / rows);
        }
    }

    Tensor<double> n, dgamma, dbeta, dx;
};

}  // namespace weft::reference
