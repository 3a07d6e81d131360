/// \file
/// Kernels of kernels/cuda/reduction.hpp.
#include "weft/kernels/cuda/reduction.hpp"

#include "columns.cuh"
#include "reduce.cuh"

#include <cassert>
#include <cmath>

namespace weft::kernels {

template <class Scalar>
void column_sums(Cuda& device, TensorView<const Scalar, Cuda> x, TensorView<Scalar, Cuda> sums) {
    assert(x.shape().last() == sums.size());
    cuda::sum_columns<1>(
        device, x.size() / sums.size(), sums.size(),
        [x = x.data()] __device__(int i, int, cuda::Sums<1>& sum) {
            sum[0] += static_cast<double>(x[i]);
        },
        [sums = sums.data()] __device__(int c, const cuda::Sums<1>& sum) {
            sums[c] = static_cast<Scalar>(sum[0]);
        });
}

// The one kernel that the host waits for: it asks.
template <class Scalar>
bool all_finite(Cuda& device, TensorView<const Scalar, Cuda> x) {
    std::byte* const memory = device.scratch(cuda::reduce_bytes + sizeof(double));
    auto* const found = reinterpret_cast<double*>(memory + cuda::reduce_bytes);
    cuda::reduce(
        device, memory, x.size(),
        [x = x.data()] __device__(int i) { return std::isfinite(x[i]) ? 0.0 : 1.0; },
        [=] __device__(double count) { *found = count; });
    double count = 0;
    device.copy_to_host(found, &count, sizeof count);
    return count == 0;
}

template decltype(column_sums<float>) column_sums<float>;
template decltype(column_sums<double>) column_sums<double>;
template decltype(all_finite<float>) all_finite<float>;
template decltype(all_finite<double>) all_finite<double>;

}  // namespace weft::kernels
