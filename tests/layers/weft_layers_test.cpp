#include "weft/layers/weft_layers.hpp"

#include "weft/cpu.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <set>

using namespace weft;

TEST_CASE("each header of layers/ that declares a layer is in the list") {
    const std::set<std::string> listed = detail::visit_weft_layers([](const auto&... examples) {
        return std::set<std::string>{std::string(std::remove_cvref_t<decltype(examples)>::type)...};
    });
    std::set<std::string> declared;
    const auto folder = std::filesystem::path(WEFT_SOURCE_DIR) / "include/weft/layers";
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        const std::string before = "static constexpr std::string_view type = \"";
        std::ifstream file(entry.path());
        for (std::string line; std::getline(file, line);) {
            const auto found = line.find(before);
            if (found == std::string::npos) continue;
            const auto begin = found + before.size();
            declared.insert(line.substr(begin, line.find('"', begin) - begin));
        }
    }
    CHECK(declared.size() > 20);
    CHECK(listed == declared);
}
