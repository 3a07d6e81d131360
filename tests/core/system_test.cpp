#include "weft/core/system.hpp"

#include "tests/support/temporary_folder.hpp"

#include <doctest/doctest.h>

#include <filesystem>

using namespace weft;

TEST_CASE("create_unique_file makes a new file each time, and says when it cannot") {
    const TemporaryFolder folder;
    const std::string stem = (folder.path() / "a").string();
    const std::string first = detail::create_unique_file(stem, 0600);
    const std::string second = detail::create_unique_file(stem, 0600);
    CHECK(first.starts_with(stem));
    CHECK(first != second);
    CHECK(std::filesystem::file_size(first) == 0);
    CHECK(std::filesystem::file_size(second) == 0);
    errno = 0;
    CHECK(detail::create_unique_file((folder.path() / "none" / "a").string(), 0600).empty());
    CHECK(errno == ENOENT);
}

TEST_CASE("sync_to_disk syncs files that are there") {
    const TemporaryFolder folder;
    CHECK(detail::sync_to_disk(folder.file("a", "text").string().c_str()));
    CHECK_FALSE(detail::sync_to_disk((folder.path() / "none").string().c_str()));
}

TEST_CASE("file_status tells files, folders and what is not there") {
    const TemporaryFolder folder;
    const auto status = [](const std::filesystem::path& path) {
        return detail::file_status(path.string().c_str());
    };
    const auto file = folder.file("a", "text");
    CHECK(status(file).error == 0);
    CHECK(status(file).is_regular);
    CHECK_FALSE(status(file).is_directory);
    CHECK(status(file).size_bytes == 4);
    std::filesystem::create_symlink(file, folder.path() / "link");
    CHECK(status(folder.path() / "link").size_bytes == 4);
    CHECK(status(folder.path()).is_directory);
    CHECK_FALSE(status(folder.path()).is_regular);
    CHECK_FALSE(status("/dev/null").is_regular);
    CHECK(status(folder.path() / "none").error == ENOENT);
    CHECK(status(folder.path() / "none").size_bytes == 0);
}

TEST_CASE("resize_file cuts a file, and says when it cannot") {
    const TemporaryFolder folder;
    const std::string file = folder.file("a", "text").string();
    CHECK(detail::resize_file(file.c_str(), 2));
    CHECK(std::filesystem::file_size(file) == 2);
    errno = 0;
    CHECK_FALSE(detail::resize_file((folder.path() / "none").string().c_str(), 0));
    CHECK(errno == ENOENT);
}
