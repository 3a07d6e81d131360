#include "weft/training/best_score.hpp"

#include <doctest/doctest.h>

#include <limits>

using namespace weft;

TEST_CASE("BestScore takes what is better by more than min_delta, and never NaN") {
    const double not_a_number = std::numeric_limits<double>::quiet_NaN();
    BestScore lowest("val_loss", Better::automatic, 0.5);
    CHECK_FALSE(lowest.improve(not_a_number));
    CHECK_FALSE(lowest.value());
    CHECK(lowest.improve(3));
    CHECK_FALSE(lowest.improve(2.5));
    CHECK(lowest.improve(2.25));
    CHECK_FALSE(lowest.improve(not_a_number));
    CHECK(lowest.value() == 2.25);

    BestScore highest("val_loss", Better::higher, 0);
    CHECK(highest.improve(1));
    CHECK_FALSE(highest.improve(1));
    CHECK(highest.improve(2));
}

TEST_CASE("BestScore knows from the name which way is better, or asks") {
    for (const char* name : {"loss", "val_loss", "mse", "mae", "mean_error"}) {
        INFO(name);
        BestScore best(name, Better::automatic, 0);
        CHECK(best.improve(1));
        CHECK_FALSE(best.improve(2));
    }
    for (const char* name : {"accuracy", "val_acc", "precision", "recall", "f1", "auc"}) {
        INFO(name);
        BestScore best(name, Better::automatic, 0);
        CHECK(best.improve(1));
        CHECK(best.improve(2));
    }
    CHECK_THROWS_WITH_AS(BestScore("profit", Better::automatic, 0),
                         "monitor profit: the name does not tell whether higher or lower is "
                         "better; set .better",
                         ArgumentError);
}
