#include "bench/support/contenders.hpp"

#include <cblas.h>

namespace weft::bench {

void gemm_openblas(const Gemm& gemm) {
    [[maybe_unused]] static const bool threads_set =
        (openblas_set_num_threads(Cpu().threads()), true);
    const auto transpose = [](const GemmOperand& x) {
        return x.transposed ? CblasTrans : CblasNoTrans;
    };
    const auto integer = [](Index i) { return static_cast<blasint>(i); };
    cblas_sgemm(CblasRowMajor, transpose(gemm.a), transpose(gemm.b), integer(gemm.rows),
                integer(gemm.columns), integer(gemm.depth), 1.0f, gemm.a.data,
                integer(gemm.a.row_stride), gemm.b.data, integer(gemm.b.row_stride), 0.0f, gemm.c,
                integer(gemm.columns));
}

std::string openblas_version() { return openblas_get_config(); }

}  // namespace weft::bench
