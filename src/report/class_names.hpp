/// \file
/// The names of classes.
#pragma once

#include "weft/core/shape.hpp"

#include <string>
#include <vector>

namespace weft::detail {

/// The names of the classes; a class without a name has its number.
class ClassNames {
public:
    explicit ClassNames(const std::vector<std::string>& names) : names_(&names) {}

    std::string operator[](Index c) const {
        const auto i = static_cast<std::size_t>(c);
        return i < names_->size() ? (*names_)[i] : concat("class ", c);
    }

    /// "9 : Ankle boot".
    std::string with_number(Index c) const { return concat(c, " : ", (*this)[c]); }

private:
    const std::vector<std::string>* names_;
};

}  // namespace weft::detail
