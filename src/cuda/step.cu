/// \file
/// Kernels of kernels/cuda/step.hpp.
#include "weft/kernels/cuda/step.hpp"

#include "divisor.cuh"
#include "last_block.cuh"
#include "mark.cuh"

#include <algorithm>
#include <cmath>

namespace weft::kernels {
namespace {

constexpr int gather_threads = 256, gathered_at_once = 4;
constexpr std::size_t columns_at_once = 4;

/// Columns that are gathered, and their elements in the batch.
template <class Scalar>
struct Part {
    const Scalar* x;
    Index x_row;
    cuda::Divisor columns;
    int count;
    Scalar* y;
    bool is_checked;
    const std::uint8_t* bytes;

    __device__ Scalar at(Index place) const {
        return bytes == nullptr ? x[place] : static_cast<Scalar>(bytes[place]);
    }
};

template <class Scalar>
struct Parts {
    Part<Scalar> of[columns_at_once];
    int count;

    /// operation(part, i) of element i of all parts, one after another.
    template <class Operation>
    __device__ void at(int i, const Operation& operation) const {
        for (int k = 0; k < count; ++k) {
            if (i < of[k].count) return operation(of[k], i);
            i -= of[k].count;
        }
    }
};

/// A thread has some elements on their way at once. Of blocks that share the work, all have read
/// `taken` before the last of them changes it.
template <class Scalar>
__global__ void gather_parts(Parts<Scalar> parts, int count, StepRow step, bool takes_row,
                             const std::int32_t* samples, double mark, double* wrong,
                             unsigned* ticket) {
    const std::byte* const row =
        takes_row ? step.rows + static_cast<Index>(*step.taken) * step.bytes : step.row;
    samples += *reinterpret_cast<const std::int32_t*>(row + step.first_sample);
    bool is_wrong = false;
    constexpr int tile = gather_threads * gathered_at_once;
    for (Index begin = static_cast<Index>(blockIdx.x) * tile; begin < count;
         begin += static_cast<Index>(gridDim.x) * tile) {
        const int first = static_cast<int>(begin) + static_cast<int>(threadIdx.x);
        Scalar values[gathered_at_once] = {};
        for (int k = 0; k < gathered_at_once; ++k) {
            if (k * gather_threads >= count - first) continue;
            parts.at(first + k * gather_threads, [&](const Part<Scalar>& part, int i) {
                const int r = i / part.columns;
                values[k] = part.at(samples[r] * part.x_row + (i - r * part.columns.divisor()));
            });
        }
        for (int k = 0; k < gathered_at_once; ++k) {
            if (k * gather_threads >= count - first) continue;
            parts.at(first + k * gather_threads, [&](const Part<Scalar>& part, int i) {
                part.y[i] = values[k];
                if (part.is_checked && !std::isfinite(values[k])) is_wrong = true;
            });
        }
    }
    if (is_wrong) cuda::set_mark(mark, wrong);
    if (!takes_row || !cuda::is_last_block(ticket, gridDim.x)) return;
    for (int i = static_cast<int>(threadIdx.x); i < step.bytes; i += gather_threads) {
        step.row[i] = row[i];
    }
    if (threadIdx.x == 0) ++*step.taken;
}

}  // namespace

template <class Scalar>
void gather_batch(Cuda& device, const StepRow& step, bool takes_row, const std::int32_t* samples,
                  Index n, Span<const GatheredColumns<Scalar>> batch, double mark, double* wrong) {
    constexpr int most_blocks = 1024;
    do {
        const auto some = batch.first(std::min(batch.size(), columns_at_once));
        batch = batch.subspan(some.size());
        Parts<Scalar> parts{};
        Index count = 0;
        for (const GatheredColumns<Scalar>& of : some) {
            if (n * of.columns == 0) continue;
            parts.of[parts.count++] = {of.x,
                                       of.x_row,
                                       cuda::Divisor(cuda::narrow(of.columns)),
                                       cuda::narrow(n * of.columns),
                                       of.y,
                                       of.is_checked,
                                       of.bytes};
            count += n * of.columns;
        }
        const int tiles = cuda::ceil_div(cuda::narrow(count), gather_threads * gathered_at_once);
        // The first launch takes the row, though there be nothing to gather.
        const int blocks = std::clamp(tiles, 1, most_blocks);
        cuda::launch(device, gather_parts<Scalar>,
                     {dim3(static_cast<unsigned>(blocks)), dim3(gather_threads)}, parts,
                     static_cast<int>(count), step, takes_row, samples, mark, wrong,
                     device.context().tickets);
        takes_row = false;
    } while (!batch.empty());
}

template decltype(gather_batch<float>) gather_batch<float>;
template decltype(gather_batch<double>) gather_batch<double>;

}  // namespace weft::kernels
