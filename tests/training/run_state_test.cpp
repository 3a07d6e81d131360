#include "weft/training/run_state.hpp"

#include "weft/cpu.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <limits>

using namespace weft;

namespace {

/// One field of each kind.
struct Everything {
    std::int64_t large = 0;
    std::uint64_t seed = 0;
    std::uint8_t small = 0;
    Index count = 0;
    bool truth = false;
    double number = 0;
    std::optional<double> maybe = {};
    std::vector<double> list = {};
    std::string text = {};
    Buffer bytes = {};
    std::array<float, 6> tensor = {};

    struct Inner {
        int number = 0;
        void visit_state(StateFields& field) { field("number", number); }
    } inner = {};

    void visit_state(StateFields& field) {
        field("large", large);
        field("seed", seed);
        field("small", small);
        field.count("count", count);
        field("truth", truth);
        field("number", number);
        field("maybe", maybe);
        field("list", list);
        field("text", text);
        field("bytes", bytes);
        field("tensor", TensorView<float>(tensor.data(), {2, 3}));
        field("inner", inner);
    }
};

VisitState visit(Everything& everything) {
    return [&](StateFields& field) { everything.visit_state(field); };
}

Everything filled() {
    Everything e{.large = std::numeric_limits<std::int64_t>::min(),
                 .seed = ~std::uint64_t{0},
                 .small = 255,
                 .count = 7,
                 .truth = true,
                 .number = -0.0,
                 .maybe = std::numeric_limits<double>::quiet_NaN(),
                 .list = {1, std::numeric_limits<double>::infinity(), 0.1},
                 .text = std::string("a\0b", 3),
                 .bytes = Buffer(2),
                 .tensor = {1, 2, 3, 4, 5, 6},
                 .inner = {-3}};
    e.bytes.data()[0] = std::byte{1};
    e.bytes.data()[1] = std::byte{255};
    return e;
}

/// What restoring from a state says, of which one value is another.
template <class Change>
std::string refusal(std::string_view name, const Change& change) {
    Everything saved = filled();
    RunState state = detail::state_of(visit(saved));
    const auto value = std::ranges::find(state.values, name, &RunState::Value::name);
    REQUIRE(value != state.values.end());
    change(state, *value);
    Everything restored;
    try {
        detail::restore(visit(restored), state);
    } catch (const IoError& error) {
        return error.what();
    }
    return "";
}

void set_integer(RunState::Value& value, std::int64_t number) {
    REQUIRE(value.bytes.size() == sizeof number);
    std::memcpy(value.bytes.data(), &number, sizeof number);
}

}  // namespace

TEST_CASE("each kind of field comes back as it was") {
    Everything saved = filled(), restored;
    const RunState state = detail::state_of(visit(saved));
    detail::restore(visit(restored), state);
    CHECK(restored.large == saved.large);
    CHECK(restored.seed == saved.seed);
    CHECK(restored.small == saved.small);
    CHECK(restored.count == saved.count);
    CHECK(restored.truth);
    CHECK(std::signbit(restored.number));
    REQUIRE(restored.maybe);
    CHECK(std::isnan(*restored.maybe));
    CHECK(restored.list == saved.list);
    CHECK(restored.text == saved.text);
    REQUIRE(restored.bytes.size() == 2);
    CHECK(restored.bytes.data()[1] == std::byte{255});
    CHECK(restored.tensor == saved.tensor);
    CHECK(restored.inner.number == -3);
}

TEST_CASE("nothing comes back as nothing") {
    Everything nothing, restored = filled();
    detail::restore(visit(restored), detail::state_of(visit(nothing)));
    CHECK(!restored.maybe);
    CHECK(restored.list.empty());
    CHECK(restored.text.empty());
    CHECK(restored.bytes.size() == 0);
    CHECK(!restored.truth);
}

TEST_CASE("values have the names of their fields, those of objects before them") {
    Everything saved = filled();
    const RunState state = detail::state_of(visit(saved));
    CHECK(state.values.size() == 12);
    REQUIRE(state.find("inner/number"));
    CHECK(state.find("inner/number")->type == RunState::Type::integer);
    REQUIRE(state.find("tensor"));
    CHECK(state.find("tensor")->type == RunState::Type::float32);
    CHECK(state.find("tensor")->shape == Shape{2, 3});
    CHECK(!state.find("inner"));
}

TEST_CASE("a value that is missing, unknown, or of another type, shape or range is refused") {
    const auto erase = [](RunState& state, RunState::Value& value) {
        state.values.erase(state.values.begin() + (&value - state.values.data()));
    };
    CHECK(refusal("inner/number", erase) ==
          "the state: inner/number is missing, but this run has one");
    CHECK(refusal("text", [](RunState& state, RunState::Value& value) {
              state.values.push_back({"more", value.type, value.shape, value.bytes});
          }) == "the state: holds more, which this run does not have");
    CHECK(refusal("number", [](RunState&, RunState::Value& value) {
              value.type = RunState::Type::integer;
          }) == "the state: number has another number type than this run's");
    CHECK(refusal("tensor", [](RunState&, RunState::Value& value) { value.shape = {3, 2}; }) ==
          "the state: tensor has shape (3, 2), expected (2, 3)");
    CHECK(refusal("tensor", [](RunState&, RunState::Value& value) { value.bytes = Buffer(8); }) !=
          "");
    CHECK(refusal("list", [](RunState&, RunState::Value& value) { value.shape = {3, 1}; }) ==
          "the state: list is not a list");
    CHECK(refusal("maybe", [](RunState&, RunState::Value& value) {
              value.shape = {2};
              value.bytes = Buffer(16);
          }) == "the state: maybe has more than one number");
    for (const std::int64_t number : {-1, 256}) {
        CHECK(refusal("small", [&](RunState&, RunState::Value& value) {
                  set_integer(value, number);
              }) == "the state: small is out of range");
    }
    for (const std::int64_t number : {std::int64_t{-1}, std::int64_t{1} << 53}) {
        CHECK(refusal("count", [&](RunState&, RunState::Value& value) {
                  set_integer(value, number);
              }) == "the state: count is not a whole number from 0 to 2^53");
    }
    CHECK(refusal("count", [](RunState&, RunState::Value& value) {
              set_integer(value, (std::int64_t{1} << 53) - 1);
          }) == "");
}

TEST_CASE("two fields of one name are a mistake of the program") {
    CHECK_THROWS_WITH_AS(detail::state_of([](StateFields& field) {
                             double number = 0;
                             field("number", number);
                             field("number", number);
                         }),
                         "run: two values are named number", ArgumentError);
}

TEST_CASE("a refused state leaves all as it was, even what no state may hold") {
    struct Strict {
        int number = 0;
        void visit_state(StateFields& field) {
            field("number", number);
            if (field.is_restoring()) field.require(number < 10, "number", "is too large");
        }
    };
    Strict strict{5};
    const auto visit_strict = [&](StateFields& field) { strict.visit_state(field); };
    std::optional<RunState> kept = detail::state_of(visit_strict);
    set_integer(kept->values[0], 11);
    const RunStore store = run_store([&] { return kept; }, [&](const RunState& s) { kept = s; });
    for (const int before : {5, 20}) {
        strict.number = before;
        CHECK_THROWS_WITH_AS(store.load(visit_strict), "the state: number is too large", IoError);
        CHECK(strict.number == before);
    }
    strict.number = 6;
    store.save(visit_strict);
    strict.number = 7;
    CHECK(store.load(visit_strict));
    CHECK(strict.number == 6);
    kept.reset();
    CHECK(!store.load(visit_strict));
    CHECK(strict.number == 6);
}
