/// \file
/// README.md and docs/: code blocks are what the examples say, and links lead somewhere.
#include "weft/version.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

const std::filesystem::path root = WEFT_SOURCE_DIR;

std::string read(const std::filesystem::path& path) {
    std::ifstream file(path);
    REQUIRE_MESSAGE(file.good(), path.string());
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

std::vector<std::filesystem::path> pages() {
    std::vector<std::filesystem::path> result{root / "README.md", root / ".github/CONTRIBUTING.md",
                                              root / ".github/SECURITY.md"};
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root / "docs")) {
        if (entry.path().extension() == ".md") result.push_back(entry.path());
    }
    return result;
}

}  // namespace

TEST_CASE("code blocks that come from an example equal it; scripts/sync_docs.sh copies them") {
    int blocks = 0;
    const std::regex marker(R"(<!-- from (\S+) -->\n```(?:cpp|cmake)\n)");
    for (const auto& page : pages()) {
        const std::string text = read(page);
        for (std::sregex_iterator it(text.begin(), text.end(), marker), end; it != end; ++it) {
            INFO(page.string(), " from ", (*it)[1].str());
            const std::string example = read(root / (*it)[1].str());
            const auto begin = static_cast<std::size_t>(it->position() + it->length());
            CHECK(text.substr(begin, example.size() + 4) == example + "```\n");
            ++blocks;
        }
    }
    CHECK(blocks >= 2);
}

TEST_CASE("the plan in docs/architecture.md is the one that plan_test.cpp expects") {
    const std::string test = read(root / "tests/model/plan_test.cpp");
    const std::regex line(R"re(\s*"(.*)\\n"(\);)?)re");
    std::istringstream lines(test.substr(test.find("plan_text(PassKind::training) ==")));
    std::string plan, text;
    std::getline(lines, text);
    for (std::smatch match; std::getline(lines, text) && std::regex_match(text, match, line);) {
        plan += match[1].str() + "\n";
    }
    CHECK(std::ranges::count(plan, '\n') == 8);
    const bool is_shown =
        read(root / "docs/architecture.md").find("```\n" + plan + "```\n") != std::string::npos;
    CHECK(is_shown);
}

TEST_CASE("links between files lead to files") {
    const std::regex link(R"(\[[^\]]+\]\(([^)#:]+)(#[^)]*)?\))");
    // Where a lambda looks like a link; and what scripts/site.py shows in the site alone.
    const std::regex code("```[^`]*```|<!-- in the site: .* -->");
    for (const auto& page : pages()) {
        const std::string text = std::regex_replace(read(page), code, "");
        for (std::sregex_iterator it(text.begin(), text.end(), link), end; it != end; ++it) {
            INFO(page.string(), " links to ", (*it)[1].str());
            CHECK(std::filesystem::exists(page.parent_path() / (*it)[1].str()));
        }
    }
}

TEST_CASE("no page has a place that waits for a number") {
    for (const auto& page : pages()) {
        INFO(page.string());
        CHECK_FALSE(std::regex_search(read(page), std::regex("@[A-Z]+@")));
    }
}

TEST_CASE("docs/testing.md says how much code there is, within 5 %") {
    std::map<std::string, double> counts;
    for (const char* folder : {"include", "src", "tests"}) {
        const bool is_test = folder == std::string("tests");
        for (const auto& entry : std::filesystem::recursive_directory_iterator(root / folder)) {
            const std::set<std::string> code{".cpp", ".hpp", ".py", ".cmake", ".sh"};
            const bool is_code = code.contains(entry.path().extension().string());
            if (!entry.is_regular_file() || (is_test && !is_code)) continue;
            std::istringstream text(read(entry.path()));
            for (std::string line; std::getline(text, line);) {
                ++counts[is_test ? "lines of its tests" : "lines of the library"];
                counts["test cases in them"] +=
                    line.starts_with("TEST_CASE(") || line.starts_with("TEST_CASE_TEMPLATE(");
                if (!is_test) continue;
                for (const std::string check : {"CHECK", "REQUIRE"}) {
                    const auto at = line.find_first_not_of(' ');
                    if (at != std::string::npos && line.compare(at, check.size(), check) == 0) {
                        ++counts["checks written in them, many in loops"];
                    }
                }
            }
        }
    }
    CHECK(counts.size() == 4);
    const std::string page = read(root / "docs/testing.md");
    for (const auto& of_kind : counts) {
        const std::string& what = of_kind.first;
        std::smatch row;
        REQUIRE_MESSAGE(
            std::regex_search(page, row, std::regex("\n\\| " + what + " \\|.*\\| ([0-9,]+) \\|\n")),
            what);
        const double said = std::stod(std::regex_replace(row[1].str(), std::regex(","), ""));
        CHECK_MESSAGE(said == doctest::Approx(of_kind.second).epsilon(0.05), what);
    }
}

TEST_CASE("packages and the citation say the version of the headers") {
    const std::string version = WEFT_VERSION;
    const auto has = [](const std::string& file, const std::string& line) {
        CHECK_MESSAGE(read(root / file).find(line) != std::string::npos, file, " lacks ", line);
    };
    has("CITATION.cff", "\nversion: " + version + "\n");
    has("packaging/vcpkg/weft/vcpkg.json", "\"version\": \"" + version + "\"");
    has("packaging/debian/changelog", "weft (" + version + "-");
    has("docs/installing.md", "weft/" + version + "\"");
}

TEST_CASE("the first program is short: 15 lines in main") {
    const std::string text = read(root / "examples/first.cpp");
    const std::string begin = "\nint main() {\n", end = "\n}\n";
    const auto first = text.find(begin);
    REQUIRE(first != std::string::npos);
    CHECK(text.ends_with(end));
    CHECK(std::ranges::count(text.substr(first + begin.size()), '\n') <= 15 + 1);
}

TEST_CASE("the quickstart is short") {
    const std::string text = read(root / "examples/quickstart.cpp");
    CHECK(std::ranges::count(text, '\n') < 60);
}
