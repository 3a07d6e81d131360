/// \file
/// read_csv: numbers in the columns of a CSV file.
#pragma once

#include "weft/data/detail/class_labels.hpp"

#include <filesystem>
#include <optional>
#include <tuple>

namespace weft {

/// How a table of numbers is read.
struct CsvOptions {
    /// The column of classes, which are integers of at least 0 or names; empty: no such column.
    std::string label_column = "label";
    bool header = true;    ///< the first line names the columns; without one they are "0", "1", ...
    char separator = ',';  ///< between two fields
    char decimal_point = '.';  ///< a comma in much of Europe, whose separator is then ';'
    /// The names of the classes by index; for a test set, those of the training set. If empty,
    /// names are numbered in alphabetical order (of bytes).
    std::vector<std::string> classes = {};
    /// The texts that stand for a missing number.
    std::vector<std::string> missing_marks = {"",    "?",   "NA",   "N/A",  "#N/A",
                                              "NaN", "nan", "NULL", "null", "None"};
    /// The number that replaces missing ones; it may be NaN. Without it a missing number is an
    /// error. A missing label always is one.
    std::optional<double> missing_value = {};
};

/// The contents of a CSV file: one sample per line.
template <class Scalar>
struct CsvTable {
    std::vector<std::string> columns;  ///< names of the columns of x
    Tensor<Scalar> x;                  ///< (N, columns): all columns but the labels'
    Tensor<std::int32_t> labels;       ///< (N), at least 0; (0) when there is no such column
    std::vector<std::string> classes;  ///< class i is classes[i]; none where labels are integers
};

/// Reads numbers from a CSV file: pixels as std::uint8_t, or any numbers as float or double.
///
///   const auto table = read_csv<std::uint8_t>("fashion-mnist_train.csv");
///   const Examples<float> examples(table.x.view().reshape({table.x.shape()[0], 28, 28}),
///                                  table.labels);
///
/// Fields may be in double quotes. Lines end in LF or CRLF, with or without a separator before it;
/// empty lines are skipped. The file is read twice, so memory is allocated only for numbers that
/// exist. Throws IoError, which names file and line, for a field that is not a finite number of
/// type Scalar, a label that is not a class, a line with another number of fields, a missing
/// column, and a file without samples. The message suggests a separator if the file seems to use
/// another one; so does the refusal of a class such as "5;2" where all lines have as many ';'.
/// Throws ArgumentError for a missing_value that is not a Scalar.
template <class Scalar>
CsvTable<Scalar> read_csv(const std::filesystem::path& path, const CsvOptions& options = {});

namespace detail {

/// The names of all columns and the number of samples. Every line must have as many fields as the
/// first. Separators at the ends of lines make a column without name and values, which is left out.
WEFT_COLD inline std::pair<std::vector<std::string>, Index> scan_csv(CsvReader& reader,
                                                                     bool header) {
    if (!reader.next()) reader.fail("the file is empty");
    std::vector<std::string> columns = reader.fields();
    bool ends_in_separators = header && columns.size() > 1 && columns.back().empty();
    Index samples = 0;
    if (!header) {
        samples = 1;
        for (std::size_t i = 0; i < columns.size(); ++i) columns[i] = std::to_string(i);
    }
    for (; reader.next(); ++samples) {
        reader.require_fields(columns.size());
        ends_in_separators = ends_in_separators && reader.fields().back().empty();
    }
    if (samples == 0) reader.fail("no samples follow the header");
    if (ends_in_separators) columns.pop_back();
    return {std::move(columns), samples};
}

/// The values of T, for errors: "an integer from 0 to 255".
template <class T>
WEFT_COLD std::string expected_number() {
    if constexpr (std::integral<T>) {
        using Limits = std::numeric_limits<T>;
        return concat("an integer from ", Limits::lowest(), " to ", (Limits::max)());
    } else {
        return "a finite number";
    }
}

/// Reads the numbers of a file, some of which may be missing.
template <class T>
class CsvNumbers {
public:
    WEFT_COLD explicit CsvNumbers(const CsvOptions& options)
        : marks_(options.missing_marks), decimal_point_(options.decimal_point) {
        double ignored = 0;
        marks_are_numbers_ = std::ranges::any_of(
            marks_, [&](const std::string& mark) { return parse_number(mark, ignored); });
        if (!options.missing_value) return;
        const double value = *options.missing_value;
        T number{};
        if (std::integral<T> && !parse_number(concat(value), number)) {
            throw ArgumentError(
                concat("read_csv: missing_value is ", value, ", expected ", expected_number<T>()));
        }
        missing_ = static_cast<T>(value);
    }

    bool is_missing(const std::string& text) const {
        return std::ranges::find(marks_, text) != marks_.end();
    }

    /// Throws IoError for a field that is not a number, or is missing without a missing_value.
    void read(const CsvReader& reader, std::size_t field, std::string_view column,
              T& number) const {
        const std::string& text = reader.fields()[field];
        // Marks that are numbers, such as -999, are looked for first; others only in fields that are
        // not numbers.
        const bool is_marked = marks_are_numbers_ && is_missing(text);
        if (!is_marked && parse(text, number)) return;
        if (!is_missing(text) || !missing_) refuse(reader, field, column);
        number = *missing_;
    }

private:
    bool parse(const std::string& text, T& number) const {
        if (decimal_point_ == '.') return parse_number(text, number);
        if (text.find('.') != std::string::npos) return false;  // may group digits
        std::string with_point = text;
        std::ranges::replace(with_point, decimal_point_, '.');
        return parse_number(with_point, number);
    }

    [[noreturn]] WEFT_COLD void refuse(const CsvReader& reader, std::size_t field,
                                       std::string_view column) const {
        const bool missing = is_missing(reader.fields()[field]);
        reader.refuse_field(
            field, column,
            concat(expected_number<T>(), missing ? "; .missing_value puts one in its place" : ""));
    }

    std::vector<std::string> marks_;
    char decimal_point_;
    bool marks_are_numbers_ = false;
    std::optional<T> missing_;
};

}  // namespace detail

template <class Scalar>
CsvTable<Scalar> read_csv(const std::filesystem::path& path, const CsvOptions& options) {
    const detail::CsvNumbers<Scalar> numbers(options);
    detail::ClassLabels labels("read_csv", options.classes);
    detail::CsvReader reader(path, options.separator);
    auto [columns, samples] = detail::scan_csv(reader, options.header);
    reader.rewind();
    std::size_t label_column = columns.size();  // none
    if (options.header) reader.next();
    if (!options.label_column.empty()) {
        label_column = detail::csv_column(reader, columns, options.label_column);
    }
    const bool labelled = label_column < columns.size();

    CsvTable<Scalar> table;
    table.x = Tensor<Scalar>({samples, static_cast<Index>(columns.size() - labelled)});
    Scalar* number = table.x.data();
    for (Index n = 0; n < samples && reader.next(); ++n) {
        reader.require_fields(columns.size());
        for (std::size_t i = 0; i < columns.size(); ++i) {
            if (i != label_column) {
                numbers.read(reader, i, columns[i], *number++);
                continue;
            }
            const std::string& label = reader.fields()[i];
            if (numbers.is_missing(label) && !labels.knows(label)) {
                reader.refuse_field(i, columns[i], "a class");
            }
            labels.add(reader, i, columns[i]);
        }
    }
    if (labelled) {
        columns.erase(columns.begin() + static_cast<std::ptrdiff_t>(label_column));
        std::tie(table.labels, table.classes) = labels.take();
    }
    // Without the separator, a whole line would be the name of a class.
    const char other = reader.other_separator();
    if (columns.empty() && other != 0 && other != ' ') reader.fail("has no column of numbers");
    table.columns = std::move(columns);
    return table;
}

}  // namespace weft
