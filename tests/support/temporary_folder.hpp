/// \file
/// TemporaryFolder: a place for the files of a test.
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace weft {

/// A new folder, removed with all that is in it.
class TemporaryFolder {
public:
    TemporaryFolder() {
        std::string name = (std::filesystem::temp_directory_path() / "weft-XXXXXX").string();
        REQUIRE(mkdtemp(name.data()) != nullptr);
        path_ = name;
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    ~TemporaryFolder() { std::filesystem::remove_all(path_); }

    const std::filesystem::path& path() const { return path_; }

    std::string operator/(const std::string& name) const { return (path_ / name).string(); }

    /// Writes a file of that name, bytes or text, and returns its path.
    std::filesystem::path file(const std::string& name, std::string_view text) const {
        // Some file systems wait for the disk where a file is emptied and written again.
        std::filesystem::remove(path_ / name);
        std::ofstream out(path_ / name, std::ios::binary);
        out << text;
        REQUIRE(out.flush().good());
        return path_ / name;
    }
    std::filesystem::path file(const std::string& name,
                               const std::vector<std::uint8_t>& bytes) const {
        return file(name, std::string(bytes.begin(), bytes.end()));
    }

private:
    std::filesystem::path path_;
};

/// All bytes of a file.
inline std::string contents_of(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    REQUIRE(file.is_open());
    return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace weft
