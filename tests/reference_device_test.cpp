/// \file
/// Models on a second device, all of whose kernels are other ones.
#include "tests/support/device_runs.hpp"
#include "tests/support/reference/kernels.hpp"

#include <doctest/doctest.h>

using namespace weft;

TEST_CASE_TEMPLATE("the tutorials' networks train alike by kernels and by their definitions",
                   Scalar, float, double) {
    for (const Tutorial& known : tutorials()) {
        CAPTURE(known.id);
        CHECK(same_training(run_of<Scalar, Cpu>(known), run_of<Scalar, Reference>(known)));
    }
}

TEST_CASE_TEMPLATE("all other kernels train alike by their definitions", Scalar, float, double) {
    const auto runs = other_runs<Scalar, Cpu>();
    const auto expected = other_runs<Scalar, Reference>();
    for (std::size_t i = 0; i < runs.size(); ++i) {
        CAPTURE(i);
        CHECK(same_training(runs[i], expected[i]));
    }
}
