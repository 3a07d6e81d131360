/// \file
/// FileName: the name of a file, without the header `filesystem`.
#pragma once

#include "weft/core/system.hpp"

#include <ios>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace weft {

/// The name of a file: text or a std::filesystem::path. The path's header is not needed here; it is
/// slow to compile. On Windows a path opens any file whose name is Unicode; text opens those that its
/// code page can name.
class FileName {
public:
    FileName(std::string text) : text_(std::move(text)) {}
    FileName(std::string_view text) : text_(text) {}
    FileName(const char* text) : text_(text) {}
    template <class Path>
    requires requires(const Path& path) { path.lexically_normal(); }
    FileName(const Path& path) {
        if constexpr (std::is_same_v<typename Path::value_type, wchar_t>) {
            for (const auto unit : path.u8string()) text_ += static_cast<char>(unit);
            wide_ = path.native();
        } else {
            text_ = path.native();
        }
    }

    /// The name as text; of a path on Windows in UTF-8.
    const std::string& string() const { return text_; }

    detail::NativeName native() const {
        if (!wide_.empty()) return wide_.c_str();
        return text_.c_str();
    }

    /// Opens a std::fstream, std::ifstream or std::ofstream.
    template <class Stream>
    void open(Stream& file, std::ios::openmode mode) const {
        if constexpr (detail::has_wide_names) {
            if (!wide_.empty()) return file.open(wide_.c_str(), mode);
        }
        file.open(text_.c_str(), mode);
    }

private:
    std::string text_;
    detail::WideName wide_ = {};  // of paths on Windows
};

}  // namespace weft
