#include "weft/report/report.hpp"

#include "src/report/markup.hpp"
#include "src/report/picture.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/count_matches.hpp"
#include "tests/support/random_tensor.hpp"
#include "tests/support/special_values.hpp"
#include "tests/support/temporary_folder.hpp"
#include "weft/cpu.hpp"
#include "weft/data/scale.hpp"
#include "weft/layers/conv2d.hpp"
#include "weft/layers/dense.hpp"
#include "weft/layers/flatten.hpp"
#include "weft/layers/relu.hpp"
#include "weft/losses/sparse_categorical_crossentropy.hpp"
#include "weft/metrics/accuracy.hpp"
#include "weft/metrics/classification_report.hpp"
#include "weft/model/functional.hpp"
#include "weft/training/trainer.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <regex>
#include <set>

using namespace weft;

namespace {

History history_of(const std::vector<double>& loss, const std::vector<double>& val_loss = {}) {
    History history;
    for (std::size_t i = 0; i < loss.size(); ++i) {
        EpochRecord epoch;
        epoch.scores.set("loss", loss[i]);
        epoch.scores.set("accuracy", 1 - loss[i] / 4);
        if (!val_loss.empty()) epoch.scores.set("val_loss", val_loss[i]);
        epoch.seconds = 1.5;
        epoch.learning_rate = 0.001;
        history.epochs.push_back(epoch);
    }
    return history;
}

/// A file without the bytes of its pictures, which are long for std::regex.
std::string read(const std::filesystem::path& path) {
    const std::string file = contents_of(path), begin = "data:image/png;base64,";
    std::string text;
    for (std::size_t at = 0; at < file.size();) {
        const std::size_t picture = std::min(file.find(begin, at), file.size());
        text += file.substr(at, picture - at);
        if (picture == file.size()) break;
        text += begin;
        at = file.find('"', picture);
        CHECK(at > picture + begin.size() + 90);  // no PNG file is shorter
    }
    return text;
}

/// A run over 6 x 5 pictures of three classes, with 40 training and 20 test samples, 5 of these
/// wrong: numbers 1, 5, 9, 13 and 17, each surer of itself than the one before.
struct Example {
    Tensor<std::uint8_t> images;
    Tensor<std::uint8_t> labels{Shape{40}};
    RunReport run;

    explicit Example(const Shape& picture = {6, 5}) : images(picture.batch(40)) {
        for (Index i = 0; i < images.size(); ++i) images[i] = static_cast<std::uint8_t>(i * 7);
        for (Index i = 0; i < 40; ++i) labels[i] = static_cast<std::uint8_t>(i % 3);
        run.title = "A run";
        run.summary = "Model: \"sequential\"\n";
        run.options = {{"batch size", "32"}};
        run.history = history_of({2, 1.5, 1.25}, {2.5, 2, 2.25});
        run.class_names = {"T-shirt", "Trouser", "Pullover"};
        run.train = {images, labels};
        run.test = {images.slice(0, 20), labels.slice(0, 20)};
        run.predictions = Tensor<float>({20, 3});
        for (Index i = 0; i < 20; ++i) {
            const bool is_wrong = i % 4 == 1;
            const float confidence = is_wrong ? 0.5f + 0.02f * static_cast<float>(i) : 0.75f;
            for (Index c = 0; c < 3; ++c) {
                const bool is_predicted = c == (labels[i] + is_wrong) % 3;
                run.predictions(i, c) = is_predicted ? confidence : (1 - confidence) / 2;
            }
        }
        run.filters = random_normal<float>({3, 3, 1, 4}, 1);
    }

    std::string page() const {
        const TemporaryFolder folder;
        write_report(folder.path() / "new", run);
        return read(folder.path() / "new/index.html");
    }
};

/// Nothing when each element is closed, in order, all attributes quoted and their names different.
Verdict well_formed(const std::string& markup) {
    const std::regex tag(R"(<(/?)([\w-]+)((?:\s+[\w:-]+="[^"<]*")*)\s*(/?)>)");
    const std::regex attribute(R"(\s([\w:-]+)=)");
    std::vector<std::string> open;
    std::set<std::string> ids;
    std::size_t at = markup.starts_with("<!DOCTYPE html>\n") ? 16 : 0;
    for (; at < markup.size(); ++at) {
        if (markup[at] == '>') return {concat("a loose > at ", at)};
        if (markup[at] != '<') continue;
        std::smatch match;
        const auto begin = markup.begin() + static_cast<std::ptrdiff_t>(at);
        if (!std::regex_search(begin, markup.end(), match, tag,
                               std::regex_constants::match_continuous)) {
            return {concat("no tag at ", at, ": ", markup.substr(at, 60))};
        }
        const std::string attributes = match[3];
        std::set<std::string> names;
        for (std::sregex_iterator it(attributes.begin(), attributes.end(), attribute), end;
             it != end; ++it) {
            if (!names.insert((*it)[1]).second) return {concat("twice ", (*it)[1].str())};
        }
        if (match[1].length() > 0) {
            if (open.empty() || open.back() != match[2]) return {concat("closes ", match[2].str())};
            open.pop_back();
        } else if (match[4].length() == 0) {
            open.push_back(match[2]);
        }
        at += static_cast<std::size_t>(match.length()) - 1;
    }
    if (!open.empty()) return {concat("never closed: ", open.back())};
    return {};
}

}  // namespace

TEST_CASE("the check of markup finds what is wrong") {
    CHECK(well_formed("<!DOCTYPE html>\n<a b=\"c\">d &lt; e<br/></a>"));
    for (const char* wrong : {"<a>", "</a>", "<a><b></a></b>", "<a b=c></a>",
                              "<a b=\"1\" b=\"2\"/>", "a < b", "a > b", "<a b=\"<\"/>"}) {
        INFO(wrong);
        CHECK_FALSE(well_formed(wrong));
    }
}

TEST_CASE("A report has all its sections and files, well-formed and without the network") {
    const TemporaryFolder folder;
    const Example example;
    write_report(folder.path(), example.run);
    const std::string page = read(folder / "index.html");
    CHECK(well_formed(page));
    for (const char* id : {"summary", "curves", "confusion", "classes", "grid", "samples",
                           "predictions", "mistakes", "filters"}) {
        INFO(id);
        CHECK(count_matches(page, concat("<h2 id=\"", id, "\">")) == 1);
        CHECK(count_matches(page, concat("<li><a href=\"#", id, "\">")) == 1);
    }
    CHECK(count_matches(page, "<h1>A run</h1>") == 1);
    CHECK(count_matches(page, "<script") == 0);
    // Addresses: of the markup's own namespaces, and of data.
    CHECK(count_matches(page, "https?:") ==
          count_matches(page, "xmlns=\"http://www.w3.org/1999/xhtml\""));
    CHECK(count_matches(page, "(src|href)=\"(?!data:image/png|#)") == 0);
    CHECK(count_matches(page, "<img ") == 25 + 15 + 15 + 5 + 4);
    CHECK(count_matches(page, "<img [^>]*alt=\"\\w") == count_matches(page, "<img "));
    CHECK(count_matches(page, "<svg role=\"img\"[^>]* aria-label=\"\\w") == 2 + 15 + 5);
    CHECK(count_matches(page, "<svg ") == 2 + 15 + 5);
    for (const char* name : {"curves.svg", "grid.svg", "samples.svg", "predictions.svg",
                             "mistakes.svg", "filters.svg"}) {
        INFO(name);
        const std::string svg = read(folder / name);
        CHECK(well_formed(svg));
        CHECK(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\""));
    }
    CHECK(count_matches(read(folder / "grid.svg"), "<image ") == 25);
    CHECK(count_matches(read(folder / "predictions.svg"), "<image ") == 15);
}

TEST_CASE("The figures shown are those of the run") {
    const Example example;
    const std::string page = example.page();
    CHECK(count_matches(page, "<td>0\\.7500 \\(15 of 20\\)</td><td>0\\.5313 to 0\\.8881</td>") ==
          1);
    // 15 right with p = 0.75; the wrong ones with (1 - 0.5 - 0.02 i) / 2 for i = 1, 5, 9, 13, 17.
    double loss = -15 * std::log(0.75);
    for (const int i : {1, 5, 9, 13, 17}) loss -= std::log((0.5 - 0.02 * i) / 2);
    CHECK(count_matches(page, concat("Test cross-entropy</th><td>", detail::fixed(loss / 20, 4),
                                     "</td>")) == 1);
    CHECK(count_matches(page, "Epochs</th><td>3</td>") == 1);
    CHECK(count_matches(page, "Time in training</th><td>4\\.5s</td>") == 1);
    CHECK(count_matches(page, "batch size</th><td>32</td>") == 1);
    CHECK(count_matches(page, "<pre>Model: &quot;sequential&quot;\n</pre>") == 1);
    // The history, and of each score the last and the best.
    CHECK(count_matches(page,
                        "<tr><th scope=\"row\">2</th><td>1\\.5000</td><td>0\\.6250</td><td>2\\.0000"
                        "</td><td>0\\.001</td><td>1\\.50</td></tr>") == 1);
    CHECK(count_matches(page, "val_loss</th><td>2\\.2500</td><td>2\\.0000</td><td>2</td>") == 1);
    CHECK(count_matches(page, "accuracy</th><td>0\\.6875</td><td>0\\.6875</td><td>3</td>") == 1);
    CHECK(count_matches(page, "<title>validation, epoch 3: 2\\.2500</title>") == 1);
}

TEST_CASE("Confusion matrix and classes agree with the classification report") {
    const Example example;
    const std::string page = example.page();
    const ClassificationReport report(example.run.predictions, example.labels.slice(0, 20));
    std::string matrix;
    for (Index i = 0; i < 3; ++i) {
        matrix += concat("<tr><th scope=\"row\">", i, " : ",
                         example.run.class_names[static_cast<std::size_t>(i)], "</th>");
        for (Index j = 0; j < 3; ++j) {
            matrix += concat("<td[^>]*>", report.confusion()(i, j), "</td>");
        }
        matrix += "</tr>\n";
    }
    CHECK(count_matches(page, matrix) == 1);
    CHECK(count_matches(page, "class=\"hit\"") == 3);
    CHECK(count_matches(page, "class=\"miss\"") == 3);
    const ClassScores scores = report.scores(1);
    const Interval interval = wilson_interval(report.confusion()(1, 1), scores.support);
    CHECK(count_matches(
              page, concat("<td>", detail::fixed(scores.recall, 4), "<small>",
                           detail::fixed(interval.low, 3), " to ", detail::fixed(interval.high, 3),
                           "</small></td><td>", detail::fixed(scores.f1, 4), "</td><td>",
                           scores.support, "</td>")) >= 1);
}

TEST_CASE("Pictures are captioned with classes, right ones blue and wrong ones red") {
    const Example example;
    const std::string page = example.page();
    const std::string mistakes = page.substr(page.find("<h2 id=\"mistakes\">"));
    const std::string predictions =
        page.substr(page.find("<h2 id=\"predictions\">"), page.size() - mistakes.size());
    CHECK(count_matches(
              page, "<figcaption class=\"right\">&#10003; T-shirt 75\xC2\xA0% \\(T-shirt\\)<") ==
          4);
    CHECK(count_matches(
              page, "<figcaption class=\"wrong\">&#10007; Pullover 52\xC2\xA0% \\(Trouser\\)<") ==
          2);  // among the first, and among the mistakes
    CHECK(count_matches(predictions, "<figcaption class=\"right\">") == 11);
    // The surest first.
    std::vector<std::string> samples;
    const std::regex sample("alt=\"Test sample (\\d+):");
    for (std::sregex_iterator it(mistakes.begin(), mistakes.end(), sample), end; it != end; ++it) {
        samples.push_back((*it)[1]);
    }
    CHECK(samples == std::vector<std::string>{"17", "13", "9", "5", "1"});
    CHECK(count_matches(page, "<figcaption>[012] : (T-shirt|Trouser|Pullover)</figcaption>") == 15);
    CHECK(count_matches(page,
                        "alt=\"Training sample 24: T-shirt\"/>\n?</div><figcaption>T-shirt<") >= 1);
}

TEST_CASE("Many classes: no matrix that nobody could read, and only what is probable is told") {
    Example example;
    example.run.class_names = {};
    example.run.predictions = Tensor<float>({20, 101});
    for (Index i = 0; i < 20; ++i) {
        example.run.predictions(i, 100) = 0.75f;
        example.run.predictions(i, 7) = 0.25f;
    }
    const std::string page = example.page();
    CHECK(well_formed(page));
    CHECK(count_matches(page, "<h2 id=\"confusion\">") == 0);
    CHECK(count_matches(page, "<th scope=\"row\">100 : class 100</th>") == 1);
    CHECK(count_matches(
              page, "aria-label=\"Probabilities: class 7 25\xC2\xA0%; class 100 75\xC2\xA0%;\"") ==
          15 + 15);
}

TEST_CASE("Random samples are all different and follow the seed") {
    using detail::random_samples;
    const auto samples = random_samples(60000, 15, 1);
    CHECK(std::set<Index>(samples.begin(), samples.end()).size() == 15);
    CHECK(samples == random_samples(60000, 15, 1));
    CHECK(samples != random_samples(60000, 15, 2));
    CHECK(random_samples(3, 15, 1).size() == 3);
    CHECK(random_samples(0, 15, 1).empty());
}

TEST_CASE("What the user names cannot break out of the page") {
    Example example;
    const std::string hostile = "</title><script>alert(\"1\")</script>'\xFF & <b";
    example.run.title = example.run.summary = hostile;
    example.run.options = {{hostile, hostile}};
    example.run.class_names = {hostile, "\" onload=\"x", "&amp;"};
    example.run.history.epochs[0].scores.set(hostile, 1);
    example.run.history.non_finite = NonFinite{1, 2, hostile};
    const TemporaryFolder folder;
    write_report(folder.path(), example.run);
    for (const auto& file : std::filesystem::directory_iterator(folder.path())) {
        INFO(file.path().string());
        const std::string text = read(file.path());
        CHECK(well_formed(text));
        CHECK(count_matches(text, "<script") == 0);
        CHECK(text.find('\xFF') == std::string::npos);
    }
    const std::string page = read(folder / "index.html");
    CHECK(count_matches(page, " : &amp;amp;</th>") == 2);
    CHECK(count_matches(
              page,
              "&lt;script&gt;alert\\(&quot;1&quot;\\)&lt;/script&gt;&#39;&#65533; &amp; &lt;b"
              "</h1>") == 1);
}

TEST_CASE("Numbers that are not finite are told, and leave gaps") {
    Example example;
    example.run.history = history_of({1, not_a_number<>, 0.5});
    example.run.history.non_finite = NonFinite{3, 7, "dense/kernel"};
    example.run.predictions(3, 0) = std::numeric_limits<float>::quiet_NaN();
    example.run.filters[0] = std::numeric_limits<float>::quiet_NaN();
    const std::string page = example.page();
    CHECK(well_formed(page));
    CHECK(
        count_matches(page,
                      "<strong>Training stopped:</strong> a number that is not finite appeared in "
                      "dense/kernel at step 7 of epoch 3\\.") == 1);
    CHECK(count_matches(page, "not finite are left out of the curves") == 1);
    CHECK(count_matches(page, "<td>NaN</td>") >= 2);
    CHECK(count_matches(page, "[\" ]-?nan[\" ]") == 0);
    CHECK(count_matches(Example().page(), "not finite") == 0);
}

TEST_CASE("One epoch, no validation, nothing at all") {
    Example one;
    one.run.history = history_of({0.75});
    std::string page = one.page();
    CHECK(well_formed(page));
    CHECK(count_matches(page, "class=\"mark0\"") ==
          4);  // a point and a line of the legend in each chart
    CHECK(count_matches(page, "class=\"(mark|curve)1\"") == 0);
    CHECK(count_matches(Example().page(), "class=\"curve1\"") ==
          2);  // with validation, of the loss
    page = [] {
        const TemporaryFolder folder;
        write_report(folder.path(), {});
        CHECK_FALSE(std::filesystem::exists(folder / "curves.svg"));
        return read(folder / "index.html");
    }();
    CHECK(well_formed(page));
    CHECK(count_matches(page, "<section") == 0);
    CHECK(count_matches(page, "<h1>Training run</h1>") == 1);
}

TEST_CASE("A class without samples, and one that is never predicted, have dashes") {
    Example example;
    for (Index i = 0; i < 20; ++i) {
        if (example.labels[i] == 2) example.labels[i] = 0;
        example.run.predictions(i, 0) = 0.75f;
        example.run.predictions(i, 1) = 0.25f;
        example.run.predictions(i, 2) = 0;
    }
    const std::string page = example.page();
    const std::string dash = "<td>&#8211;</td>";
    CHECK(count_matches(page, concat("2 : Pullover</th>", dash, dash, dash, "<td>0</td>")) == 1);
    CHECK(count_matches(page, concat("1 : Trouser</th>", dash, "<td>0\\.0000<small>0\\.000 to ")) ==
          1);
    CHECK(count_matches(page, "2 : Pullover</th><td>0</td><td>0</td><td>0</td>") == 1);
}

TEST_CASE("Grey and colour pictures, large ones, and samples that are no pictures") {
    CHECK(count_matches(Example({6, 5, 1}).page(), "<img [^>]*width=\"5\" height=\"6\"") == 60);
    CHECK(count_matches(Example({6, 5, 3}).page(), "<img [^>]*width=\"5\" height=\"6\"") == 60);
    CHECK(count_matches(Example({300, 200}).page(), "<img [^>]*width=\"67\" height=\"100\"") == 60);
    for (const Shape& shape : {Shape{7}, Shape{6, 5, 2}, Shape{2, 3, 2, 1}}) {
        const std::string page = Example(shape).page();
        CHECK(well_formed(page));
        CHECK(count_matches(page, "<img ") == 4);  // the filters
        CHECK(count_matches(page, "<h2 id=\"confusion\">") == 1);
    }
}

TEST_CASE("Pixels go from black to white, and large pictures are averaged") {
    const Tensor<float> x({2, 2, 1}, {0, 0.5, 1, 2});
    CHECK(identical(detail::to_pixels(x, 1), Tensor<std::uint8_t>({2, 2, 1}, {0, 128, 255, 255})));
    const Tensor<float> odd({1, 3}, {-1, 255, std::numeric_limits<float>::quiet_NaN()});
    CHECK(identical(detail::to_pixels(odd, 255), Tensor<std::uint8_t>({1, 3, 1}, {0, 255, 0})));
    Tensor<float> wide({1, 129, 3});
    for (Index j = 0; j < 129; ++j) {
        wide(0, j, 0) = j % 2 == 0 ? 0.0f : 200.0f;
        wide(0, j, 1) = 100;
        wide(0, j, 2) = static_cast<float>(j);
    }
    const auto half = detail::to_pixels(wide, 255);
    REQUIRE(half.shape() == Shape{1, 65, 3});
    for (Index j = 0; j < 64; ++j) {
        CHECK(half(0, j, 0) == 100);
        CHECK(half(0, j, 1) == 100);
        CHECK(half(0, j, 2) == 2 * j + 1);  // the half rounds up
    }
    CHECK(half(0, 64, 0) == 0);
    CHECK(half(0, 64, 2) == 128);
}

TEST_CASE("Filters go from blue over white to red, as the mean over their channels") {
    const Tensor<float> kernel({1, 3, 2, 1}, {1, 1, -1, -1, 1, -1});
    const auto pixels = detail::filter_pixels(kernel, 0, 1);
    REQUIRE(pixels.shape() == Shape{1, 3, 3});
    CHECK(pixels(0, 0, 0) > pixels(0, 0, 2));
    CHECK(pixels(0, 1, 0) < pixels(0, 1, 2));
    for (Index c = 0; c < 3; ++c) CHECK(pixels(0, 2, c) == 255);
}

TEST_CASE("One-hot targets show the same as class indices") {
    const Example example;
    Tensor<float> targets({20, 3});
    for (Index i = 0; i < 20; ++i) targets(i, example.labels[i]) = 1;
    Example one_hot;
    one_hot.run.test = {one_hot.images.slice(0, 20), targets};
    CHECK(one_hot.page() == example.page());
}

TEST_CASE("What does not fit is refused, before anything is written") {
    const TemporaryFolder folder;
    const auto refused = [&](const auto& spoil, const char* message) {
        Example example;
        spoil(example.run);
        CHECK_THROWS_WITH(write_report(folder.path() / "none", example.run), message);
        CHECK_FALSE(std::filesystem::exists(folder.path() / "none"));
    };
    refused([](RunReport& run) { run.predictions = Tensor<float>({19, 3}); },
            "report: predictions have shape (19, 3), expected (20, classes), a row for each test "
            "sample");
    refused([](RunReport& run) { run.test = {}; },
            "report: predictions have shape (20, 3), expected (0, classes), a row for each test "
            "sample");
    refused([](RunReport& run) { run.predictions = Tensor<float>({20, 1}); },
            "report: predictions have shape (20, 1), expected (20, classes), a row for each test "
            "sample");
    refused([](RunReport& run) { run.predictions(2, 1) = 4; },
            "report: prediction 1 of test sample 2 is 4, expected a probability");
    refused([](RunReport& run) { run.class_names.pop_back(); },
            "report: there are 2 class names, expected 3");
    refused([](RunReport& run) { run.filters = Tensor<float>({3, 3}); },
            "report: filters have shape (3, 3), expected (kh, kw, C, filters)");
    refused(
        [](RunReport& run) {
            run.train = {Tensor<float>({4, 6, 5}), Tensor<float>({4}, {0, 1, 1.5, 2})};
        },
        "report: label 2 is 1.5, expected the index of a class");
    refused(
        [](RunReport& run) { run.test = {Tensor<float>({20, 6, 5}), Tensor<float>({20, 2, 2})}; },
        "report: targets have shape (None, 2, 2), expected (None,) or (None, classes)");
}

TEST_CASE("A second report replaces the first, and removes what it does not have") {
    const TemporaryFolder folder;
    Example example;
    write_report(folder.path(), example.run);
    CHECK(std::filesystem::exists(folder / "filters.svg"));
    example.run.filters = {};
    example.run.title = "Another";
    write_report(folder.path(), example.run);
    CHECK_FALSE(std::filesystem::exists(folder / "filters.svg"));
    CHECK(count_matches(read(folder / "index.html"), "<h1>Another</h1>") == 1);
    std::ptrdiff_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
        files += entry.is_regular_file();
    }
    CHECK(files == 6);
    CHECK_THROWS_WITH_AS(write_report(folder.file("a file", "text"), example.run),
                         doctest::Contains("a file: cannot be created"), IoError);
}

namespace {

/// The page of a run with the pictures, whose white is 1.
std::string page_of(const Model<float>& model, const History& history, const Tensor<float>& images,
                    const Tensor<std::uint8_t>& labels) {
    const TemporaryFolder folder;
    write_report(folder.path(), {.summary = model.summary(),
                                 .history = history,
                                 .test = {images, labels},
                                 .white = 1,
                                 .predictions = model.predict(images),
                                 .filters = first_filters(model)});
    return read(folder / "index.html");
}

}  // namespace

TEST_CASE("A report of a real run shows what training and evaluation measured") {
    Sequential<float> model{Conv2D{.filters = 2, .kernel_size = 3}, Flatten{}, Dense{3, softmax}};
    const Example example({6, 5, 1});
    Trainer trainer(model, {.loss = SparseCategoricalCrossentropy{}, .metrics = {Accuracy{}}});
    const Tensor<float> images = scaled<float>(example.images, 255);
    const History history =
        trainer.fit(images, example.labels,
                    {.epochs = 2, .validation_split = 0.25, .verbosity = Verbosity::silent});
    const Scores scores = trainer.evaluate(images, example.labels);
    const std::string page = page_of(model, history, images, example.labels);
    CHECK(well_formed(page));
    CHECK(count_matches(
              page, concat("Test accuracy</th><td>", detail::fixed(scores["accuracy"], 4))) == 1);
    CHECK(count_matches(
              page, concat("Test cross-entropy</th><td>", detail::fixed(scores["loss"], 4))) == 1);
    CHECK(count_matches(page, concat("val_accuracy</th><td>",
                                     detail::fixed(history["val_accuracy"].back(), 4))) == 1);
    CHECK(count_matches(page, "conv2d \\(Conv2D\\)") == 1);
    CHECK(count_matches(page, "alt=\"Filter [01]\"") == 2);
    CHECK(count_matches(page, "class 2") > 0);
    CHECK(identical(first_filters(model), model.parameter("conv2d/kernel")));
    Sequential<float> dense{Input{{4}}, Dense{3}};
    CHECK(first_filters(dense).size() == 0);
}

TEST_CASE("A report of a model that is no chain") {
    const auto z = input({6, 5, 1}), x = input({6, 5, 1});
    const Conv2D conv{.filters = 2, .kernel_size = 3, .padding = same};
    const auto y = z | conv | ReLU{};
    Model<float> encoder(z, add(y, y | conv));
    encoder.set_name("encoder");
    Model<float> model(x, encoder(x) | Flatten{} | Dense{3, softmax});
    const Example example({6, 5, 1});
    Trainer trainer(model, {.loss = SparseCategoricalCrossentropy{}, .metrics = {Accuracy{}}});
    const Tensor<float> images = scaled<float>(example.images, 255);
    const History history =
        trainer.fit(images, example.labels, {.epochs = 1, .verbosity = Verbosity::silent});
    CHECK(identical(first_filters(model), model.parameter("encoder/conv2d/kernel")));
    const std::string page = page_of(model, history, images, example.labels);
    CHECK(well_formed(page));
    CHECK(count_matches(page, "encoder \\(Functional\\)") == 1);
    CHECK(count_matches(page, "alt=\"Filter [01]\"") == 2);
}

TEST_CASE("Of several inputs and outputs, one picture and the classes of one output are shown") {
    // Two inputs, of which the second is a picture; a place of two numbers, and one of three classes.
    constexpr Index samples = 6;
    const Tensor<float> size({samples, 4}), pictures = random_normal<float>({samples, 5, 4, 1}, 1);
    Tensor<float> place({samples, 2}), predictions({samples, 3});
    const std::vector<int> labels{0, 1, 2, 0, 1, 2};
    for (Index i = 0; i < samples; ++i) {
        place(i, 0) = 7;  // as if the first class were right
        predictions(i, i == 0 ? 2 : labels[static_cast<std::size_t>(i)]) = 1;
    }
    History history = history_of({0.5, 0.25});
    for (EpochRecord& epoch : history.epochs) epoch.scores.set("place_loss", 0.125);
    RunReport run{.history = history,
                  .train = {{size, pictures}, {place, labels}},
                  .test = {{size, pictures}, {place, labels}},
                  .predictions = predictions,
                  .output = 1};
    const TemporaryFolder folder;
    write_report(folder.path(), run);
    const std::string page = read(folder.path() / "index.html");
    CHECK(page.find("0.8333 (5 of 6)") != std::string::npos);
    CHECK(page.find("Chart of place_loss over 2 epochs.") != std::string::npos);
    CHECK(
        page.find("The data have 2 inputs and 2 outputs, counted from 0. Scores and curves are of "
                  "all outputs; classes and predictions of output 1 alone") != std::string::npos);
    CHECK(page.find("Training sample 4: class 1") != std::string::npos);
    CHECK(std::filesystem::exists(folder.path() / "grid.svg"));

    run.input = 0;  // no picture
    write_report(folder.path(), run);
    CHECK_FALSE(std::filesystem::exists(folder.path() / "grid.svg"));
    run.output = 2;
    CHECK_THROWS_WITH_AS(write_report(folder.path(), run),
                         "report: output is 2, expected 0 to 1 for these data", ArgumentError);
    run.output = 1;
    run.input = 5;
    CHECK_THROWS_WITH_AS(write_report(folder.path(), run),
                         "report: input is 5, expected 0 to 1 for these data", ArgumentError);
}
