// Reports where any operation fails.
#include "tests/faults/survive.hpp"
#include "tests/support/temporary_folder.hpp"
#include "weft/report/report.hpp"
#include "weft/weft.hpp"

#include <doctest/doctest.h>

#include <map>

using namespace weft;
using namespace weft::faults;
namespace fs = std::filesystem;

namespace {

std::map<std::string, std::string> files_in(const fs::path& folder) {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::directory_iterator(folder)) {
        files[entry.path().filename().string()] = contents_of(entry.path());
    }
    return files;
}

RunReport report(std::string title) {
    Tensor<float> x({6, 3, 3});
    Tensor<std::uint8_t> y({6});
    Tensor<float> probabilities({6, 2});
    for (Index i = 0; i < 6; ++i) {
        y[i] = static_cast<std::uint8_t>(i % 2);
        probabilities(i, 0) = static_cast<float>(i) / 6;
        probabilities(i, 1) = 1 - probabilities(i, 0);
    }
    History history;
    for (const double loss : {1.0, 0.5}) {
        Scores scores;
        scores.set("loss", loss);
        history.epochs.push_back({scores, 1});
    }
    const Examples<float> examples(std::move(x), std::move(y));
    return {.title = std::move(title),
            .history = history,
            .train = examples,
            .test = examples,
            .predictions = std::move(probabilities),
            .filters = Tensor<float>({2, 2, 1, 3})};
}

}  // namespace

TEST_CASE("each file of a report is the old one or the new one") {
    const TemporaryFolder folder;
    const fs::path path = folder / "report";
    const RunReport old = report("Old"), now = report("New");
    write_report(path, now);
    const auto complete = files_in(path);
    fs::remove_all(path);
    write_report(path, old);
    const auto before = files_in(path);
    REQUIRE(before.size() == complete.size());
    survive({.name = "write_report",
             .prepare =
                 [&] {
                     fs::remove_all(path);
                     write_report(path, old);
                     return Attempt{[&] { write_report(path, now); },
                                    [&](bool is_done) {
                                        const auto found = files_in(path);
                                        if (is_done) CHECK((found == complete));
                                        CHECK(found.size() == complete.size());
                                        for (const auto& [name, contents] : found) {
                                            REQUIRE(complete.contains(name));
                                            CHECK((contents == complete.at(name) ||
                                                   contents == before.at(name)));
                                        }
                                    }};
                 },
             .names = {path.string()},
             .most_places = 200});
}
