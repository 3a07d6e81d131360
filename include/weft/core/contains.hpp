/// \file
/// contains: whether a list has a value.
#pragma once

namespace weft::detail {

/// Whether some item of the list equals the value.
template <class List, class Value>
bool contains(const List& list, const Value& value) {
    for (const auto& item : list) {
        if (item == value) return true;
    }
    return false;
}

}  // namespace weft::detail
