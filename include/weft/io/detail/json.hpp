/// \file
/// Json: a value of JSON. Compiled in src/io/json.cpp.
#pragma once

#include "weft/core/error.hpp"

#include <concepts>
#include <cstdint>
#include <memory>
#include <variant>
#include <vector>

namespace weft::detail {

/// A value of JSON. It is small: a hostile text may have one in every second character.
class Json {
public:
    struct Member;
    using Array = std::vector<Json>;
    using Object = std::vector<Member>;  ///< in the order of the text

    Json() = default;  ///< null
    template <std::same_as<bool> Bool>
    Json(Bool truth) : value_(truth) {}
    template <std::integral Integer>
    requires(!std::same_as<Integer, bool>)
    Json(Integer number) : value_(static_cast<std::int64_t>(number)) {}
    Json(double number) : value_(number) {}
    Json(std::string_view text) : value_(std::make_unique<std::string>(text)) {}
    Json(const char* text) : Json(std::string_view(text)) {}
    Json(Array array);
    Json(Object object);
    Json(Json&&) noexcept;
    Json& operator=(Json&&) noexcept;
    ~Json();

    bool is_null() const { return value_.index() == 0; }
    const bool* boolean() const { return std::get_if<bool>(&value_); }
    const std::int64_t* integer() const { return std::get_if<std::int64_t>(&value_); }
    const double* real() const { return std::get_if<double>(&value_); }
    const std::string* text() const { return get<std::string>(); }
    const Array* array() const { return get<Array>(); }
    const Object* object() const { return get<Object>(); }
    Array* array() { return const_cast<Array*>(get<Array>()); }
    Object* object() { return const_cast<Object*>(get<Object>()); }

    /// The member with the given name; null if there is none, or this is not an object.
    const Json* find(std::string_view name) const;

private:
    template <class T>
    const T* get() const {
        const auto* pointer = std::get_if<std::unique_ptr<T>>(&value_);
        return pointer ? pointer->get() : nullptr;
    }

    std::variant<std::monostate, bool, std::int64_t, double, std::unique_ptr<std::string>,
                 std::unique_ptr<Array>, std::unique_ptr<Object>>
        value_;
};

struct Json::Member {
    std::string name;
    Json value;
};

/// Parses a text. Integers of 64 bits are read exactly, other numbers as the nearest double. Throws
/// IoError, which starts with `where`, for a text that is not JSON, nests deeper than max_depth or
/// has an object with two members of one name.
Json parse_json(std::string_view text, int max_depth, std::string_view where);

/// The text of a value, on one line. Doubles have the shortest form that reads back the same.
/// Throws ArgumentError `<where>: ...` for text that is not UTF-8 and for numbers that are not
/// finite.
std::string to_text(const Json& json, std::string_view where);

}  // namespace weft::detail
