/// \file
/// ByOutput: something for each output of a model.
#pragma once

#include "weft/core/by_name.hpp"

namespace weft {

/// One entry for each output of a model, in their order, or by name:
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

    /// Whether all are for the outputs of those names, or are not named.
    bool are_for(const std::vector<std::string>& outputs) const {
        return detail::are_names_of(names_, outputs);
    }

    /// Puts entries with names in the order of the outputs; for an output without, the number 1, or
    /// nothing. Throws ArgumentError for a name that none has, or that is there twice.
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
        const auto places =
            detail::places_by_name(entries.names_, outputs, false, option, "output");
        std::vector<T> ordered(outputs.size());
        if constexpr (std::is_arithmetic_v<T>) ordered.assign(outputs.size(), T(1));
        for (std::size_t i = 0; i < places.size(); ++i) ordered[places[i]] = entries[i];
        entries.swap(ordered);
        entries.names_ = outputs;
    }

    std::vector<std::string> names_;
    /// Behind a pointer, so that a program without names compiles nothing of it.
    void (*in_order_)(ByOutput&, const std::vector<std::string>&, std::string_view) = nullptr;
};

}  // namespace weft
