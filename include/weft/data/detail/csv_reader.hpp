/// \file
/// CsvReader: the lines of a CSV file, split into fields.
#pragma once

#include "weft/core/file_format.hpp"
#include "weft/core/file_name.hpp"
#include "weft/data/idx.hpp"

#include <charconv>
#include <cmath>
#include <filesystem>
#include <vector>

namespace weft::detail {

/// Reads a CSV file line by line. A field may be in double quotes, in which two mean one. Blanks
/// and tabs around a field are dropped, unless they are the separator. Empty lines are skipped.
/// Source: RFC 4180, without fields that span lines.
class CsvReader {
public:
    /// Throws IoError when the path is not a text file that can be opened.
    WEFT_COLD CsvReader(const std::filesystem::path& path, char separator)
        : name_(FileName(path).string()), separator_(separator) {
        static_cast<void>(FileBytes(path));  // throws when the path cannot be read
        if (separator == '"' || separator == '\n' || separator == '\r') {
            throw ArgumentError(concat(
                name_, ": separator is a quote or an end of line, expected another character"));
        }
        file_.open(path, std::ios::binary);
        if (!file_.is_open()) fail("cannot be opened");
        std::string start(64, '\0');
        file_.read(start.data(), static_cast<std::streamsize>(start.size()));
        start.resize(static_cast<std::size_t>(file_.gcount()));
        const std::string_view format = known_file_format(start);
        if (!format.empty()) fail(concat("is ", format, ", expected CSV in UTF-8"));
        rewind();
    }

    /// Reads the next line with fields; false after the last. Throws IoError for quotes that do not
    /// close or do not end their field.
    bool next() {
        do {
            if (!std::getline(file_, text_)) {
                if (file_.bad()) fail("cannot be read further");
                return false;
            }
            ++line_;
            if (line_ == 1 && text_.starts_with("\xEF\xBB\xBF")) text_.erase(0, 3);
            while (!text_.empty() && (is_space(text_.back()) || text_.back() == '\r')) {
                text_.pop_back();
            }
        } while (text_.empty());
        if (first_line_.empty()) first_line_ = text_;
        split();
        return true;
    }

    void rewind() {
        file_.clear();
        line_ = 0;
        if (!file_.seekg(0)) fail("cannot be read again from its start");
    }

    const std::vector<std::string>& fields() const { return fields_; }

    /// Throws IoError `train.csv: line 17: ...`.
    [[noreturn]] WEFT_COLD void fail(std::string_view what) const {
        throw IoError(concat(name_, line_ == 0 ? "" : concat(": line ", line_), ": ", what,
                             separator_hint()));
    }

    /// Throws IoError unless the line has `count` fields. One more is dropped if it is empty: the
    /// line then ends in a separator.
    void require_fields(std::size_t count) {
        if (fields_.size() == count + 1 && fields_.back().empty()) fields_.pop_back();
        if (fields_.size() == count) return;
        fail(concat("has ", fields_.size(), " fields, expected ", count));
    }

    /// The separator that the first line seems to use, if it is not the given one; else 0.
    WEFT_COLD char other_separator() const {
        char other = 0;
        std::ptrdiff_t most = 0;
        if (count_in_first_line(separator_) > 0) return other;
        for (const char candidate : {',', ';', '\t', '|'}) {
            const auto count = count_in_first_line(candidate);
            if (count > most) other = candidate;
            most = (std::max)(most, count);
        }
        return most == 0 && count_in_first_line(' ') > 0 ? ' ' : other;
    }

    /// The end of an error that suggests the separator the file seems to use; else empty.
    WEFT_COLD std::string separator_hint() const {
        const char other = other_separator();
        if (other == 0) return {};
        return concat("; the first line has ", count_in_first_line(other), " ", named(other),
                      " and no ", named(separator_), ": try .separator = ", named(other));
    }

    const std::string& name() const { return name_; }

private:
    bool is_space(char c) const { return (c == ' ' || c == '\t') && c != separator_; }

    WEFT_COLD static std::string named(char separator) {
        return separator == '\t' ? "'\\t'" : concat("'", separator, "'");
    }

    /// Outside of quotes.
    WEFT_COLD std::ptrdiff_t count_in_first_line(char separator) const {
        bool is_quoted = false;
        return std::ranges::count_if(first_line_, [&](char c) {
            is_quoted ^= c == '"';
            return !is_quoted && c == separator;
        });
    }

    void split() {
        std::size_t used = 0;
        const char *at = text_.data(), *const end = at + text_.size();
        for (;; ++at) {
            if (used == fields_.size()) fields_.emplace_back();
            std::string& field = fields_[used++];
            field.clear();
            while (at != end && is_space(*at)) ++at;
            if (at != end && *at == '"') {
                at = quoted(at + 1, end, field);
            } else {
                const char* const stop = std::find(at, end, separator_);
                const char* last = stop;
                while (last != at && is_space(last[-1])) --last;
                field.assign(at, last);
                at = stop;
            }
            if (at == end) break;
        }
        fields_.resize(used);
    }

    /// Reads the rest of a field in quotes. Returns the separator behind it, or the end.
    const char* quoted(const char* at, const char* end, std::string& field) {
        for (;; ++at) {
            if (at == end) fail("a quote is not closed");
            if (*at == '"' && (++at == end || *at != '"')) break;
            field += *at;
        }
        while (at != end && is_space(*at)) ++at;
        if (at != end && *at != separator_) fail("text follows a quoted field");
        return at;
    }

    std::string name_;
    char separator_;
    std::ifstream file_;
    std::uint64_t line_ = 0;
    std::string text_, first_line_;
    std::vector<std::string> fields_;
};

/// The index of the column with the given name. Throws IoError, which names the file, unless there
/// is exactly one.
WEFT_COLD inline std::size_t csv_column(const CsvReader& reader,
                                        const std::vector<std::string>& columns,
                                        std::string_view name) {
    const auto count = std::ranges::count(columns, name);
    if (count != 1) {
        throw IoError(concat(reader.name(), ": has ", count, " columns \"", name,
                             "\", expected one", reader.separator_hint()));
    }
    return static_cast<std::size_t>(std::ranges::find(columns, name) - columns.begin());
}

/// The text in quotes, for messages: at most 32 characters, only printable ones.
WEFT_COLD inline std::string quoted_excerpt(std::string_view text) {
    std::string excerpt(text.substr(0, 32));
    for (char& c : excerpt) {
        if (c < ' ' || c > '~') c = '?';
    }
    return concat('"', excerpt, text.size() > 32 ? "...\"" : "\"");
}

/// Whether a decimal number, which is not 0, is below 1 in magnitude.
WEFT_COLD inline bool is_below_one(std::string_view number) {
    const std::size_t e = (std::min)(number.find_first_of("eE"), number.size());
    const std::string_view digits = number.substr(0, e);
    const std::size_t point = (std::min)(digits.find('.'), digits.size());
    const std::size_t first = digits.find_first_of("123456789");
    std::string_view power = number.substr((std::min)(e + 1, number.size()));
    if (power.starts_with('+')) power.remove_prefix(1);
    std::int64_t exponent = 0;
    const auto read = std::from_chars(power.data(), power.data() + power.size(), exponent);
    if (read.ec == std::errc::result_out_of_range) return power.starts_with('-');
    // The first digit that is not 0 stands for 10^place.
    const auto place = static_cast<std::int64_t>(point) - static_cast<std::int64_t>(first) -
                       (first < point ? 1 : 0);
    return exponent < -place;
}

/// Reads the whole text as a number, with or without a sign. False unless it is one: for integers a
/// whole number in T's range, else a finite number, rounded to the nearest T (1e-50 is 0 in float).
template <class T>
bool parse_number(std::string_view text, T& number) {
    if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
    const auto read = [text](auto& value) {
        const char* const end = text.data() + text.size();
        const auto [stop, error] = std::from_chars(text.data(), end, value);
        return stop == end ? error : std::errc::invalid_argument;
    };
    const std::errc error = read(number);
    if constexpr (std::integral<T>) {
        if (error == std::errc{}) return true;
        double value = 0;  // 255.0 and 2.55e2 are integers too
        if (read(value) != std::errc{} || value != std::floor(value) ||
            value < static_cast<double>((std::numeric_limits<T>::min)()) ||
            value > static_cast<double>((std::numeric_limits<T>::max)())) {
            return false;
        }
        number = static_cast<T>(value);
        return true;
    } else {
        if (error == std::errc::result_out_of_range && is_below_one(text)) {
            number = text.starts_with('-') ? -T{0} : T{0};
            return true;
        }
        return error == std::errc{} && std::isfinite(number);
    }
}

}  // namespace weft::detail
