/// \file
/// CommaLocale: a locale whose numbers look like 1.234,5.
#pragma once

#include "tests/support/temporary_folder.hpp"

#include <array>
#include <clocale>
#include <cstdio>
#include <locale>
#include <string>

namespace weft {

/// While it lives, the global locales of C++ and, where one can be had, of C have a decimal comma
/// and group digits.
class CommaLocale {
public:
    CommaLocale() {
        for (const char* name : {"de_DE.UTF-8", "de_DE.utf8", "de_DE", "es_ES.UTF-8"}) {
            if (is_set(name)) break;
        }
        if (!has_c_locale()) make();
        std::locale::global(std::locale(std::locale::classic(), new Numbers));
    }
    CommaLocale(const CommaLocale&) = delete;
    CommaLocale& operator=(const CommaLocale&) = delete;
    ~CommaLocale() {
        std::locale::global(before_);
        std::setlocale(LC_ALL, "C");
    }

    /// Whether C's numbers have a comma.
    static bool has_c_locale() {
        std::array<char, 8> text{};
        std::snprintf(text.data(), text.size(), "%.1f", 0.5);
        return std::string_view(text.data()) == "0,5";
    }

private:
    struct Numbers : std::numpunct<char> {
        char do_decimal_point() const override { return ','; }
        char do_thousands_sep() const override { return '.'; }
        std::string do_grouping() const override { return "\3"; }
    };

    static bool is_set(const char* name) {
        return std::setlocale(LC_ALL, name) != nullptr && has_c_locale();
    }

    /// By glibc's localedef, where its sources of locales are installed.
    void make() {
        const std::string command =
            "localedef -i de_DE -f UTF-8 '" + folder_ / "de_DE.UTF-8" + "' >/dev/null 2>&1";
        if (std::system(command.c_str()) != 0) return;
        setenv("LOCPATH", folder_.path().c_str(), 1);
        is_set("de_DE.UTF-8");
        unsetenv("LOCPATH");
    }

    TemporaryFolder folder_;
    std::locale before_;
};

}  // namespace weft
