#include "weft/testing/gradient_check.hpp"

#include "weft/layers/flatten.hpp"
#include "weft/losses/mean_squared_error.hpp"

#include <doctest/doctest.h>

#include <sstream>

using namespace weft;

namespace {

/// y = scale x, whose backward multiplies dx by one factor and the gradient of scale by another.
struct Scaled {
    double dx_factor = 1, dscale_factor = 1;

    static constexpr std::string_view type = "Scaled";

    template <class Scalar, class Device>
    class Layer;
};

template <class Scalar, class Device>
class Scaled::Layer final : public weft::Layer<Scalar, Device> {
public:
    Layer(const Scaled& options, LayerBuilder& builder)
        : weft::Layer<Scalar, Device>(builder.input_shape(), builder.input_shape()),
          options_(options),
          scale_(builder.add_parameter("scale", {1}, ones)) {}

    void forward(const Pass<Scalar, Device>& pass, TensorView<const Scalar, Device> x,
                 TensorView<Scalar, Device> y) const override {
        for (Index i = 0; i < x.size(); ++i) y[i] = pass.parameter(scale_)[0] * x[i];
    }

    void backward(const Pass<Scalar, Device>& pass, TensorView<const Scalar, Device> x,
                  TensorView<const Scalar, Device>, TensorView<Scalar, Device> dy,
                  TensorView<Scalar, Device> dx) const override {
        Scalar sum = 0;
        for (Index i = 0; i < x.size(); ++i) {
            sum += dy[i] * x[i];
            if (dx) dx[i] = options_.dx_factor * pass.parameter(scale_)[0] * dy[i];
        }
        pass.gradient(scale_)[0] = options_.dscale_factor * sum;
    }

private:
    Scaled options_;
    ParameterSlot scale_;
};

std::string printed(const GradientCheck& check) {
    std::ostringstream text;
    text << check;
    return text.str();
}

}  // namespace

TEST_CASE("a right gradient is within the tolerance, and the result says by how much") {
    const GradientCheck check = gradient_check(Scaled{}, {2, 3});
    CHECK(check);
    CHECK(check.is_finite);
    CHECK(check.largest_gap > 0);
    CHECK(check.largest_gap < gradient_tolerance);
    CHECK(check.complaint == "");
    CHECK(printed(check).starts_with("largest gap "));
    CHECK(printed(check).find(" in " + check.where) != std::string::npos);
    CHECK(printed(gradient_check(Flatten{}, {2, 3})).starts_with("largest gap "));
}

TEST_CASE("a wrong gradient fails with the gap and the place") {
    // A factor of 4 makes |4 g - g| / |4 g|.
    GradientCheck check = gradient_check(Scaled{.dscale_factor = 4}, {2, 3});
    CHECK_FALSE(check);
    CHECK(check.is_finite);
    CHECK(check.largest_gap == doctest::Approx(0.75));
    CHECK(check.where.starts_with("scaled/scale (element 0 of (1,): "));
    CHECK(printed(check) == check.complaint);
    CHECK(check.complaint.find("scaled/scale: gap 0.7") != std::string::npos);
    CHECK(check.complaint.find("dx: ") == std::string::npos);

    check = gradient_check(Scaled{.dx_factor = -1}, {2, 3});
    CHECK_FALSE(check);
    CHECK(check.largest_gap > 1.9);
    CHECK(check.where.starts_with("dx (element "));
    CHECK(gradient_check(Scaled{.dx_factor = -1}, {2, 3}, {.tolerance = 3}));
}

TEST_CASE("a gradient that is not finite fails whatever the tolerance") {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const GradientCheck check = gradient_check(Scaled{.dscale_factor = nan}, {2, 3},
                                               {.tolerance = std::numeric_limits<double>::max()});
    CHECK_FALSE(check);
    CHECK_FALSE(check.is_finite);
    CHECK(check.largest_gap == std::numeric_limits<double>::infinity());
    CHECK(check.where.starts_with("scaled/scale "));
}

TEST_CASE("losses are checked too, and what cannot be built throws") {
    const auto p = random_normal({3, 2}, 1), t = random_normal({3, 2}, 2);
    CHECK(gradient_check(MeanSquaredError{}, p, t).is_finite);
    CHECK(gradient_check(MeanSquaredError{}, p, t));
    CHECK_THROWS_AS(gradient_check(Scaled{}, Shape{}), ShapeError);
}
