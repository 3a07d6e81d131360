/// \file
/// Declared: the object that a declaration of a loss, a metric or an optimiser makes.
#pragma once

#include "weft/config.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace weft::detail {

/// Tells a constructor which type to make.
template <class T>
struct Makes {};

/// An object made by a declaration for some Scalar and Device, and the declaration's name. It never
/// changes, so copies share it. Made by `new`, as elsewhere where programs have many types:
/// make_shared takes g++ 12 three times as long to compile.
template <class Interface>
class Declared {
public:
    const Interface& operator*() const { return *made_; }
    const Interface* operator->() const { return made_.get(); }

protected:
    template <class Made, class D>
    WEFT_COLD Declared(Makes<Made>, std::string_view name, const D& declaration)
        : name_(name), made_(static_cast<const Interface*>(new Made(declaration))) {}

    const std::string& declared_name() const { return name_; }

private:
    std::string name_;
    std::shared_ptr<const Interface> made_;
};

}  // namespace weft::detail
