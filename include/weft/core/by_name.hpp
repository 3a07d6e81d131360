/// \file
/// Named: a value for the model's input or output of a name.
#pragma once

#include "weft/core/contains.hpp"
#include "weft/core/shape.hpp"

#include <vector>

namespace weft {

/// A value and the name of the input or output it belongs to: {"digit", value}.
template <class T>
struct Named {
    /// Not an aggregate: {} must not convert to a Named.
    Named(std::string its_name, T its_value) : name(std::move(its_name)), value(its_value) {}

    std::string name;
    T value;
};

namespace detail {

/// Whether the names are those of the outputs, in order, or there are none.
WEFT_COLD inline bool are_names_of(const std::vector<std::string>& names,
                                   const std::vector<std::string>& outputs) {
    return names.empty() || names == outputs;
}

template <class Name>
WEFT_COLD [[noreturn]] void refuse_name(std::string_view who, std::string_view fault,
                                        std::string_view kind, std::string_view name,
                                        const std::vector<Name>& known) {
    if (known.empty()) {
        throw ArgumentError(
            join({who, ": ", kind, " ", name, " is named, but the model has no layers"}));
    }
    std::string list;
    for (const Name& other : known) list += join({list.empty() ? "" : ", ", other});
    throw ArgumentError(join({who, ": ", fault, " ", kind, " ", name, "; there are ", list}));
}

/// The place of each name in `known`; 0, 1, ... if there are no names. Throws ArgumentError for an
/// unknown name, for one given twice and, with needs_all, for a missing one. A template: programs
/// without names do not compile it.
///   who: "fit: the data"   kind: "input"
template <class Name>
WEFT_COLD std::vector<std::size_t> places_by_name(const std::vector<Name>& names,
                                                  const std::vector<std::string>& known,
                                                  bool needs_all, std::string_view who,
                                                  std::string_view kind) {
    std::vector<std::size_t> places;
    while (names.empty() && places.size() < known.size()) places.push_back(places.size());
    for (const Name& name : names) {
        std::size_t k = 0;
        while (k < known.size() && known[k] != name) ++k;
        if (k == known.size()) refuse_name(who, "there is no", kind, name, known);
        if (contains(places, k)) refuse_name(who, "two entries for", kind, name, known);
        places.push_back(k);
    }
    for (std::size_t k = 0; k < known.size() && needs_all; ++k) {
        if (!contains(places, k)) refuse_name(who, "no entry for", kind, known[k], known);
    }
    return places;
}

}  // namespace detail

}  // namespace weft
