#include "weft/model/summary.hpp"

#include "weft/cpu.hpp"

#include <doctest/doctest.h>

using namespace weft;

TEST_CASE("numbers are grouped by thousands") {
    CHECK(with_thousands(0) == "0");
    CHECK(with_thousands(999) == "999");
    CHECK(with_thousands(1000) == "1,000");
    CHECK(with_thousands(101770) == "101,770");
    CHECK(with_thousands(1234567) == "1,234,567");
}

TEST_CASE("columns grow with what they hold") {
    SummaryTable rows;
    rows.add_row("a_layer_with_quite_a_long_name", "Dense", {1, 2, 3, 4, 5, 6}, 1);
    const std::string table = rows.text("m", 1'000'000, 24);
    CHECK(table.find("a_layer_with_quite_a_long_name (Dense)  (None, 1, 2, 3, 4, 5, 6)  ") !=
          std::string::npos);
    CHECK(table.find("Total params: 1,000,024\nTrainable params: 1,000,000\n"
                     "Non-trainable params: 24\n") != std::string::npos);
}
