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
    const std::string digits = detail::join({number});
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
    constexpr std::size_t columns = 4;
    std::vector<std::string> cells{"Layer (type)", "Output Shape", "Param #", "Connected to"};
    bool is_chain = true;
    for (const SummaryRow& row : rows) {
        cells.push_back(detail::join({row.name, " (", row.type, ")"}));
        cells.push_back(row.output_shape.to_batch_string());
        cells.push_back(with_thousands(row.parameters));
        cells.push_back({});
        for (std::size_t i = 0; i < row.connected_to.size(); ++i) {
            for (std::size_t k = 0; k < columns && i > 0; ++k) cells.push_back({});
            cells.back() = row.connected_to[i];
            is_chain = false;
        }
    }
    std::size_t widths[columns] = {28, 20, 10, 0};
    for (std::size_t i = 0; i < cells.size(); ++i) {
        std::size_t& width = widths[i % columns];
        width = (std::max)(width, cells[i].size() + 2);
    }
    std::size_t width = widths[0] + widths[1] + widths[2];
    if (!is_chain) width += widths[3];

    std::string table = detail::join({"Model: \"", model, "\"\n", std::string(width, '='), "\n"});
    for (std::size_t i = 0; i < cells.size(); ++i) {
        const std::size_t column = i % columns;
        const std::string padding(widths[column] - cells[i].size(), ' ');
        if (column < 2) {
            table += detail::join({cells[i], padding});
        } else if (column == 2) {
            table += detail::join({padding, cells[i]});
        } else {
            if (!is_chain) table += detail::join({"  ", cells[i]});
            table += "\n";
        }
        if (i + 1 == columns) table += detail::join({std::string(width, '-'), "\n"});
    }
    return table += detail::join({std::string(width, '='),
                                  "\nTotal params: ", with_thousands(trainable + not_trainable),
                                  "\nTrainable params: ", with_thousands(trainable),
                                  "\nNon-trainable params: ", with_thousands(not_trainable), "\n"});
}

}  // namespace weft
