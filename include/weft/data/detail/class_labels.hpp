/// \file
/// ClassLabels: class indices from the class labels of a file.
#pragma once

#include "weft/data/detail/csv_reader.hpp"

#include <functional>
#include <map>

namespace weft::detail {

/// Numbers the classes of a column, sample by sample. The first label decides what the column
/// holds: integers of at least 0, which are the indices, or names, numbered in alphabetical order
/// (of bytes). Names known beforehand keep their indices.
class ClassLabels {
public:
    /// Throws ArgumentError for a name given twice. `who` begins the message.
    WEFT_COLD ClassLabels(std::string_view who, const std::vector<std::string>& known)
        : known_(known), holds_names_(!known.empty()) {
        for (const std::string& name : known) {
            const auto next = static_cast<std::int32_t>(numbers_.size());
            if (!numbers_.emplace(name, next).second) {
                throw ArgumentError(
                    concat(who, ": classes names ", quoted_excerpt(name), " twice"));
            }
        }
    }

    /// Throws IoError for a label of the wrong kind, or not among the known names.
    void add(const CsvReader& reader, std::size_t field, std::string_view column) {
        const std::string& text = reader.fields()[field];
        double ignored = 0;
        const bool is_number = parse_number(text, ignored);
        if (labels_.empty() && known_.empty()) holds_names_ = !is_number;
        std::int32_t label = 0;
        if (holds_names_) {
            label = number_of(reader, field, is_number, column);
        } else if (!parse_number(text, label) || label < 0) {
            reader.refuse_field(
                field, column,
                concat("an integer from 0 to ", (std::numeric_limits<std::int32_t>::max)()));
        }
        labels_.push_back(label);
    }

    /// Whether the name was known beforehand.
    bool knows(std::string_view name) const {
        return !known_.empty() && numbers_.find(name) != numbers_.end();
    }

    /// The labels (N), and the names of the classes, empty if the labels are numbers.
    WEFT_COLD std::pair<Tensor<std::int32_t>, std::vector<std::string>> take() {
        std::vector<std::string> classes = known_;
        if (known_.empty() && holds_names_) {
            std::vector<std::int32_t> place(numbers_.size());
            for (const auto& [name, number] : numbers_) {  // in the order of the names
                place[static_cast<std::size_t>(number)] = static_cast<std::int32_t>(classes.size());
                classes.push_back(name);
            }
            for (std::int32_t& label : labels_) label = place[static_cast<std::size_t>(label)];
        }
        const Shape shape{static_cast<Index>(labels_.size())};
        return {Tensor<std::int32_t>(TensorView<const std::int32_t>(labels_, shape)),
                std::move(classes)};
    }

private:
    std::int32_t number_of(const CsvReader& reader, std::size_t field, bool is_number,
                           std::string_view column) {
        const std::string& text = reader.fields()[field];
        const auto found = numbers_.find(text);
        if (found != numbers_.end()) return found->second;
        if (!known_.empty()) {
            reader.refuse_field(field, column,
                                concat("one of the ", known_.size(), " names in classes"));
        }
        if (is_number) {
            reader.refuse_field(
                field, column,
                "the name of a class, as above it; .classes may list all, numbers too");
        }
        // With the wrong separator, a name would hold the numbers beside it.
        if (reader.hides_numbers(field)) {
            reader.refuse_field(field, column, "a class, in quotes if its name is that");
        }
        const auto next = static_cast<std::int32_t>(numbers_.size());
        numbers_.emplace(text, next);
        return next;
    }

    std::vector<std::string> known_;
    bool holds_names_;
    std::map<std::string, std::int32_t, std::less<>> numbers_;
    std::vector<std::int32_t> labels_;
};

}  // namespace weft::detail
