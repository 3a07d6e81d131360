/// \file
/// The table that Sequential::summary prints.
#pragma once

#include "weft/core/shape.hpp"

#include <vector>

namespace weft {

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

/// The table: a row per layer, then total, trainable and non-trainable parameters. If a row has
/// connections, there is a column for them, one value per line.
class SummaryTable {
public:
    /// output_shape: of one sample. connected_to: the layer's inputs, if the model is not a chain.
    WEFT_COLD void add_row(std::string_view name, std::string_view type, const Shape& output_shape,
                           Index parameters, Span<const std::string> connected_to = {}) {
        cells_.push_back(detail::join({name, " (", type, ")"}));
        cells_.push_back(output_shape.to_batch_string());
        cells_.push_back(with_thousands(parameters));
        const std::string nothing;
        cells_.push_back(connected_to.empty() ? nothing : connected_to[0]);
        for (std::size_t i = 1; i < connected_to.size(); ++i) {
            for (std::size_t k = 1; k < columns; ++k) cells_.push_back(nothing);
            cells_.push_back(connected_to[i]);
        }
        is_chain_ &= connected_to.empty();
    }

    /// The text, with the model's name and numbers of parameters.
    WEFT_COLD std::string text(std::string_view model, Index trainable, Index not_trainable) const {
        std::size_t widths[columns] = {28, 20, 10, 0};
        for (std::size_t i = 0; i < cells_.size(); ++i) {
            std::size_t& width = widths[i % columns];
            width = (std::max)(width, cells_[i].size() + 2);
        }
        std::size_t width = widths[0] + widths[1] + widths[2];
        if (!is_chain_) width += widths[3];

        std::string table =
            detail::join({"Model: \"", model, "\"\n", std::string(width, '='), "\n"});
        for (std::size_t i = 0; i < cells_.size(); ++i) {
            const std::size_t column = i % columns;
            const std::string padding(widths[column] - cells_[i].size(), ' ');
            if (column < 2) {
                table += detail::join({cells_[i], padding});
            } else if (column == 2) {
                table += detail::join({padding, cells_[i]});
            } else {
                if (!is_chain_) table += detail::join({"  ", cells_[i]});
                table += "\n";
            }
            if (i + 1 == columns) table += detail::join({std::string(width, '-'), "\n"});
        }
        return table +=
               detail::join({std::string(width, '='),
                             "\nTotal params: ", with_thousands(trainable + not_trainable),
                             "\nTrainable params: ", with_thousands(trainable),
                             "\nNon-trainable params: ", with_thousands(not_trainable), "\n"});
    }

private:
    static constexpr std::size_t columns = 4;

    std::vector<std::string> cells_{"Layer (type)", "Output Shape", "Param #", "Connected to"};
    bool is_chain_ = true;
};

}  // namespace weft
