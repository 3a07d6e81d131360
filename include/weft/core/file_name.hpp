/// \file
/// FileName: the name of a file, without the header `filesystem`.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace weft {

/// The name of a file: text or a std::filesystem::path. The path's header is not needed here; it is
/// slow to compile.
class FileName {
public:
    FileName(std::string text) : text_(std::move(text)) {}
    FileName(std::string_view text) : text_(text) {}
    FileName(const char* text) : text_(text) {}
    template <class Path>
    requires requires(const Path& path) { path.lexically_normal(); }
    FileName(const Path& path) : text_(path.string()) {}

    const std::string& string() const { return text_; }
    const char* c_str() const { return text_.c_str(); }

private:
    std::string text_;
};

}  // namespace weft
