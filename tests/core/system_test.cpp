#include "weft/core/system.hpp"

#include "tests/support/temporary_folder.hpp"

#include <doctest/doctest.h>

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
