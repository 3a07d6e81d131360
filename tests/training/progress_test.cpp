#include "weft/training/progress.hpp"

#include "tests/support/captured_output.hpp"
#include "weft/cpu.hpp"

#include <doctest/doctest.h>

using namespace weft;

TEST_CASE("durations are short to read") {
    CHECK(ProgressLine::duration(42e-6) == "42us");
    CHECK(ProgressLine::duration(42e-3) == "42ms");
    CHECK(ProgressLine::duration(4.24) == "4.2s");
    CHECK(ProgressLine::duration(61) == "1:01");
    CHECK(ProgressLine::duration(3725.6) == "62:06");
}

TEST_CASE("a plain line has steps, time, time per step and scores") {
    Scores scores;
    scores.set("loss", 0.51234);
    scores.set("accuracy", 0.82);
    scores.set("val_loss", 0.4);
    const ProgressLine line(Verbosity::line, 2, 5, 1875);
    CHECK(line.line(1875, 3.75, scores) ==
          "Epoch 2/5  1875/1875  3.8s  2ms/step  loss: 0.5123  accuracy: 0.8200  val_loss: 0.4000");
}

TEST_CASE("a bar grows, and tells the time left until it is full") {
    const ProgressLine bar(Verbosity::bar, 1, 1, 100);
    CHECK(bar.line(0, 0, {}).find("[>........................] 0/100") != std::string::npos);
    const std::string half = bar.line(50, 10, {});
    CHECK(half.find("[============>............] 50/100  ETA 10.0s  200ms/step") !=
          std::string::npos);
    const std::string full = bar.line(100, 20, {});
    CHECK(full.find("[=========================] 100/100  20.0s  200ms/step") != std::string::npos);
    CHECK(full.find("ETA") == std::string::npos);
}

TEST_CASE("a silent line asks for no updates") {
    const double now = detail::steady_seconds();
    CHECK_FALSE(ProgressLine(Verbosity::silent, 1, 1, 1).wants_update(now));
    CHECK_FALSE(ProgressLine(Verbosity::line, 1, 1, 1).wants_update(now));
    CHECK(ProgressLine(Verbosity::bar, 1, 1, 1).wants_update(now));
}

TEST_CASE("a bar is updated at most 20 times a second") {
    ProgressLine bar(Verbosity::bar, 1, 1, 10);
    const double start = detail::steady_seconds();
    captured_output([&] { bar.update(start, 1, 0.5); });
    CHECK_FALSE(bar.wants_update(start));
    CHECK_FALSE(bar.wants_update(start + 0.049));
    CHECK(bar.wants_update(start + 0.051));
}

TEST_CASE("a bar wants the scores of a device in each tenth of the epoch once") {
    ProgressLine bar(Verbosity::bar, 1, 1, 1000);
    CHECK(bar.wants_scores(1));
    CHECK_FALSE(bar.wants_scores(2));
    CHECK_FALSE(bar.wants_scores(100));
    CHECK(bar.wants_scores(101));
    CHECK(bar.wants_scores(450));
    CHECK_FALSE(bar.wants_scores(500));
    CHECK(bar.wants_scores(1000));
    CHECK_FALSE(bar.wants_scores(1000));
    CHECK(ProgressLine(Verbosity::bar, 1, 1, 1).wants_scores(1));
}

TEST_CASE("a bar is drawn over itself, a line is printed once, and silence prints nothing") {
    Scores scores;
    scores.set("loss", 0.25);
    const auto printed = [&](Verbosity verbosity) {
        return captured_output([&] {
            ProgressLine line(verbosity, 1, 2, 4);
            line.set_scores(scores);
            line.update(detail::steady_seconds(), 2, 1);
            line.finish(2, scores);
        });
    };
    const ProgressLine line(Verbosity::line, 1, 2, 4), bar(Verbosity::bar, 1, 2, 4);
    CHECK(printed(Verbosity::silent) == "");
    CHECK(printed(Verbosity::line) == line.line(4, 2, scores) + "\n");
    CHECK(printed(Verbosity::automatic) == line.line(4, 2, scores) + "\n");  // to a file
    CHECK(printed(Verbosity::bar) ==
          concat("\r", bar.line(2, 1, scores), "\x1b[K\r", bar.line(4, 2, scores), "\x1b[K\n"));
}

TEST_CASE("a bar of no steps is full") {
    CHECK(
        ProgressLine(Verbosity::bar, 1, 1, 0).line(0, 0, {}).find("[=========================]") !=
        std::string::npos);
}
