/// \file
/// RunProgress: the progress of a call of fit.
#pragma once

#include "weft/metrics/metric.hpp"
#include "weft/training/detail/history_table.hpp"

#include <cstdio>

namespace weft::detail {

/// The counts and records of a run.
struct RunProgress {
    Index epoch = 0;     ///< the current or last one, from 1
    Index step = 0;      ///< batches begun in the epoch
    double seconds = 0;  ///< of training in the epoch
    bool epoch_over = true, stopped = false;
    std::vector<MetricSum> sums;  ///< of the epoch: the loss, then the metrics
    History history;

    WEFT_COLD void begin_epoch() {
        ++epoch;
        step = 0;
        seconds = 0;
        epoch_over = false;
        for (MetricSum& sum : sums) sum = {};
    }

    /// Prints where a resumed run continues.   steps: per epoch
    WEFT_COLD void report_resumed(Index steps) const {
        std::string where = join({"epoch ", epoch});
        if (!epoch_over) where = join({"step ", step, "/", steps, " of ", where});
        std::printf("Resumed after %s\n", where.c_str());
    }

    /// names: the scores of each epoch. steps: in an epoch; to_update: of them, in an update.
    WEFT_COLD void visit_state(StateFields& field, const std::vector<std::string>& names,
                               Index steps, Index steps_to_update) {
        field.count("epoch", epoch);
        field.count("step", step);
        field("epoch_over", epoch_over);
        field("stopped", stopped);
        field("seconds", seconds);
        field.require(seconds >= 0 && seconds < 1e15, "seconds", "are not a time");
        std::vector<double> numbers(2 * sums.size());
        for (std::size_t i = 0; i < sums.size(); ++i) {
            numbers[2 * i] = sums[i].sum;
            numbers[2 * i + 1] = sums[i].count;
        }
        field("sums", numbers);
        field.require(numbers.size() == 2 * sums.size(), "sums", "are not of this run's metrics");
        for (std::size_t i = 0; i < sums.size(); ++i) {
            sums[i] = {numbers[2 * i], numbers[2 * i + 1]};
        }
        HistoryTable table{history.epochs, names};
        field("history", table);
        const Index ended = std::ssize(history.epochs);
        field.require(epoch_over ? epoch == ended
                                 : epoch == ended + 1 && step > 0 && step < steps &&
                                       step % steps_to_update == 0,
                      "step", "is not a step of its epoch");
    }
};

}  // namespace weft::detail
