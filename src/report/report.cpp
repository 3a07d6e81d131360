// The compiled part of weft::report that draws pages: text, tables, charts, pictures. Programs that
// write reports thus compile as fast as others. The CMake target adds this file and
// tensorboard_logger.cpp to targets that link to it; without CMake, compile them like the program's
// own files, with the same flags.
#include "weft/report/report.hpp"

#include "one_of_each.hpp"
#include "page.hpp"
#include "sections.hpp"

#include "weft/core/atomic_file.hpp"
#include "weft/core/file_name.hpp"

namespace weft {

namespace {

/// Replaces the file as a whole; removes it if there are no contents.
void write_or_remove(const std::filesystem::path& path, const std::string& contents) {
    if (contents.empty()) {
        std::error_code ignored;
        std::filesystem::remove(path, ignored);
        return;
    }
    detail::AtomicFile file(path);
    file.write(contents.data(), contents.size());
    file.commit();
}

}  // namespace

void WEFT_BUILD_NAMESPACE::write_report(const std::filesystem::path& directory,
                                        const RunReport& all) {
    using namespace detail;
    const RunReport run = with_one_of_each(all);
    const std::optional<Classified> test = classified(run);
    const ClassNames names(run.class_names);
    Sheet grid, samples, predictions, mistakes;
    if (run.train && is_picture(run.train->input_shape())) {
        const Index size = run.train->size();
        grid = training_sheet(run, "The first training samples", first_samples(size, 25), false);
        grid.layout = "five";
        samples = training_sheet(run, "Random training samples", random_samples(size, 15, run.seed),
                                 true);
    }
    if (test && is_picture(run.test->input_shape())) {
        const Index size = run.test->size();
        predictions =
            prediction_sheet(run, *test, "The first test samples", first_samples(size, 15));
        mistakes =
            prediction_sheet(run, *test, "The worst mistakes", worst_mistakes(run, *test, 15));
    }
    const Sheet filters = filter_sheet(run.filters);
    const std::string page = html_page(
        run.title,
        {{"summary", "Summary", summary_section(run, test) + left_out(all)},
         {"curves", "Curves", curves_section(run.history)},
         {"confusion", "Confusion matrix", test ? confusion_table(test->report, names) : ""},
         {"classes", "Classes", test ? class_table(test->report, names) : ""},
         {"grid", "The data", sheet_section("The first training samples.", grid)},
         {"samples", "Random training samples",
          sheet_section("Class and name of each, drawn at random.", samples)},
         {"predictions", "Predictions",
          sheet_section("The first test samples: predicted class, its probability, and the true "
                        "class in brackets. The bars are the probabilities of all classes: "
                        "&#10003; blue the true one, &#10007; red a wrong prediction.",
                        predictions)},
         {"mistakes", "The worst mistakes",
          sheet_section("The misclassified test samples with the most confidence.", mistakes)},
         {"filters", "Filters",
          sheet_section("The filters of the first convolution, mean over the input's channels: "
                        "blue below zero, white at zero, red above.",
                        filters)}});

    std::error_code error;
    std::filesystem::create_directories(directory, error);
    if (error) {
        throw IoError(
            concat(FileName(directory).string(), ": cannot be created: ", error.message()));
    }
    const Drawing curves = curves_drawing(run.history);
    write_or_remove(directory / "curves.svg",
                    curves.elements.empty() ? "" : svg_file(curves, concat("Curves: ", run.title)));
    for (const auto& [name, sheet] : {std::pair<const char*, const Sheet&>{"grid.svg", grid},
                                      {"samples.svg", samples},
                                      {"predictions.svg", predictions},
                                      {"mistakes.svg", mistakes},
                                      {"filters.svg", filters}}) {
        write_or_remove(directory / name,
                        sheet.cells.empty() ? "" : svg_file(sheet_drawing(sheet), sheet.title));
    }
    write_or_remove(directory / "index.html", page);
}

}  // namespace weft
