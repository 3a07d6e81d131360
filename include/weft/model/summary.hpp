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

/// The table: a row a layer, then total, trainable and non-trainable parameters.
WEFT_COLD inline std::string format_summary(std::string_view model,
                                            const std::vector<SummaryRow>& rows, Index trainable,
                                            Index not_trainable) {
    std::vector<std::array<std::string, 3>> cells{{"Layer (type)", "Output Shape", "Param #"}};
    for (const SummaryRow& row : rows) {
        cells.push_back({concat(row.name, " (", row.type, ")"), row.output_shape.to_batch_string(),
                         with_thousands(row.parameters)});
    }
    std::array<std::size_t, 3> widths{28, 20, 10};
    for (const auto& row : cells) {
        for (std::size_t c = 0; c < 3; ++c) widths[c] = (std::max)(widths[c], row[c].size() + 2);
    }
    const std::size_t width = widths[0] + widths[1] + widths[2];
    const auto padded = [](std::string text, std::size_t to) {
        return text += std::string(to - text.size(), ' ');
    };

    std::string table = concat("Model: \"", model, "\"\n", std::string(width, '='), "\n");
    for (std::size_t r = 0; r < cells.size(); ++r) {
        const auto& [layer, shape, parameters] = cells[r];
        table += padded(layer, widths[0]) + padded(shape, widths[1]) +
                 std::string(widths[2] - parameters.size(), ' ') + parameters + "\n";
        if (r == 0) table += std::string(width, '-') + "\n";
    }
    return table += concat(std::string(width, '='),
                           "\nTotal params: ", with_thousands(trainable + not_trainable),
                           "\nTrainable params: ", with_thousands(trainable),
                           "\nNon-trainable params: ", with_thousands(not_trainable), "\n");
}

}  // namespace weft
