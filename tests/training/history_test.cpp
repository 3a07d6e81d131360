#include "weft/training/history.hpp"

#include "weft/cpu.hpp"

#include <doctest/doctest.h>

using namespace weft;

TEST_CASE("scores keep their order and refuse unknown names") {
    Scores scores;
    scores.set("loss", 2);
    scores.set("accuracy", 0.5);
    scores.set("loss", 1);
    CHECK(scores.size() == 2);
    CHECK(scores.begin()->first == "loss");
    CHECK(scores["loss"] == 1);
    CHECK(scores.find("nothing") == std::nullopt);
    CHECK_THROWS_WITH_AS((void)scores["nothing"],
                         "scores: no score is named nothing; there are loss, accuracy",
                         ArgumentError);
}

TEST_CASE("a history gives one number an epoch") {
    History history;
    CHECK_THROWS_WITH_AS((void)history["loss"], "history: no epoch ended, so there is no loss",
                         ArgumentError);
    for (const double loss : {3.0, 2.0}) {
        history.epochs.emplace_back();
        history.epochs.back().scores.set("loss", loss);
    }
    CHECK(history["loss"] == std::vector<double>{3, 2});
    CHECK_THROWS_AS((void)history["val_loss"], ArgumentError);
}
