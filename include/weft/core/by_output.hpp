/// \file
/// ByOutput: an option with one entry for each output of a model.
#pragma once

#include "weft/core/by_name.hpp"

namespace weft {

/// One entry for each output of a model, in order or by name:
///
///   .loss_weights = {2, 0.5}
///   .loss_weights = {{"place", 0.5}, {"digit", 2}}
template <class T>
class ByOutput : public std::vector<T> {
public:
    ByOutput() = default;
    ByOutput(std::initializer_list<T> in_order) : std::vector<T>(in_order) {}
    ByOutput(std::vector<T> in_order) : std::vector<T>(std::move(in_order)) {}
    WEFT_COLD ByOutput(std::initializer_list<Named<T>> by_name) {
        for (const Named<T>& one : by_name) {
            this->push_back(one.value);
            names_.push_back(one.name);
        }
        in_order_ = in_order;
    }

    /// Whether the entries have the outputs' names, in order, or no names.
    bool are_for(const std::vector<std::string>& outputs) const {
        return detail::are_names_of(names_, outputs);
    }

    /// Puts named entries into the order of the outputs. An output without an entry gets the number
    /// 1, or an empty entry. Throws ArgumentError for an unknown name, for one given twice and, if T
    /// has no empty entry, for a missing one.
    ///   option: "trainer: loss_weights"
    void put_in_order(const std::vector<std::string>& outputs, std::string_view option) {
        if (in_order_) in_order_(*this, outputs, option);
    }

private:
    WEFT_COLD static void in_order(ByOutput& entries, const std::vector<std::string>& outputs,
                                   std::string_view option) {
        if (entries.size() != entries.names_.size()) {
            throw ArgumentError(detail::join(
                {option, ": ", entries.size(), " entries with ", entries.names_.size(), " names"}));
        }
        constexpr bool may_miss = std::is_default_constructible_v<T>;
        const auto places =
            detail::places_by_name(entries.names_, outputs, !may_miss, option, "output");
        std::vector<T> ordered(entries);
        if constexpr (std::is_arithmetic_v<T>) {
            ordered.assign(outputs.size(), T(1));
        } else if constexpr (may_miss) {
            ordered.assign(outputs.size(), T());
        }
        for (std::size_t i = 0; i < places.size(); ++i) ordered[places[i]] = entries[i];
        entries.swap(ordered);
        entries.names_ = outputs;
    }

    std::vector<std::string> names_;
    /// A pointer: programs without names do not compile it.
    void (*in_order_)(ByOutput&, const std::vector<std::string>&, std::string_view) = nullptr;
};

}  // namespace weft
