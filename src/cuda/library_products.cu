/// \file
/// Products of float by cuBLASLt.
///
/// Its matrices are column by column, so the product is C^T = B^T A^T: rows in memory are columns to
/// it, and a factor that lies along the depth is B^T transposed, or A^T as it is. It adds the bias, and
/// the sums of the columns of B. What is done to C beside that is a kernel of weft's: its own relu need
/// not keep a NaN, and its derivative of a relu needs a mask of bits that it has written itself.
#include "library_products.cuh"

#include "library_output.cuh"

#include <cublasLt.h>

#include <algorithm>
#include <map>

namespace weft::kernels {
namespace cuda {

/// A library's handle, and the kernels that it has chosen, for any thread.
struct ProductLibrary {
    /// Of a kernel that computes some product, if there is one.
    struct Choice {
        cublasLtMatmulAlgo_t algorithm;
        std::size_t scratch_bytes;
        bool is_there;
    };
    /// What it is chosen by: extents, strides and layouts of the factors, the epilogue, alignments.
    using Key = std::array<int, 13>;

    ProductLibrary() = default;
    ~ProductLibrary() {
        if (handle != nullptr) cublasLtDestroy(handle);
    }
    ProductLibrary(const ProductLibrary&) = delete;
    ProductLibrary& operator=(const ProductLibrary&) = delete;

    std::mutex mutex;
    cublasLtHandle_t handle = nullptr;  ///< made when it is needed first
    std::map<Key, Choice> choices;
};

namespace {

void check(cublasStatus_t status, const char* what) {
    if (status == CUBLAS_STATUS_SUCCESS) return;
    throw CudaError(concat("cuda: ", what, ": ", cublasLtGetStatusName(status)));
}

/// More helps few products, and each stream has it by itself.
constexpr std::size_t most_scratch_bytes = std::size_t{32} << 20;

/// How far the address is aligned: to 256 bytes at most, which is what the library takes for granted.
int alignment_of(const void* address) {
    const auto place = reinterpret_cast<std::uintptr_t>(address);
    int alignment = 256;
    while (place % static_cast<unsigned>(alignment) != 0) alignment /= 2;
    return alignment;
}

/// A product as the library sees it: D (m, n) = op(A) op(B), where its A is B of the product.
struct Description {
    cublasLtMatmulDescOpaque_t product;
    cublasLtMatrixLayoutOpaque_t a, b, d;

    Description(const ProductShape& shape, const LibraryFactor& first, const LibraryFactor& second,
                const Output<float>& out, cublasLtEpilogue_t epilogue, bool tf32) {
        check(cublasLtMatmulDescInit(
                  &product, tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F, CUDA_R_32F),
              "cublasLtMatmulDescInit");
        set(CUBLASLT_MATMUL_DESC_TRANSA, second.along_depth ? CUBLAS_OP_T : CUBLAS_OP_N);
        set(CUBLASLT_MATMUL_DESC_TRANSB, first.along_depth ? CUBLAS_OP_N : CUBLAS_OP_T);
        set(CUBLASLT_MATMUL_DESC_EPILOGUE, epilogue);
        if (epilogue == CUBLASLT_EPILOGUE_BIAS) set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, out.bias);
        if (epilogue == CUBLASLT_EPILOGUE_BGRADA) {
            set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, out.column_sums);
        }
        // Each lies with its short axis last, which to the library are the rows.
        lay(a, second.along_depth ? shape.depth : shape.columns,
            second.along_depth ? shape.columns : shape.depth, second.stride);
        lay(b, first.along_depth ? shape.depth : shape.rows,
            first.along_depth ? shape.rows : shape.depth, first.stride);
        lay(d, shape.columns, shape.rows, out.stride);
    }

private:
    template <class Value>
    void set(cublasLtMatmulDescAttributes_t attribute, const Value& value) {
        check(cublasLtMatmulDescSetAttribute(&product, attribute, &value, sizeof value),
              "cublasLtMatmulDescSetAttribute");
    }
    static void lay(cublasLtMatrixLayoutOpaque_t& layout, int rows, int columns, int stride) {
        check(cublasLtMatrixLayoutInit(&layout, CUDA_R_32F, static_cast<std::uint64_t>(rows),
                                       static_cast<std::uint64_t>(columns), stride),
              "cublasLtMatrixLayoutInit");
    }
};

/// The library's choice among kernels that add up splits apart, in one order.
ProductLibrary::Choice choose(cublasLtHandle_t handle, Description& of, int align_a, int align_b,
                              int align_d) {
    cublasLtMatmulPreferenceOpaque_t preference;
    check(cublasLtMatmulPreferenceInit(&preference), "cublasLtMatmulPreferenceInit");
    const auto set = [&](cublasLtMatmulPreferenceAttributes_t attribute, const auto& value) {
        check(cublasLtMatmulPreferenceSetAttribute(&preference, attribute, &value, sizeof value),
              "cublasLtMatmulPreferenceSetAttribute");
    };
    set(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, std::uint64_t{most_scratch_bytes});
    set(CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK,
        static_cast<std::uint32_t>(CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE));
    set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, static_cast<std::uint32_t>(align_a));
    set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, static_cast<std::uint32_t>(align_b));
    set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, static_cast<std::uint32_t>(align_d));
    set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, static_cast<std::uint32_t>(align_d));
    cublasLtMatmulHeuristicResult_t found{};
    int count = 0;
    const cublasStatus_t status = cublasLtMatmulAlgoGetHeuristic(
        handle, &of.product, &of.a, &of.b, &of.d, &of.d, &preference, 1, &found, &count);
    if (status == CUBLAS_STATUS_NOT_SUPPORTED) return {};
    if (status == CUBLAS_STATUS_INVALID_VALUE) return {};  // some versions say so of an epilogue
    check(status, "cublasLtMatmulAlgoGetHeuristic");
    const bool is_there = count > 0 && found.state == CUBLAS_STATUS_SUCCESS;
    return {found.algo, found.workspaceSize, is_there};
}

}  // namespace

std::shared_ptr<ProductLibrary> open_product_library() {
    return std::make_shared<ProductLibrary>();
}

bool multiply_by_library(Cuda& device, const ProductShape& shape, const LibraryFactor& a,
                         const LibraryFactor& b, const Output<float>& out) {
    if (shape.depth == 0) return false;
    Context& context = device.context();
    const CurrentGpu current = context.use();
    ProductLibrary& library = *context.products;
    const cublasLtEpilogue_t epilogue = out.column_sums != nullptr ? CUBLASLT_EPILOGUE_BGRADA
                                        : out.bias != nullptr      ? CUBLASLT_EPILOGUE_BIAS
                                                                   : CUBLASLT_EPILOGUE_DEFAULT;
    const bool tf32 = device.options().tf32;
    Description of(shape, a, b, out, epilogue, tf32);
    const int align_a = alignment_of(b.data), align_b = alignment_of(a.data);
    const int align_d = alignment_of(out.data);
    const void* const beside = out.column_sums != nullptr ? out.column_sums : out.bias;
    const ProductLibrary::Key key{shape.rows,
                                  shape.columns,
                                  shape.depth,
                                  a.stride,
                                  b.stride,
                                  out.stride,
                                  a.along_depth,
                                  b.along_depth,
                                  epilogue,
                                  tf32,
                                  align_a,
                                  align_b,
                                  align_d * 512 + alignment_of(beside)};
    ProductLibrary::Choice choice;
    {
        const std::lock_guard lock(library.mutex);
        if (library.handle == nullptr) check(cublasLtCreate(&library.handle), "cublasLtCreate");
        const auto known = library.choices.find(key);
        choice = known != library.choices.end()
                     ? known->second
                     : library.choices[key] = choose(library.handle, of, align_a, align_b, align_d);
    }
    if (!choice.is_there) return false;
    std::byte* const scratch =
        choice.scratch_bytes > 0 ? device.scratch(choice.scratch_bytes) : nullptr;
    const float one = 1, zero = 0;
    check(cublasLtMatmul(library.handle, &of.product, &one, b.data, &of.a, a.data, &of.b, &zero,
                         out.data, &of.d, out.data, &of.d, &choice.algorithm, scratch,
                         choice.scratch_bytes, stream_of(device)),
          "cublasLtMatmul");
    if (context.waits_for_each) context.synchronize();
    if (out.activation == linear && out.relu == nullptr) return true;
    Output<float> rest = out;
    rest.bias = nullptr;
    rest.bias_in_fours = false;
    finish_sums(device, shape.rows, shape.columns, rest);
    return true;
}

}  // namespace cuda

bool Cuda::has_cublaslt() { return true; }

}  // namespace weft::kernels
