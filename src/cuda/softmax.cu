/// \file
/// Kernels of softmax.cuh.
#include "softmax.cuh"

namespace weft::kernels::cuda {

template <class Scalar>
void softmax_forward(Cuda& device, TensorView<const Scalar, Cuda> x, TensorView<Scalar, Cuda> y) {
    if (x.size() == 0) return;
    const int columns = narrow(x.shape().last());
    for_each_row(device, x.size() / columns, columns,
                 [=, x = x.data(), y = y.data()] __device__(int r, auto team) {
                     const int begin = r * columns;
                     const auto row =
                         exp_of_row(team, columns, x + begin, y + begin, [](int, Scalar) {});
                     team.each(columns, [&](int c) { y[begin + c] *= row.inverse_total; });
                 });
}

template <class Scalar>
void softmax_backward(Cuda& device, TensorView<const Scalar, Cuda> y,
                      TensorView<const Scalar, Cuda> dy, TensorView<Scalar, Cuda> dx) {
    if (y.size() == 0) return;
    const int columns = narrow(y.shape().last());
    for_each_row(device, y.size() / columns, columns,
                 [=, y = y.data(), dy = dy.data(), dx = dx.data()] __device__(int r, auto team) {
                     const int begin = r * columns;
                     double sum = 0;
                     team.each(columns, [&](int c) {
                         sum += static_cast<double>(y[begin + c] * dy[begin + c]);
                     });
                     const auto projection = static_cast<Scalar>(team.sum(sum));
                     team.each(columns, [&](int c) {
                         dx[begin + c] = y[begin + c] * (dy[begin + c] - projection);
                     });
                 });
}

template decltype(softmax_forward<float>) softmax_forward<float>;
template decltype(softmax_forward<double>) softmax_forward<double>;
template decltype(softmax_backward<float>) softmax_backward<float>;
template decltype(softmax_backward<double>) softmax_backward<double>;

}  // namespace weft::kernels::cuda
