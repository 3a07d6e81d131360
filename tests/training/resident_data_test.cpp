// Samples that are kept on a device whose memory is not the host's.
#include "weft/training/detail/resident_data.hpp"

#include "tests/support/compare.hpp"
#include "tests/support/functional_models.hpp"
#include "tests/support/random_tensor.hpp"
#include "tests/support/walled_device.hpp"
#include "weft/model/to_device.hpp"
#include "weft/weft.hpp"

#include <doctest/doctest.h>

using namespace weft;

namespace {

/// A data set that counts how often it is asked for samples.
class Counted final : public Dataset<float> {
public:
    Counted(Examples<float> inner, bool is_constant)
        : inner_(std::move(inner)), is_constant_(is_constant) {}

    bool is_constant() const override { return is_constant_; }
    bool inputs_are_bytes() const override { return inner_->inputs_are_bytes(); }
    Index size() const override { return inner_->size(); }
    Shape input_shape() const override { return inner_->input_shape(); }
    Shape target_shape() const override { return inner_->target_shape(); }
    std::vector<Shape> input_shapes() const override { return inner_->input_shapes(); }
    std::vector<Shape> target_shapes() const override { return inner_->target_shapes(); }
    void gather(std::span<const Index> samples, float* x, float* y) const override {
        asked += x != nullptr ? 1 : 0;  // targets alone are looked through at the start
        if (x != nullptr && samples.size() > most_at_once) throw IoError("too many at once");
        inner_->gather(samples, x, y);
    }

    std::unique_ptr<BatchReader<float>> read_batches(const BatchPlan& plan) const override {
        ++passes;
        return Dataset<float>::read_batches(plan);
    }

    std::size_t most_at_once = 1000;
    mutable int asked = 0;
    mutable int passes = 0;

private:
    Examples<float> inner_;
    bool is_constant_;
};

/// Three epochs of 7 batches each, the last of them shorter.
FitOptions<float> three_epochs() {
    return {.epochs = 3, .batch_size = 3, .seed = 4, .verbosity = Verbosity::silent};
}

/// The parameters of the model, trained so on the device.
template <class Device, class OptionsOf>
Tensor<float> train_on(const Model<float>& declared, const OptionsOf& options_of,
                       const std::shared_ptr<const Dataset<float>>& data,
                       const FitOptions<float>& fit) {
    Model<float, Device> model = to<Device>(declared);
    Trainer<float, Device> trainer(model, options_of(std::type_identity<Device>()));
    trainer.fit(Examples<float>(data), fit);
    return Tensor<float>(to<Cpu>(model).arena());
}

/// Of two_by_two_model.
constexpr auto losses_of_two = [](auto device) {
    return TrainerOptions<float, typename decltype(device)::type>{
        .loss = {SparseCategoricalCrossentropy{}, MeanSquaredError{}}};
};

}  // namespace

TEST_CASE("samples in memory go to a device once, and train alike") {
    const auto x = random_normal<float>({20, 5}, 1);
    Tensor<float> labels({20});
    for (Index i = 0; i < 20; ++i) labels[i] = static_cast<float>(i % 3);
    Sequential<float> model{Dense{8, relu}, BatchNorm{}, Dropout{0.2}, Dense{3}};
    model.build({5}, 3);
    const auto options = [](auto device) {
        using Device = typename decltype(device)::type;
        return TrainerOptions<float, Device>{
            .loss = SparseCategoricalCrossentropy{.from_logits = true}, .metrics = {Accuracy{}}};
    };
    const auto fit = three_epochs();
    const Examples<float> arrays(x, labels);
    const auto set = [&](bool is_constant) {
        return std::make_shared<const Counted>(arrays, is_constant);
    };
    const auto expected = train_on<Cpu>(model, options, set(true), fit);

    // All of it at once, and the first batch, of which hints are given.
    const auto constant = set(true);
    CHECK(identical(train_on<Walled>(model, options, constant, fit), expected));
    CHECK(constant->asked == 2);
    const auto changing = set(false);
    CHECK(identical(train_on<Walled>(model, options, changing, fit), expected));
    CHECK(changing->asked == 21);

    auto limited = fit;
    limited.resident_bytes = 20 * 6 * 4 - 1;
    const auto large = set(true);
    CHECK(identical(train_on<Walled>(model, options, large, limited), expected));
    CHECK(large->asked == 21);
    ++limited.resident_bytes;
    const auto fits = set(true);
    CHECK(identical(train_on<Walled>(model, options, fits, limited), expected));
    CHECK(fits->asked == 2);

    // Weights of classes are looked up in the host's targets; those of samples need none.
    auto weighted = fit;
    weighted.class_weight = {0.5, 1, 2};
    const auto by_class = set(true);
    CHECK(identical(train_on<Walled>(model, options, by_class, weighted),
                    train_on<Cpu>(model, options, set(true), weighted)));
    CHECK(by_class->asked == 21);
    weighted = fit;
    for (int i = 0; i < 20; ++i) weighted.sample_weight.push_back(i % 4);
    CHECK(identical(train_on<Walled>(model, options, set(true), weighted),
                    train_on<Cpu>(model, options, set(true), weighted)));
}

TEST_CASE("no pass over the host's samples begins for those that lie on a device") {
    Sequential<float> model{Dense{2}};
    model.build({5}, 1);
    const auto options = [](auto device) {
        return TrainerOptions<float, typename decltype(device)::type>{.loss = MeanSquaredError{}};
    };
    const auto x = random_normal<float>({20, 5}, 1), y = random_normal<float>({20, 2}, 2);
    for (const bool is_constant : {true, false}) {
        const auto data = std::make_shared<const Counted>(Examples<float>(x, y), is_constant);
        train_on<Walled>(model, options, data, three_epochs());
        CHECK(data->passes == (is_constant ? 1 : 3));  // the first is for hints
    }
}

TEST_CASE("samples of several inputs and targets are kept on a device too") {
    const TwoByTwo samples(10);
    Model<float> model = two_by_two_model();
    model.build(model.input_shapes(), 3);
    const auto data = std::make_shared<const Counted>(samples, true);
    const auto expected = train_on<Cpu>(model, losses_of_two, data, three_epochs());
    data->asked = 0;
    CHECK(identical(train_on<Walled>(model, losses_of_two, data, three_epochs()), expected));
    CHECK(data->asked == 2);
}

namespace {

/// The scores of all epochs.
template <class Device, class OptionsOf>
std::vector<std::pair<std::string, double>> scores_on(const Model<float>& declared,
                                                      const OptionsOf& options_of,
                                                      const Examples<float>& data,
                                                      const FitOptions<float>& fit) {
    Model<float, Device> model = to<Device>(declared);
    Trainer<float, Device> trainer(model, options_of(std::type_identity<Device>()));
    std::vector<std::pair<std::string, double>> all;
    for (const EpochRecord& epoch : trainer.fit(data, fit).epochs) {
        all.insert(all.end(), epoch.scores.begin(), epoch.scores.end());
    }
    return all;
}

}  // namespace

TEST_CASE("samples to validate with go to a device once, and have the same scores") {
    const auto x = random_normal<float>({20, 5}, 1), y = random_normal<float>({20, 2}, 2);
    const auto held_x = random_normal<float>({8, 5}, 3), held_y = random_normal<float>({8, 2}, 4);
    Sequential<float> model{Dense{8, relu}, BatchNorm{}, Dropout{0.2}, Dense{2}};
    model.build({5}, 3);
    const auto options = [](auto device) {
        return TrainerOptions<float, typename decltype(device)::type>{.loss = MeanSquaredError{}};
    };
    const Examples<float> data(x, y);
    const auto held = [&](bool is_constant) {
        return std::make_shared<const Counted>(Examples<float>(held_x, held_y), is_constant);
    };
    // Three epochs, of three batches to validate with; or all of them once.
    constexpr Index bytes = (20 + 8) * 7 * 4;
    struct Case {
        const char* what;
        bool is_constant;
        Index resident_bytes;
        int asked;
    };
    for (const Case& each : {Case{"fits", true, bytes, 1}, Case{"changes", false, bytes, 9},
                             Case{"too many beside the others", true, bytes - 1, 9},
                             Case{"the others are too many", true, 8 * 7 * 4, 1},
                             Case{"too many", true, 8 * 7 * 4 - 1, 9}}) {
        CAPTURE(each.what);
        auto fit = three_epochs();
        fit.resident_bytes = each.resident_bytes;
        for (const bool weighs : {false, true}) {
            if (weighs) fit.validation_sample_weight = {1, 2, 3, 4, 5, 6, 7, 8};
            const auto on_device = held(each.is_constant);
            fit.validation_data = Examples<float>(on_device);
            const auto found = scores_on<Walled>(model, options, data, fit);
            CHECK(on_device->asked == each.asked);
            CHECK(found == scores_on<Cpu>(model, options, data, fit));
            CHECK(found.size() == 6);
        }
    }

    // Samples that cannot be read at once are tried once, and then read by batches.
    const auto slow = std::make_shared<Counted>(Examples<float>(held_x, held_y), true);
    slow->most_at_once = 3;
    auto fit = three_epochs();
    fit.validation_data = Examples<float>(slow);
    CHECK(scores_on<Walled>(model, options, data, fit) ==
          scores_on<Cpu>(model, options, data, fit));
    CHECK(slow->asked == 1 + 9 + 9);

    // The last of the training data.
    fit = three_epochs();
    fit.validation_split = 0.4;
    const auto all = std::make_shared<const Counted>(data, true);
    const auto found = scores_on<Walled>(model, options, Examples<float>(all), fit);
    CHECK(all->asked == 3);  // and the first batch, of which hints are given
    CHECK(found == scores_on<Cpu>(model, options, data, fit));
}

TEST_CASE("samples of several inputs and targets to validate with are kept on a device too") {
    const TwoByTwo samples(10);
    Model<float> model = two_by_two_model();
    model.build(model.input_shapes(), 3);
    const Examples<float> data = samples;
    auto fit = three_epochs();
    const auto held = std::make_shared<const Counted>(data, true);
    fit.validation_data = Examples<float>(held);
    const auto found = scores_on<Walled>(model, losses_of_two, data, fit);
    CHECK(held->asked == 1);
    CHECK(found == scores_on<Cpu>(model, losses_of_two, data, fit));
}

TEST_CASE("parts of samples that never change, or those in another shape, never change either") {
    const auto x = random_normal<float>({6, 4}, 1), y = random_normal<float>({6, 1}, 2);
    const Examples<float> arrays(x, y);
    const std::vector<Index> part{4, 1, 2};
    const Examples<float> changing(std::make_shared<const Counted>(arrays, false));
    CHECK(arrays->is_constant());
    CHECK(subset<float>(arrays, part)->is_constant());
    CHECK(reshaped<float>(arrays, {2, 2})->is_constant());
    CHECK_FALSE(subset<float>(changing, part)->is_constant());
    CHECK_FALSE(reshaped<float>(changing, {2, 2})->is_constant());
    CHECK_FALSE(
        augmented<float>(reshaped<float>(arrays, {2, 2, 1}), {RandomFlip{}})->is_constant());
}

namespace {

/// All of 0 ... 255, if there are as many.
Tensor<std::uint8_t> some_bytes(const Shape& shape) {
    Tensor<std::uint8_t> x(shape);
    for (Index i = 0; i < x.size(); ++i) x[i] = static_cast<std::uint8_t>(255 - i * 37 % 256);
    return x;
}

Tensor<float> as_numbers(const Tensor<std::uint8_t>& bytes) {
    Tensor<float> x(bytes.shape());
    std::copy(bytes.begin(), bytes.end(), x.begin());
    return x;
}

/// Of Sequential models.
constexpr auto squared_error = [](auto device) {
    return TrainerOptions<float, typename decltype(device)::type>{.loss = MeanSquaredError{}};
};

}  // namespace

TEST_CASE("inputs that are bytes stay bytes on a device, and train as numbers do") {
    const auto x = some_bytes({20, 13});
    const auto y = random_normal<float>({20, 2}, 2);
    Sequential<float> model{Rescaling{1.0 / 255}, Dense{8, relu}, Dropout{0.2}, Dense{2}};
    model.build({13}, 3);
    const auto expected = train_on<Walled>(
        model, squared_error,
        std::make_shared<const Counted>(Examples<float>(as_numbers(x), y), true), three_epochs());
    const Examples<float> bytes(x, y);
    CHECK(bytes->inputs_are_bytes());
    // A byte of 13 numbers, and the 4 of two targets.
    for (const bool fits : {true, false}) {
        auto fit = three_epochs();
        fit.resident_bytes = 20 * (13 + 2 * 4) - (fits ? 0 : 1);
        const auto data = std::make_shared<const Counted>(bytes, true);
        CHECK(identical(train_on<Walled>(model, squared_error, data, fit), expected));
        CHECK(data->asked == (fits ? 2 : 21));
    }
}

TEST_CASE("a part of samples that are bytes, in another shape, stays bytes on a device") {
    const auto x = some_bytes({31, 3, 5});
    const auto y = random_normal<float>({31, 2}, 2);
    const std::vector<Index> part{30, 1, 2, 3, 29, 5, 8, 7, 6, 9, 0};
    const auto of = [&](const Examples<float>& all) {
        return reshaped<float>(subset<float>(all, part), {15});
    };
    Sequential<float> model{Rescaling{1.0 / 255}, Dense{2}};
    model.build({15}, 3);
    auto fit = three_epochs();
    fit.resident_bytes = 11 * (15 + 2 * 4);
    const auto data = std::make_shared<const Counted>(of(Examples<float>(x, y)), true);
    CHECK(identical(
        train_on<Walled>(model, squared_error, data, fit),
        train_on<Cpu>(model, squared_error,
                      std::make_shared<const Counted>(of(Examples<float>(as_numbers(x), y)), true),
                      fit)));
    CHECK(data->asked == 2);
}

TEST_CASE("several inputs stay bytes on a device if all of them are") {
    const auto image = some_bytes({20, 7}), size = some_bytes({20, 1});
    const auto y = random_normal<float>({20, 2}, 2);
    const auto of_image = input<float, Cpu>({7}), of_size = input<float, Cpu>({1});
    Model<float> model(
        {of_image, of_size},
        {concatenate(of_image | Rescaling{1.0 / 255}, of_size | Rescaling{1.0 / 255}) | Dense{2}});
    model.build(model.input_shapes(), 3);
    const auto set = [](std::vector<Column<float>> inputs, const Tensor<float>& targets) {
        return std::make_shared<const Counted>(
            Examples<float>(std::move(inputs), {Column<float>(targets)}), true);
    };
    const auto expected = train_on<Cpu>(
        model, squared_error, set({as_numbers(image), as_numbers(size)}, y), three_epochs());
    const auto fits = [&](const std::shared_ptr<const Counted>& data, Index bytes) {
        auto fit = three_epochs();
        fit.resident_bytes = bytes;
        data->asked = 0;
        CHECK(identical(train_on<Walled>(model, squared_error, data, fit), expected));
        return data->asked == 2;
    };
    const auto bytes = set({image, size}, y), mixed = set({image, as_numbers(size)}, y);
    CHECK(fits(bytes, 20 * (8 + 8)));
    CHECK_FALSE(fits(bytes, 20 * (8 + 8) - 1));
    CHECK(fits(mixed, 20 * (8 * 4 + 8)));
    CHECK_FALSE(fits(mixed, 20 * (8 * 4 + 8) - 1));
}

TEST_CASE("samples to validate with that are bytes stay bytes on a device, with the same scores") {
    const auto x = some_bytes({20, 7}), held_x = some_bytes({8, 7});
    const auto y = random_normal<float>({20, 2}, 2), held_y = random_normal<float>({8, 2}, 4);
    Sequential<float> model{Rescaling{1.0 / 255}, Dense{2}};
    model.build({7}, 3);
    const Examples<float> data(x, y);
    constexpr Index bytes = (20 + 8) * (7 + 2 * 4);
    for (const bool fits : {true, false}) {
        auto fit = three_epochs();
        fit.resident_bytes = fits ? bytes : bytes - 1;
        const auto held = std::make_shared<const Counted>(Examples<float>(held_x, held_y), true);
        fit.validation_data = Examples<float>(held);
        const auto found = scores_on<Walled>(model, squared_error, data, fit);
        CHECK(held->asked == (fits ? 1 : 9));
        fit.validation_data = Examples<float>(as_numbers(held_x), held_y);
        CHECK(found == scores_on<Cpu>(model, squared_error, data, fit));
    }
    // The last of the training data.
    auto fit = three_epochs();
    fit.validation_split = 0.4;
    CHECK(scores_on<Walled>(model, squared_error, data, fit) ==
          scores_on<Cpu>(model, squared_error, data, fit));
}

TEST_CASE("inputs are bytes only where nothing but a cast happens to them") {
    const auto x = some_bytes({6, 4});
    const auto y = random_normal<float>({6, 1}, 2);
    const Examples<float> bytes(x, y);
    CHECK(bytes->inputs_are_bytes());
    CHECK(Examples<double>(x, y)->inputs_are_bytes());
    CHECK(Examples<float>(x, x)->inputs_are_bytes());
    CHECK(prefetched(bytes)->inputs_are_bytes());
    CHECK_FALSE(Examples<float>(as_numbers(x), x)->inputs_are_bytes());
    CHECK_FALSE(Examples<float>(Tensor<std::int8_t>({6, 4}), y)->inputs_are_bytes());
    CHECK_FALSE(scaled(bytes, 255)->inputs_are_bytes());
    CHECK_FALSE(subset<float>(scaled(bytes, 1), std::vector<Index>{1, 2})->inputs_are_bytes());
    CHECK_FALSE(
        augmented<float>(reshaped<float>(bytes, {2, 2, 1}), {RandomFlip{}})->inputs_are_bytes());
}

TEST_CASE("a negative limit on resident data is refused") {
    const auto x = random_normal<float>({4, 5}, 1), y = random_normal<float>({4, 1}, 2);
    Sequential<float> model{Dense{1}};
    Trainer trainer(model, {.loss = MeanSquaredError{}});
    CHECK_THROWS_WITH_AS(trainer.fit(x, y, {.verbosity = Verbosity::silent, .resident_bytes = -1}),
                         "fit: resident_bytes is -1, expected at least 0", ArgumentError);
}
