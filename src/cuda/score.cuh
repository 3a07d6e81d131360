/// \file
/// Losses of rows, and in the same launch their sum and the rows that match.
#pragma once

#include "argmax.cuh"
#include "reduce.cuh"
#include "weft/kernels/cuda/metric.hpp"
#include "weft/kernels/score.hpp"

#include <cmath>

namespace weft::kernels::cuda {

/// What a kernel is told of a BatchScore. Without one, `loss` is null.
template <class Scalar>
struct RowScore {
    double *loss = nullptr, *wrong = nullptr, *matched = nullptr;
    double mark = 0;
    Matches::Kind kind = Matches::Kind::none;
    Scalar threshold = 0;
    const Scalar *predictions = nullptr, *targets = nullptr;
    int columns = 0;

    RowScore() = default;
    RowScore(const BatchScore<Scalar, Cuda>& score, int of_row)
        : loss(score.loss.data()),
          wrong(score.wrong),
          matched(score.matched.data()),
          mark(score.mark),
          kind(score.matches.kind),
          threshold(static_cast<Scalar>(score.matches.threshold)),
          predictions(score.predictions.data()),
          targets(score.targets.data()),
          columns(of_row) {}

    /// Whether row r matches, on each thread of its warp. A binary one has one column.
    __device__ bool matches(int r, const RowTeam<32>& warp) const {
        const Scalar* const row = predictions + r * columns;
        switch (kind) {
            case Matches::Kind::none:
                return false;
            case Matches::Kind::sparse:
                return static_cast<Scalar>(argmax(warp, columns, row)) == targets[r];
            case Matches::Kind::categorical:
                return argmax(warp, columns, row) == argmax(warp, columns, targets + r * columns);
            case Matches::Kind::binary:
                return targets[r] == (*row > threshold ? Scalar(1) : Scalar(0));
        }
        return false;
    }
};

inline constexpr int score_blocks = 1024;

/// operation(row, team) gives the thread's part of the row's loss. The rows of a block, and the blocks,
/// are added in a fixed order.
template <int threads, class Scalar, class Operation>
__global__ void score_each_row(int rows, Operation operation, RowScore<Scalar> score,
                               double* block_sums, unsigned* ticket) {
    constexpr int at_once = row_block / threads;
    const int thread = static_cast<int>(threadIdx.x);
    const RowTeam<threads> team{thread % threads};
    double loss = 0, matches = 0;
    for (Index r = static_cast<Index>(blockIdx.x) * at_once + thread / threads; r < rows;
         r += static_cast<Index>(gridDim.x) * at_once) {
        const int row = static_cast<int>(r);
        loss += static_cast<double>(operation(row, team));
        if constexpr (threads == 32) {
            if (score.matches(row, team) && team.rank == 0) ++matches;
        }
    }
    if (score.loss == nullptr) return;
    loss = block_sum(loss);
    matches = block_sum(matches);
    if (gridDim.x > 1) {
        double* const of_block = block_sums + 2 * blockIdx.x;
        if (thread == 0) {
            of_block[0] = loss;
            of_block[1] = matches;
        }
        if (!is_last_block(ticket, gridDim.x)) return;
        const volatile double* const sums = block_sums;  // not those of a cache
        loss = matches = 0;
        for (unsigned block = threadIdx.x; block < gridDim.x; block += row_block) {
            loss += sums[2 * block];
            matches += sums[2 * block + 1];
        }
        loss = block_sum(loss);
        matches = block_sum(matches);
    }
    if (thread != 0) return;
    score.loss[0] += loss;
    score.loss[1] += rows;
    // A sum has a NaN or an infinity where one of its terms has.
    if (score.wrong != nullptr && *score.wrong == 0 && !std::isfinite(loss)) {
        *score.wrong = score.mark;
    }
    if (score.kind == Matches::Kind::none) return;
    score.matched[0] += matches;
    score.matched[1] += rows;
}

/// operation(row, team) on each row of a (rows, columns) matrix, whose elements an int can count; it
/// is a `[=] __device__ (int row, auto team)`, writes the row's loss and gives the thread's part of it.
/// Then the sums that `losses` asks for.
template <class Scalar, class Operation>
void score_rows(Cuda& device, const ScoredLosses<Scalar, Cuda>& losses, int columns,
                Operation operation) {
    static_assert(row_block == reduce_threads);
    narrow(losses.size() * columns);
    const int count = narrow(losses.size());
    const bool is_long = columns > longest_row_of_warp;
    RowScore<Scalar> score;
    double* block_sums = nullptr;
    if (losses.score != nullptr) {
        score = {*losses.score, columns};
        block_sums = reinterpret_cast<double*>(device.scratch(2 * sizeof(double) * score_blocks));
        if (is_long) score.kind = Matches::Kind::none;  // those are counted behind it
    }
    const auto start = [&](auto kernel, int rows_of_block) {
        // One block at least: without rows there are sums still.
        const int blocks = std::clamp(ceil_div(count, rows_of_block), 1, score_blocks);
        launch(device, kernel, {dim3(static_cast<unsigned>(blocks)), dim3(row_block)}, count,
               operation, score, block_sums, device.context().tickets);
    };
    if (!is_long) return start(score_each_row<32, Scalar, Operation>, row_block / 32);
    start(score_each_row<row_block, Scalar, Operation>, 1);
    if (losses.score != nullptr) add_matches<Scalar>(device, *losses.score);
}

}  // namespace weft::kernels::cuda
