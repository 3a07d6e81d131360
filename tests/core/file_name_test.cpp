#include "weft/core/file_name.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <type_traits>

using weft::FileName;

TEST_CASE("FileName is made of text, and of a path") {
    const std::string text = "logs/run.csv";
    const auto name = [](const FileName& file) { return file.string(); };
    CHECK(name("logs/run.csv") == text);
    CHECK(name(text) == text);
    CHECK(name(std::string_view(text).substr(5)) == "run.csv");
    CHECK(name(std::filesystem::path("logs") / "run.csv") ==
          (std::filesystem::path("logs") / "run.csv").string());
    CHECK(std::string(FileName(text).c_str()) == text);
    CHECK_FALSE(std::is_convertible_v<int, FileName>);
}
