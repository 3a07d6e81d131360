/// \file
/// CsvReader: the lines of a CSV file, split into fields.
#pragma once

#include "weft/core/file_format.hpp"
#include "weft/core/file_name.hpp"
#include "weft/data/detail/parse_number.hpp"
#include "weft/data/idx.hpp"

#include <array>
#include <filesystem>
#include <string>
#include <vector>

namespace weft::detail {

/// The text in quotes, for messages: at most 32 characters, only printable ones.
WEFT_COLD inline std::string quoted_excerpt(std::string_view text) {
    std::string excerpt(text.substr(0, 32));
    for (char& c : excerpt) {
        if (c < ' ' || c > '~') c = '?';
    }
    return concat('"', excerpt, text.size() > 32 ? "...\"" : "\"");
}

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
        if (lines_counted_ < 16) count_separators();
        split();
        return true;
    }

    void rewind() {
        file_.clear();
        line_ = 0;
        if (!file_.seekg(0)) fail("cannot be read again from its start");
    }

    const std::vector<std::string>& fields() const { return fields_; }

    /// Throws IoError `train.csv: line 17: ...`. The message suggests another separator if the
    /// file seems to use one, which `text`, the refused part of the file, holds too.
    [[noreturn]] WEFT_COLD void fail(std::string_view what, std::string_view text = {}) const {
        throw IoError(concat(name_, line_ == 0 ? "" : concat(": line ", line_), ": ", what,
                             separator_hint(text)));
    }

    /// Throws IoError `train.csv: line 17: column "a" is "x", expected ...`.
    [[noreturn]] WEFT_COLD void refuse_field(std::size_t field, std::string_view column,
                                             std::string_view expected) const {
        fail(concat("column \"", column, "\" is ", quoted_excerpt(fields_[field]), ", expected ",
                    expected),
             in_quotes_[field] ? std::string_view{} : fields_[field]);
    }

    /// Whether another separator, which all lines have equally often, divides the field into parts
    /// of which one is a number.
    WEFT_COLD bool hides_numbers(std::size_t field) const {
        const char other = in_quotes_[field] ? char{0} : steady_separator(fields_[field]);
        if (other == 0) return false;
        std::string_view rest = fields_[field];
        double ignored = 0;
        for (;;) {
            const std::size_t end = (std::min)(rest.find(other), rest.size());
            std::string part(rest.substr(0, end));
            std::ranges::replace(part, ',', '.');
            if (parse_number(part, ignored)) return true;
            if (end == rest.size()) return false;
            rest.remove_prefix(end + 1);
        }
    }

    /// Throws IoError unless the line has `count` fields. One more is dropped if it is empty: the
    /// line then ends in a separator.
    void require_fields(std::size_t count) {
        if (fields_.size() == count + 1 && fields_.back().empty()) fields_.pop_back();
        if (fields_.size() == count) return;
        fail(concat("has ", fields_.size(), " fields, expected ", count), text_);
    }

    /// The separator that the first line seems to use, if it has none of the given one; else 0.
    WEFT_COLD char other_separator() const {
        char other = 0;
        std::ptrdiff_t most = 0;
        if (count_outside_quotes(first_line_, separator_) > 0) return other;
        for (const char candidate : candidates) {
            const auto count = count_outside_quotes(first_line_, candidate);
            if (count > most) other = candidate;
            most = (std::max)(most, count);
        }
        return most == 0 && count_outside_quotes(first_line_, ' ') > 0 ? ' ' : other;
    }

    /// The end of an error about `text` that suggests the separator the file seems to use; else
    /// empty.
    WEFT_COLD std::string separator_hint(std::string_view text) const {
        if (const char other = other_separator(); other != 0) {
            return concat("; the first line has ", count_outside_quotes(first_line_, other), " ",
                          named(other), " and no ", named(separator_),
                          ": try .separator = ", named(other));
        }
        if (const char other = steady_separator(text); other != 0) {
            return concat("; every line has as many ", named(other),
                          ": try .separator = ", named(other));
        }
        return {};
    }

    const std::string& first_line() const { return first_line_; }
    const std::string& name() const { return name_; }

private:
    bool is_space(char c) const { return (c == ' ' || c == '\t') && c != separator_; }

    WEFT_COLD static std::string named(char separator) {
        return separator == '\t' ? "'\\t'" : concat("'", separator, "'");
    }

    static constexpr std::array<char, 4> candidates{',', ';', '\t', '|'};

    WEFT_COLD static std::ptrdiff_t count_outside_quotes(std::string_view text, char separator) {
        bool is_quoted = false;
        return std::ranges::count_if(text, [&](char c) {
            is_quoted ^= c == '"';
            return !is_quoted && c == separator;
        });
    }

    WEFT_COLD void count_separators() {
        for (std::size_t i = 0; i < candidates.size(); ++i) {
            const auto count = count_outside_quotes(text_, candidates[i]);
            if (lines_counted_ == 0) counts_[i] = count;
            if (count != counts_[i]) counts_[i] = 0;
        }
        ++lines_counted_;
    }

    /// The separator, other than the given one, that `text` holds, and each of the lines counted as
    /// often as the others; else 0.
    WEFT_COLD char steady_separator(std::string_view text) const {
        for (std::size_t i = 0; i < candidates.size(); ++i) {
            const char other = candidates[i];
            if (other == separator_ || counts_[i] == 0) continue;
            if (text.find(other) != std::string_view::npos) return other;
        }
        return 0;
    }

    void split() {
        std::size_t used = 0;
        in_quotes_.clear();
        const char *at = text_.data(), *const end = at + text_.size();
        for (;; ++at) {
            if (used == fields_.size()) fields_.emplace_back();
            std::string& field = fields_[used++];
            field.clear();
            while (at != end && is_space(*at)) ++at;
            in_quotes_.push_back(at != end && *at == '"');
            if (in_quotes_.back()) {
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
    int lines_counted_ = 0;
    std::array<std::ptrdiff_t, 4> counts_{};  ///< of candidates in a line; 0 where lines differ
    std::vector<std::string> fields_;
    std::vector<bool> in_quotes_;  ///< fields_
};

/// The index of the column with the given name. Throws IoError, which names the file, unless there
/// is exactly one.
WEFT_COLD inline std::size_t csv_column(const CsvReader& reader,
                                        const std::vector<std::string>& columns,
                                        std::string_view name) {
    const auto count = std::ranges::count(columns, name);
    if (count != 1) {
        throw IoError(concat(reader.name(), ": has ", count, " columns \"", name,
                             "\", expected one", reader.separator_hint(reader.first_line())));
    }
    return static_cast<std::size_t>(std::ranges::find(columns, name) - columns.begin());
}

}  // namespace weft::detail
