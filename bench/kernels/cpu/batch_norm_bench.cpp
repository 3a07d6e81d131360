// Batch normalisation over the columns of a matrix, forward and backward, by weft and as
// expressions in plain Eigen (on one thread): the layers of cnn-bn and cnn-deep at batch 32.
#include "weft/kernels/cpu/batch_norm.hpp"

#include "bench/support/contenders.hpp"
#include "bench/support/measure.hpp"
#include "bench/support/nearly_equal.hpp"
#include "bench/support/random_tensor.hpp"

namespace {

using namespace weft;
using namespace weft::bench;

constexpr float epsilon = 1e-3f, tolerance = 1e-4f;

struct Arrays {
    Arrays(Index r, Index c)
        : rows(r),
          columns(c),
          x(random_tensor({r, c}, 0)),
          dy(random_tensor({r, c}, 1)),
          y({r, c}),
          dx({r, c}),
          gamma(random_tensor({c}, 2)),
          beta(random_tensor({c}, 3)),
          mean({c}),
          inverse_deviation({c}),
          dgamma({c}),
          dbeta({c}) {}

    kernels::Normalizing<float> norm() {
        return {.gamma = gamma.data(),
                .beta = beta.data(),
                .mean = mean.data(),
                .inverse_deviation = inverse_deviation.data(),
                .dgamma = dgamma.data(),
                .dbeta = dbeta.data()};
    }
    Work work(int arrays) const { return {.bytes = 4.0 * arrays * static_cast<double>(x.size())}; }

    Index rows, columns;
    Tensor<float> x, dy, y, dx, gamma, beta, mean, inverse_deviation, dgamma, dbeta;
};

void forward_weft(Cpu& cpu, Arrays& a) {
    column_moments<float>(cpu, a.x, a.mean, a.inverse_deviation);
    for (float& v : a.inverse_deviation) v = 1 / std::sqrt(v + epsilon);
    batch_norm_apply<float>(cpu, a.norm(), a.x, a.y);
}

void backward_weft(Cpu& cpu, Arrays& a) {
    batch_norm_backward<float>(cpu, a.norm(), a.x, a.dy, false, a.dx);
}

void forward_eigen(Arrays& a) {
    const auto x = as_matrix(a.x);
    auto mean = as_matrix(a.mean), inverse_deviation = as_matrix(a.inverse_deviation);
    mean = x.colwise().mean();
    inverse_deviation = (x.rowwise() - mean.row(0)).colwise().squaredNorm();
    inverse_deviation =
        (inverse_deviation.array() / static_cast<float>(a.rows) + epsilon).rsqrt().matrix();
    const Eigen::RowVectorXf scale = inverse_deviation.cwiseProduct(as_matrix(a.gamma));
    const Eigen::RowVectorXf shift = as_matrix(a.beta) - mean.cwiseProduct(scale);
    as_matrix(a.y) = ((x.array().rowwise() * scale.array()).rowwise() + shift.array()).matrix();
}

void backward_eigen(Arrays& a) {
    const auto x = as_matrix(a.x), dy = as_matrix(a.dy);
    const auto mean = as_matrix(a.mean), inverse_deviation = as_matrix(a.inverse_deviation);
    as_matrix(a.dbeta) = dy.colwise().sum();
    as_matrix(a.dgamma) =
        dy.cwiseProduct(x.rowwise() - mean.row(0)).colwise().sum().cwiseProduct(inverse_deviation);
    const float share = 1 / static_cast<float>(a.rows);
    const Eigen::RowVectorXf scale = inverse_deviation.cwiseProduct(as_matrix(a.gamma));
    const Eigen::RowVectorXf of_x =
        -share * inverse_deviation.cwiseProduct(as_matrix(a.dgamma)).cwiseProduct(scale);
    const Eigen::RowVectorXf rest =
        -share * as_matrix(a.dbeta).cwiseProduct(scale) - mean.cwiseProduct(of_x);
    auto dx = as_matrix(a.dx).array();
    dx = (dy.array().rowwise() * scale.array()).rowwise() + rest.array();
    dx += x.array().rowwise() * of_x.array();
}

void add_shape(Index rows, Index columns) {
    const std::string shape = concat("/", rows, "x", columns);
    add("batch_norm/forward" + shape + "/weft", [=](benchmark::State& state) {
        Cpu cpu;
        Arrays a(rows, columns);
        measure(state, a.work(2), [&] { forward_weft(cpu, a); });
    });
    add("batch_norm/backward" + shape + "/weft", [=](benchmark::State& state) {
        Cpu cpu;
        Arrays a(rows, columns);
        forward_weft(cpu, a);
        measure(state, a.work(3), [&] { backward_weft(cpu, a); });
    });
    add("batch_norm/forward" + shape + "/eigen", [=](benchmark::State& state) {
        Cpu cpu;
        Arrays a(rows, columns), expected(rows, columns);
        forward_weft(cpu, expected);
        forward_eigen(a);
        if (!nearly_equal(a.y, expected.y, tolerance))
            return state.SkipWithError("differs from weft");
        measure(state, a.work(2), [&] { forward_eigen(a); });
    });
    add("batch_norm/backward" + shape + "/eigen", [=](benchmark::State& state) {
        Cpu cpu;
        Arrays a(rows, columns), expected(rows, columns);
        forward_weft(cpu, expected);
        backward_weft(cpu, expected);
        forward_eigen(a);
        backward_eigen(a);
        if (!nearly_equal(a.dx, expected.dx, tolerance))
            return state.SkipWithError("differs from weft");
        measure(state, a.work(3), [&] { backward_eigen(a); });
    });
}

void add_onednn(Index rows, Index columns) {
    if constexpr (has_onednn) {
        for (const bool forward : {true, false}) {
            add(concat("batch_norm/", forward ? "forward/" : "backward/", rows, "x", columns,
                       "/onednn"),
                [=](benchmark::State& state) {
                    Cpu cpu;
                    Arrays a(rows, columns), expected(rows, columns);
                    forward_weft(cpu, expected);
                    backward_weft(cpu, expected);
                    const auto run = onednn_batch_norm(
                        rows, columns, epsilon, forward,
                        {a.x.data(), a.y.data(), a.dy.data(), a.dx.data(), a.gamma.data(),
                         a.beta.data(), a.dgamma.data(), a.dbeta.data()});
                    run();
                    const bool same = forward ? nearly_equal(a.y, expected.y, tolerance)
                                              : nearly_equal(a.dx, expected.dx, tolerance);
                    if (!same) return state.SkipWithError("differs from weft");
                    measure(state, a.work(forward ? 2 : 3), run);
                });
        }
    }
}

[[maybe_unused]] const bool registered = [] {
    add_shape(32 * 28 * 28, 32);
    add_shape(32 * 14 * 14, 64);
    add_onednn(32 * 28 * 28, 32);
    add_onednn(32 * 14 * 14, 64);
    return true;
}();

}  // namespace
