// The stand-in for cuBLASLt: sums in double, element by element.
#include "tests/cuda_sim/cublasLt.h"

#include "fail.hpp"
#include "memory.hpp"
#include "runtime.hpp"

#include <bit>
#include <cmath>
#include <cstring>
#include <vector>

using namespace cuda_sim;

struct cublasLtContext {};

namespace {

void require(bool holds, const char* what) {
    if (!holds) fail(std::string("cublasLtMatmul: ") + what);
}

/// The value of an attribute, of whose size nothing may be missing.
template <class Value>
cublasStatus_t take(Value& to, const void* value, std::size_t size) {
    if (size != sizeof to) return CUBLAS_STATUS_INVALID_VALUE;
    std::memcpy(&to, value, size);
    return CUBLAS_STATUS_SUCCESS;
}

/// To 11 significant bits, half to even.
float rounded_to_tf32(float x) {
    if (!std::isfinite(x)) return x;
    auto bits = std::bit_cast<std::uint32_t>(x);
    bits += 0xFFFU + ((bits >> 13) & 1U);
    return std::bit_cast<float>(bits & ~0x1FFFU);
}

/// op(matrix), of so many rows and columns.
struct Factor {
    const float* data;
    std::uint64_t rows, columns;
    std::int64_t row_step, column_step;
    bool tf32;

    Factor(const void* first, const cublasLtMatrixLayoutOpaque_t& layout, cublasOperation_t op,
           bool is_rounded)
        : data(static_cast<const float*>(first)),
          rows(op == CUBLAS_OP_N ? layout.rows : layout.columns),
          columns(op == CUBLAS_OP_N ? layout.columns : layout.rows),
          row_step(op == CUBLAS_OP_N ? 1 : layout.stride),
          column_step(op == CUBLAS_OP_N ? layout.stride : 1),
          tf32(is_rounded) {}

    float at(std::uint64_t row, std::uint64_t column) const {
        const float x = data[static_cast<std::int64_t>(row) * row_step +
                             static_cast<std::int64_t>(column) * column_step];
        return tf32 ? rounded_to_tf32(x) : x;
    }
};

bool is_layout(const cublasLtMatrixLayoutOpaque_t& layout) {
    return layout.rows > 0 && layout.columns > 0 &&
           layout.stride >= static_cast<std::int64_t>(layout.rows);
}

bool is_aligned(const void* address, std::uint32_t bytes) {
    return reinterpret_cast<std::uintptr_t>(address) % bytes == 0;
}

/// Whether the matrix lies in one piece of device memory.
bool is_in_memory(const void* first, const cublasLtMatrixLayoutOpaque_t& layout) {
    const std::uint64_t elements =
        (layout.columns - 1) * static_cast<std::uint64_t>(layout.stride) + layout.rows;
    return Memory::get().holds(first, elements * sizeof(float), /*is_device=*/true);
}

void multiply(const Factor& a, const Factor& b, const cublasLtMatmulDescOpaque_t& product, float* d,
              std::int64_t stride) {
    for (std::uint64_t j = 0; j < b.columns; ++j) {
        for (std::uint64_t i = 0; i < a.rows; ++i) {
            double sum = 0;
            for (std::uint64_t k = 0; k < a.columns; ++k) {
                sum += static_cast<double>(a.at(i, k)) * static_cast<double>(b.at(k, j));
            }
            auto value = static_cast<float>(sum);
            if (product.epilogue == CUBLASLT_EPILOGUE_BIAS) value += product.bias[i];
            d[static_cast<std::int64_t>(i) + static_cast<std::int64_t>(j) * stride] = value;
        }
    }
    if (product.epilogue != CUBLASLT_EPILOGUE_BGRADA) return;
    Factor exact = a;
    exact.tf32 = false;
    for (std::uint64_t i = 0; i < a.rows; ++i) {
        double sum = 0;
        for (std::uint64_t k = 0; k < a.columns; ++k) sum += static_cast<double>(exact.at(i, k));
        product.bias[i] = static_cast<float>(sum);
    }
}

}  // namespace

const char* cublasLtGetStatusName(cublasStatus_t status) {
    switch (status) {
        case CUBLAS_STATUS_SUCCESS:
            return "CUBLAS_STATUS_SUCCESS";
        case CUBLAS_STATUS_NOT_INITIALIZED:
            return "CUBLAS_STATUS_NOT_INITIALIZED";
        case CUBLAS_STATUS_INVALID_VALUE:
            return "CUBLAS_STATUS_INVALID_VALUE";
        case CUBLAS_STATUS_NOT_SUPPORTED:
            return "CUBLAS_STATUS_NOT_SUPPORTED";
    }
    return "unrecognized";
}

cublasStatus_t cublasLtCreate(cublasLtHandle_t* handle) {
    if (!options().has_library) return CUBLAS_STATUS_NOT_INITIALIZED;
    *handle = new cublasLtContext;
    count_objects(1);
    return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtDestroy(cublasLtHandle_t handle) {
    if (handle == nullptr) fail("cublaslt: no handle is destroyed");
    delete handle;
    count_objects(-1);
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulDescInit(cublasLtMatmulDesc_t product, cublasComputeType_t compute,
                                      cudaDataType_t /*scale*/) {
    *product = {compute, CUBLAS_OP_N, CUBLAS_OP_N, CUBLASLT_EPILOGUE_DEFAULT, nullptr};
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t product,
                                              cublasLtMatmulDescAttributes_t attribute,
                                              const void* value, std::size_t size) {
    switch (attribute) {
        case CUBLASLT_MATMUL_DESC_TRANSA:
            return take(product->a, value, size);
        case CUBLASLT_MATMUL_DESC_TRANSB:
            return take(product->b, value, size);
        case CUBLASLT_MATMUL_DESC_EPILOGUE:
            return take(product->epilogue, value, size);
        case CUBLASLT_MATMUL_DESC_BIAS_POINTER:
            return take(product->bias, value, size);
    }
    return CUBLAS_STATUS_INVALID_VALUE;
}

cublasStatus_t cublasLtMatrixLayoutInit(cublasLtMatrixLayout_t layout, cudaDataType_t /*type*/,
                                        std::uint64_t rows, std::uint64_t columns,
                                        std::int64_t stride) {
    *layout = {rows, columns, stride};
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulPreferenceInit(cublasLtMatmulPreference_t preference) {
    *preference = {0, 7, {256, 256, 256, 256}};
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t preference,
                                                    cublasLtMatmulPreferenceAttributes_t attribute,
                                                    const void* value, std::size_t size) {
    switch (attribute) {
        case CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES:
            return take(preference->scratch_bytes, value, size);
        case CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK:
            return take(preference->reductions, value, size);
        default:
            return take(preference->alignments[attribute - 5], value, size);
    }
}

// One kernel, which takes some scratch.
cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t /*handle*/,
                                              cublasLtMatmulDesc_t product,
                                              cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
                                              cublasLtMatrixLayout_t /*c*/,
                                              cublasLtMatrixLayout_t d,
                                              cublasLtMatmulPreference_t preference, int wanted,
                                              cublasLtMatmulHeuristicResult_t* found, int* count) {
    *count = 0;
    if (wanted < 1 || !is_layout(*a) || !is_layout(*b) || !is_layout(*d)) {
        return CUBLAS_STATUS_INVALID_VALUE;
    }
    if (!options().library_has_kernels) return CUBLAS_STATUS_NOT_SUPPORTED;
    if (options().library_refuses && product->epilogue != CUBLASLT_EPILOGUE_DEFAULT) {
        return CUBLAS_STATUS_INVALID_VALUE;
    }
    if ((preference->reductions & CUBLASLT_REDUCTION_SCHEME_INPLACE) != 0) {
        fail("cublasLtMatmulAlgoGetHeuristic: a reduction in place is not excluded");
    }
    constexpr std::size_t scratch_bytes = 1000;
    const Factor first(nullptr, *a, product->a, false);
    *found = {{d->rows, d->columns, first.columns, scratch_bytes, {}, product->epilogue},
              scratch_bytes,
              CUBLAS_STATUS_SUCCESS,
              1};
    std::memcpy(found->algo.alignments, preference->alignments, sizeof preference->alignments);
    *count = preference->scratch_bytes >= scratch_bytes ? 1 : 0;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t handle, cublasLtMatmulDesc_t product,
                              const void* alpha, const void* a, cublasLtMatrixLayout_t a_layout,
                              const void* b, cublasLtMatrixLayout_t b_layout, const void* beta,
                              const void* c, cublasLtMatrixLayout_t c_layout, void* d,
                              cublasLtMatrixLayout_t d_layout, const cublasLtMatmulAlgo_t* algo,
                              void* workspace, std::size_t workspace_bytes,
                              cudaStream_t handle_of) {
    require(handle != nullptr, "no handle");
    require(*static_cast<const float*>(alpha) == 1 && *static_cast<const float*>(beta) == 0,
            "the stand-in knows alpha 1 and beta 0");
    require(c == d && c_layout->stride == d_layout->stride, "C is not D");
    const bool tf32 = product->compute == CUBLAS_COMPUTE_32F_FAST_TF32;
    const Factor first(a, *a_layout, product->a, tf32), second(b, *b_layout, product->b, tf32);
    require(first.columns == second.rows && first.rows == d_layout->rows &&
                second.columns == d_layout->columns,
            "layouts do not fit together");
    require(is_layout(*a_layout) && is_layout(*b_layout) && is_layout(*d_layout),
            "a stride is below the rows");
    require(algo->m == first.rows && algo->n == second.columns && algo->k == first.columns &&
                algo->epilogue == product->epilogue,
            "the kernel was chosen for another product");
    require(is_aligned(a, algo->alignments[0]) && is_aligned(b, algo->alignments[1]) &&
                is_aligned(c, algo->alignments[2]) && is_aligned(d, algo->alignments[3]),
            "a matrix is less aligned than was said");
    require(is_in_memory(a, *a_layout) && is_in_memory(b, *b_layout) && is_in_memory(d, *d_layout),
            "a matrix is not in device memory");
    require(workspace_bytes >= algo->scratch_bytes &&
                Memory::get().holds(workspace, workspace_bytes, /*is_device=*/true),
            "scratch is missing");
    const bool has_vector = product->epilogue != CUBLASLT_EPILOGUE_DEFAULT;
    require(!has_vector || Memory::get().holds(product->bias, first.rows * sizeof(float), true),
            "the bias is not in device memory");
    const auto run = [=, of = *product, stride = d_layout->stride] {
        std::memset(workspace, 0xFF, workspace_bytes);
        multiply(first, second, of, static_cast<float*>(d), stride);
    };
    const cudaError_t status = on_stream(handle_of, [&](CUstream_st& stream) {
        stream.submit({Work::Kind::kernel, run, reinterpret_cast<const void*>(&cublasLtMatmul),
                       nullptr, nullptr});
        return cudaSuccess;
    });
    return status == cudaSuccess ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_INVALID_VALUE;
}
