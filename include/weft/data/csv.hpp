/// \file
/// read_csv: numbers, such as pixels, in the columns of a CSV file.
#pragma once

#include "weft/data/detail/csv_reader.hpp"

namespace weft {

struct CsvOptions {
    /// The column of class indices; empty when there is none.
    std::string label_column = "label";
    bool header = true;  ///< the first line names the columns; without one they are "0", "1", ...
    char separator = ',';
};

/// A CSV file's contents: a sample a line.
template <class Scalar>
struct CsvTable {
    std::vector<std::string> columns;  ///< names of the columns of x
    Tensor<Scalar> x;                  ///< (N, columns): all columns but the labels'
    Tensor<std::int32_t> labels;       ///< (N), at least 0; (0) when there is no such column
};

/// Reads numbers from a CSV file: pixels as std::uint8_t, or any numbers as float or double.
///
///   const auto table = read_csv<std::uint8_t>("fashion-mnist_train.csv");
///   const Examples<float> examples(table.x.view().reshape({table.x.shape()[0], 28, 28}),
///                                  table.labels);
///
/// Fields may stand in double quotes; lines end in LF or CRLF; empty lines are passed over. The
/// file is read twice: no memory is taken for numbers that it does not hold. Throws IoError, which
/// names file and line, for a field that is no finite number of that type, a line of another
/// length, a column that is missing, and a file without samples.
template <class Scalar>
CsvTable<Scalar> read_csv(const std::filesystem::path& path, const CsvOptions& options = {});

namespace detail {

/// The names of all columns and the number of samples. Every line has as many fields as the first.
WEFT_COLD inline std::pair<std::vector<std::string>, Index> scan_csv(CsvReader& reader,
                                                                     bool header) {
    if (!reader.next()) reader.fail("the file is empty");
    std::vector<std::string> columns = reader.fields();
    Index samples = 0;
    if (!header) {
        samples = 1;
        for (std::size_t i = 0; i < columns.size(); ++i) columns[i] = std::to_string(i);
    }
    for (; reader.next(); ++samples) reader.require_fields(columns.size());
    if (samples == 0) reader.fail("no samples follow the header");
    return {std::move(columns), samples};
}

template <class T>
void read_field(const CsvReader& reader, std::size_t field, std::string_view column, T lowest,
                T& number) {
    const std::string& text = reader.fields()[field];
    if (parse_number(text, number) && number >= lowest) return;
    std::string range;
    if constexpr (std::integral<T>) {
        range = concat(" from ", lowest, " to ", std::numeric_limits<T>::max());
    }
    reader.fail(concat("column \"", column, "\" is ", quoted_excerpt(text), ", expected ",
                       std::integral<T> ? "an integer" : "a finite number", range));
}

}  // namespace detail

template <class Scalar>
CsvTable<Scalar> read_csv(const std::filesystem::path& path, const CsvOptions& options) {
    detail::CsvReader reader(path, options.separator);
    auto [columns, samples] = detail::scan_csv(reader, options.header);
    reader.rewind();
    std::size_t label_column = columns.size();  // none
    if (options.header) reader.next();
    if (!options.label_column.empty()) {
        label_column = detail::csv_column(reader.name(), columns, options.label_column);
    }
    const bool labelled = label_column < columns.size();

    CsvTable<Scalar> table;
    table.x = Tensor<Scalar>({samples, static_cast<Index>(columns.size() - labelled)});
    if (labelled) table.labels = Tensor<std::int32_t>(Shape{samples});
    Scalar* number = table.x.data();
    for (Index n = 0; n < samples && reader.next(); ++n) {
        reader.require_fields(columns.size());
        for (std::size_t i = 0; i < columns.size(); ++i) {
            if (i == label_column) {
                detail::read_field(reader, i, columns[i], std::int32_t{0}, table.labels[n]);
            } else {
                constexpr Scalar lowest = std::numeric_limits<Scalar>::lowest();
                detail::read_field(reader, i, columns[i], lowest, *number++);
            }
        }
    }
    if (labelled) columns.erase(columns.begin() + static_cast<std::ptrdiff_t>(label_column));
    table.columns = std::move(columns);
    return table;
}

}  // namespace weft
