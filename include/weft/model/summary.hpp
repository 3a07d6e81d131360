/// \file
/// The table that Sequential::summary prints.
#pragma once

#include "weft/core/shape.hpp"

#include <vector>

namespace weft {

/// One layer in a summary.
struct SummaryRow {
    std::string_view name;
    std::string_view type;
    Shape output_shape;  ///< of one sample
    Index parameters = 0;
    std::vector<std::string> connected_to = {};  ///< what it reads, where the model is no chain
};

/// 1234567 as "1,234,567".
WEFT_COLD inline std::string with_thousands(Index number) {
    const std::string digits = std::to_string(number);
    std::string grouped;
    for (std::size_t i = 0; i < digits.size(); ++i) {
        if (i > 0 && (digits.size() - i) % 3 == 0) grouped += ',';
        grouped += digits[i];
    }
    return grouped;
}

/// The table: a row a layer, then total, trainable and non-trainable parameters. Where a row says
/// what it is connected to there is a column for that, one value a line.
WEFT_COLD inline std::string format_summary(std::string_view model,
                                            const std::vector<SummaryRow>& rows, Index trainable,
                                            Index not_trainable) {
    std::vector<std::array<std::string, 4>> cells{
        {"Layer (type)", "Output Shape", "Param #", "Connected to"}};
    std::size_t connections = 0;
    for (const SummaryRow& row : rows) {
        cells.push_back({concat(row.name, " (", row.type, ")"), row.output_shape.to_batch_string(),
                         with_thousands(row.parameters)});
        for (std::size_t i = 0; i < row.connected_to.size(); ++i) {
            if (i > 0) cells.emplace_back();
            cells.back()[3] = row.connected_to[i];
            connections = (std::max)(connections, row.connected_to[i].size());
        }
    }
    std::array<std::size_t, 3> widths{28, 20, 10};
    for (const auto& row : cells) {
        for (std::size_t c = 0; c < 3; ++c) widths[c] = (std::max)(widths[c], row[c].size() + 2);
    }
    std::size_t width = widths[0] + widths[1] + widths[2];
    if (connections > 0) width += 2 + (std::max)(connections, cells.front()[3].size());
    const auto padded = [](std::string text, std::size_t to) {
        return text += std::string(to - text.size(), ' ');
    };

    std::string table = concat("Model: \"", model, "\"\n", std::string(width, '='), "\n");
    for (std::size_t r = 0; r < cells.size(); ++r) {
        const auto& [layer, shape, parameters, connected_to] = cells[r];
        table += padded(layer, widths[0]) + padded(shape, widths[1]) +
                 std::string(widths[2] - parameters.size(), ' ') + parameters;
        if (connections > 0) table += "  " + connected_to;
        table += "\n";
        if (r == 0) table += std::string(width, '-') + "\n";
    }
    return table += concat(std::string(width, '='),
                           "\nTotal params: ", with_thousands(trainable + not_trainable),
                           "\nTrainable params: ", with_thousands(trainable),
                           "\nNon-trainable params: ", with_thousands(not_trainable), "\n");
}

}  // namespace weft
