// Batch normalisation over the columns of a matrix, forward and backward, by weft and as
// expressions in plain Eigen (on one thread): the layers of cnn-bn and cnn-deep at batch 32.
#include "weft/kernels/cpu/batch_norm.hpp"

#include "bench/support/checked.hpp"
#include "bench/support/contenders.hpp"
#include "bench/support/random_tensor.hpp"
#include "tests/support/reference/batch_norm.hpp"
#include "weft/core/eigen.hpp"

namespace {

using namespace weft;
using namespace weft::bench;

constexpr float epsilon = 1e-3f;

template <class Device>
struct Arrays {
    Arrays(Index r, Index c)
        : rows(r),
          x(random_tensor<Device>({r, c}, 0)),
          dy(random_tensor<Device>({r, c}, 1)),
          y({r, c}),
          dx({r, c}),
          gamma(random_tensor<Device>({c}, 2)),
          beta(random_tensor<Device>({c}, 3)),
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

    Index rows;
    Tensor<float, Device> x, dy, y, dx, gamma, beta, mean, inverse_deviation, dgamma, dbeta;
};

template <class Device>
void forward_weft(Device& device, Arrays<Device>& a) {
    column_moments<float>(device, a.x, a.mean, a.inverse_deviation);
    for (float& v : a.inverse_deviation) v = 1 / std::sqrt(v + epsilon);
    batch_norm_apply<float>(device, a.norm(), a.x, a.y);
}

void forward_eigen(Arrays<Cpu>& a) {
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

void backward_eigen(Arrays<Cpu>& a) {
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

/// So many arrays of the shape are read or written.
Work work(Index rows, Index columns, int arrays) {
    return {.bytes = 4.0 * arrays * static_cast<double>(rows * columns)};
}

void add_shape(Index rows, Index columns) {
    const Task forward{work(rows, columns, 2),
                       [=]<class Device>(Device&) { return Arrays<Device>(rows, columns); },
                       [](auto& device, auto& a) { forward_weft(device, a); },
                       [](const auto& a) { return std::tie(a.y); }};
    const std::string shape = concat("/", rows, "x", columns);
    add_weft("batch_norm/forward" + shape, forward);
    add_contender("batch_norm/forward" + shape + "/eigen", forward,
                  [](Cpu&, auto& a) { return [&a] { forward_eigen(a); }; });

    const Task backward{work(rows, columns, 3),
                        [=]<class Device>(Device& device) {
                            Arrays<Device> a(rows, columns);
                            forward_weft(device, a);
                            return a;
                        },
                        [](auto& device, auto& a) {
                            batch_norm_backward<float>(device, a.norm(), a.x, a.dy, false, a.dx);
                        },
                        [](const auto& a) { return std::tie(a.dx, a.dgamma, a.dbeta); }};
    add_weft("batch_norm/backward" + shape, backward);
    add_contender("batch_norm/backward" + shape + "/eigen", backward,
                  [](Cpu&, auto& a) { return [&a] { backward_eigen(a); }; });
    if constexpr (has_onednn) {
        const auto onednn = [=](bool is_forward) {
            return [=](Cpu&, auto& a) {
                return onednn_batch_norm(
                    rows, columns, epsilon, is_forward,
                    {a.x.data(), a.y.data(), a.dy.data(), a.dx.data(), a.gamma.data(),
                     a.beta.data(), a.dgamma.data(), a.dbeta.data()});
            };
        };
        add_contender("batch_norm/forward" + shape + "/onednn", forward, onednn(true));
        add_contender("batch_norm/backward" + shape + "/onednn", backward, onednn(false));
    }
}

[[maybe_unused]] const bool registered = [] {
    add_shape(32 * 28 * 28, 32);
    add_shape(32 * 14 * 14, 64);
    return true;
}();

}  // namespace
