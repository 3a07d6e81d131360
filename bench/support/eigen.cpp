#include "weft/core/eigen.hpp"
#include "bench/support/contenders.hpp"

namespace weft::bench {

void gemm_eigen(const Gemm& gemm) {
    const auto [rows, columns, depth, a, b, c_data] = gemm;
    using Map = MatrixMap<const float>;
    const Map left(a.data, a.transposed ? depth : rows, a.transposed ? rows : depth);
    const Map right(b.data, b.transposed ? columns : depth, b.transposed ? depth : columns);
    MatrixMap<float> c(c_data, rows, columns);
    if (a.transposed) {
        c.noalias() = left.transpose() * right;
    } else if (b.transposed) {
        c.noalias() = left * right.transpose();
    } else {
        c.noalias() = left * right;
    }
}

}  // namespace weft::bench
