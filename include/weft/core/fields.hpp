/// \file
/// Fields: named values that a format writes or restores.
#pragma once

#include "weft/core/error.hpp"

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace weft {

/// Writes fields or restores them. A type names its fields in one function that serves both ways:
/// LayerFields for declarations of layers, StateFields for the state of a run. Abstract: programs
/// do not compile formats they do not use, such as JSON or checkpoints. Restoring throws IoError
/// for a field of another type.
class Fields {
public:
    virtual ~Fields() = default;

    virtual bool is_restoring() const = 0;

    virtual void operator()(std::string_view name, bool& truth) = 0;
    virtual void operator()(std::string_view name, double& number) = 0;
    virtual void operator()(std::string_view name, std::string& text) = 0;
    /// A whole number of at most 64 bits. Restoring throws IoError for a value out of T's range.
    template <std::integral T>
    void operator()(std::string_view name, T& number) {
        auto wide = static_cast<std::int64_t>(number);
        visit_integer(name, wide);
        require(sizeof(T) == sizeof wide || std::in_range<T>(wide), name, "is out of range");
        number = static_cast<T>(wide);
    }

    /// Throws IoError "<origin>: <name> <complaint>" unless it holds.
    virtual void require(bool holds, std::string_view name, std::string_view complaint) const = 0;

protected:
    virtual void visit_integer(std::string_view name, std::int64_t& number) = 0;
};

}  // namespace weft
