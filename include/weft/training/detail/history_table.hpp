/// \file
/// HistoryTable: the epochs of a history as numbers, for the state of a run.
#pragma once

#include "weft/training/history.hpp"
#include "weft/training/state_fields.hpp"

#include <iterator>
#include <string>
#include <utility>
#include <vector>

namespace weft::detail {

/// A row for each epoch: the numbers below, then the scores.
struct HistoryTable {
    std::vector<EpochRecord>& epochs;
    const std::vector<std::string>& scores;

    WEFT_COLD void visit_state(StateFields& field) {
        constexpr double EpochRecord::* numbers[] = {
            &EpochRecord::seconds, &EpochRecord::samples_per_second, &EpochRecord::learning_rate};
        const std::size_t row_size = std::size(numbers) + scores.size();
        std::vector<double> table(epochs.size() * row_size);
        double* to = table.data();
        for (const EpochRecord& epoch : epochs) {
            for (const auto number : numbers) *to++ = epoch.*number;
            for (const std::string& name : scores) *to++ = epoch.scores[name];
        }
        field("epochs", table);
        if (!field.is_restoring()) return;
        field.require(table.size() % row_size == 0, "epochs", "ends in the middle of a row");
        epochs.clear();
        for (auto number = table.begin(); number != table.end();) {
            EpochRecord epoch;
            for (const auto member : numbers) {
                field.require(*number >= 0, "epochs",
                              "holds a time or a rate that is negative or NaN");
                epoch.*member = *number++;
            }
            for (const std::string& name : scores) epoch.scores.set(name, *number++);
            epochs.push_back(std::move(epoch));
        }
    }
};

}  // namespace weft::detail
