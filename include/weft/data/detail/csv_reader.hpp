/// \file
/// CsvReader: the lines of a CSV file, cut into fields.
#pragma once

#include "weft/data/idx.hpp"

#include <charconv>
#include <cmath>
#include <vector>

namespace weft::detail {

/// Reads a CSV file line by line. A field may stand in double quotes, in which two mean one; spaces
/// around it are dropped. Empty lines are passed over.
/// Source: RFC 4180; without fields that go on in the next line.
class CsvReader {
public:
    /// Throws IoError when the path is not a file that can be opened.
    WEFT_COLD CsvReader(const std::filesystem::path& path, char separator)
        : name_(path.string()), separator_(separator) {
        static_cast<void>(FileBytes(path));  // says what is wrong with the path
        file_.open(path, std::ios::binary);
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
        split();
        return true;
    }

    void rewind() {
        file_.clear();
        file_.seekg(0);
        line_ = 0;
    }

    const std::vector<std::string>& fields() const { return fields_; }

    /// Throws IoError `train.csv: line 17: ...`.
    [[noreturn]] WEFT_COLD void fail(std::string_view what) const {
        throw IoError(concat(name_, line_ == 0 ? "" : concat(": line ", line_), ": ", what));
    }

    /// Throws IoError unless the line has that many fields.
    void require_fields(std::size_t count) const {
        if (fields_.size() == count) return;
        fail(concat("has ", fields_.size(), " fields, expected ", count));
    }

    const std::string& name() const { return name_; }

private:
    static bool is_space(char c) { return c == ' ' || c == '\t'; }

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

    /// Reads the rest of a field in quotes; the separator behind it, or the end.
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
    std::string text_;
    std::vector<std::string> fields_;
};

/// The index of the column with that name. Throws IoError, which names the file, unless there is
/// one.
WEFT_COLD inline std::size_t csv_column(const std::string& file,
                                        const std::vector<std::string>& columns,
                                        std::string_view name) {
    const auto count = std::ranges::count(columns, name);
    if (count != 1) {
        throw IoError(concat(file, ": has ", count, " columns \"", name, "\", expected one"));
    }
    return static_cast<std::size_t>(std::ranges::find(columns, name) - columns.begin());
}

/// The text as part of a message: at most 32 letters, and only those that can be printed.
WEFT_COLD inline std::string quoted_excerpt(std::string_view text) {
    std::string excerpt(text.substr(0, 32));
    for (char& c : excerpt) {
        if (c < ' ' || c > '~') c = '?';
    }
    return concat('"', excerpt, text.size() > 32 ? "...\"" : "\"");
}

/// Reads a whole text as a number; false unless it is one that T holds exactly, floating-point
/// numbers to the nearest, and finite.
template <class T>
bool parse_number(std::string_view text, T& number) {
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    const bool is_read = error == std::errc{} && stop == end;
    if constexpr (std::integral<T>) {
        if (is_read) return true;
        double value = 0;  // 255.0 and 2.55e2 are integers too
        if (!parse_number(text, value) || value != std::floor(value) ||
            value < static_cast<double>(std::numeric_limits<T>::min()) ||
            value > static_cast<double>(std::numeric_limits<T>::max())) {
            return false;
        }
        number = static_cast<T>(value);
        return true;
    } else {
        return is_read && std::isfinite(number);
    }
}

}  // namespace weft::detail
