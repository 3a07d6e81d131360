// Shows: the published Fashion-MNIST tutorials from start to end: a look at the data, the network,
//        training, the test score and the prediction for one picture.
// Run:   bash examples/fashion_mnist/run.sh [--model mlp] [--help]
// Its last line: the class of the first test picture, "Ankle boot" for a trained model.
#include "photo.hpp"
#include "predictions.hpp"
#include "training.hpp"

#include <weft/data/fashion_mnist.hpp>
#include <weft/io/model_file.hpp>
#include <weft/report/report.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <iostream>

namespace {

using weft::Index;

Split make_split(weft::TensorView<const std::uint8_t> images,
                 weft::TensorView<const std::uint8_t> labels, Index limit,
                 const Tutorial& tutorial) {
    const Index all = images.shape()[0];
    const Index count = limit == 0 ? all : std::min(limit, all);
    images = images.slice(0, count);
    if (tutorial.is_convolutional) {
        images = images.reshape({count, images.shape()[1], images.shape()[2], 1});
    }
    return {weft::scaled<float>(images, tutorial.pixel_divisor),
            weft::Tensor<std::uint8_t>(labels.slice(0, count))};
}

/// Moves that share of each class from one split into a new one, always the same samples.
Split hold_back(Split& split, double share) {
    const auto indices = weft::stratified_split(split.labels, share, 42);
    const auto part = [&](const std::vector<Index>& samples) {
        return Split{weft::take<float>(split.images, samples),
                     weft::take<std::uint8_t>(split.labels, samples)};
    };
    Split held_back = part(indices.test);
    split = part(indices.train);
    return held_back;
}

void describe(std::string_view name, const Split& split) {
    std::array<Index, 10> histogram{};
    for (const std::uint8_t label : split.labels) ++histogram[label];
    const auto [low, high] = std::ranges::minmax(split.images);
    std::cout << name << ": images " << split.images.shape().to_string() << ", labels "
              << split.labels.shape().to_string() << ", pixels " << low << " ... " << high << "\n";
    for (std::size_t c = 0; c < histogram.size(); ++c) {
        std::cout << "  " << c << "  " << weft::fashion_mnist_classes[c] << ": " << histogram[c]
                  << "\n";
    }
}

/// The training speed in samples a second: the median over the epochs, at least one.
double median_speed(const weft::History& history) {
    std::vector<double> speeds;
    for (const auto& epoch : history.epochs) speeds.push_back(epoch.samples_per_second);
    std::ranges::sort(speeds);
    const std::size_t n = speeds.size();
    return (speeds[(n - 1) / 2] + speeds[n / 2]) / 2;
}

/// The tutorial's network for samples of that shape, with its first weights or those of --load.
/// Throws ArgumentError for a file that holds one of other shapes or another number of parameters.
weft::Model<float> make_model(const Options& options, const Tutorial& network,
                              const weft::Shape& sample) {
    weft::Model<float> model = options.load.empty() ? network.build(sample, options.seed)
                                                    : weft::load_model<float>(options.load);
    const weft::Shape classes{static_cast<Index>(weft::fashion_mnist_classes.size())};
    if (model.parameter_count() != network.parameters || model.input_shape() != sample ||
        model.output_shape() != classes) {
        throw weft::ArgumentError(weft::concat(
            options.load.empty() ? "models.hpp" : options.load, ": holds a network from ",
            model.input_shape().to_batch_string(), " to ", model.output_shape().to_batch_string(),
            " with ", model.parameter_count(), " parameters, but --model ", options.model,
            " expects one from ", sample.to_batch_string(), " to ", classes.to_batch_string(),
            " with ", network.parameters));
    }
    return model;
}

/// The user's pictures (N, sample...), made like those that the network trains on.
weft::Tensor<float> read_photos(const Options& options, const weft::Shape& sample,
                                float pixel_divisor) {
    weft::Tensor<std::uint8_t> pixels(sample.batch(static_cast<Index>(options.photos.size())));
    for (std::size_t i = 0; i < options.photos.size(); ++i) {
        const auto photo = read_photo(options.photos[i], sample[0], sample[1]);
        std::ranges::copy(photo, pixels.sample(static_cast<Index>(i)).begin());
    }
    return weft::scaled<float>(pixels, pixel_divisor);
}

nlohmann::ordered_json per_class(const weft::ClassificationReport& report) {
    auto rows = nlohmann::ordered_json::array();
    for (Index c = 0; c < report.classes(); ++c) {
        const weft::ClassScores scores = report.scores(c);
        rows.push_back({{"class", weft::fashion_mnist_classes[static_cast<std::size_t>(c)]},
                        {"precision", scores.precision},
                        {"recall", scores.recall},
                        {"f1", scores.f1},
                        {"support", scores.support}});
    }
    return rows;
}

std::string validation_data(const Options& options) {
    if (options.validates_on_test) return "the test set";
    if (options.validation_share == 0) return "none";
    return weft::concat(options.validation_share, " of each class");
}

/// The directory gets a page and pictures of the run.
void write_report(const Options& options, const Tutorial& network, const Split& train,
                  const Split& test, const weft::Model<float>& model, const weft::History& history,
                  const weft::Tensor<float>& predictions) {
    using weft::concat;
    const auto& names = weft::fashion_mnist_classes;
    std::vector<std::pair<std::string, std::string>> rows{{"model", options.model}};
    if (options.load.empty()) {
        rows.insert(rows.end(), {{"epochs", concat(options.epochs)},
                                 {"batch size", concat(options.batch_size)},
                                 {"optimizer", options.optimizer},
                                 {"schedule", options.schedule},
                                 {"validation data", validation_data(options)},
                                 {"seed", concat(options.seed)}});
    } else {
        rows.emplace_back("loaded from", options.load);
    }
    weft::write_report(options.report, {.title = concat("Fashion-MNIST: ", options.model),
                                        .options = rows,
                                        .summary = model.summary(),
                                        .history = history,
                                        .class_names = {names.begin(), names.end()},
                                        .train = {train.images, train.labels},
                                        .test = {test.images, test.labels},
                                        .white = 255.0 / static_cast<double>(network.pixel_divisor),
                                        .predictions = predictions,
                                        .filters = weft::first_filters(model),
                                        .seed = options.seed});
}

int run(const Options& options) {
    const auto start = std::chrono::steady_clock::now();
    const Tutorial network = tutorial(options.model);
    const weft::Cpu device =
        options.exact_threads ? weft::Cpu::exactly(options.threads) : weft::Cpu(options.threads);
    std::cout << "weft " WEFT_VERSION ", " << weft::cpu_instruction_set() << ", "
              << device.threads() << " threads";
    const bool on_gpu = options.device == "cuda";
    const std::string gpu = on_gpu ? gpu_name(options) : "";
    if (on_gpu) std::cout << ", trained on " << gpu;
    std::cout << "\n\n";

    const weft::FashionMnist data = weft::load_fashion_mnist(options.data);
    Split train = make_split(data.train_images, data.train_labels, options.limit, network);
    const Split test = make_split(data.test_images, data.test_labels, options.limit, network);
    std::optional<Split> held_back;
    if (options.validation_share > 0) held_back = hold_back(train, options.validation_share);
    describe("Training set", train);
    if (held_back) describe("Validation set", *held_back);
    describe("Test set", test);
    const weft::Shape sample = train.images.shape().sample();
    const weft::Tensor<float> photos = read_photos(options, sample, network.pixel_divisor);

    const bool trains = options.load.empty();
    weft::Model<float> model = make_model(options, network, sample);
    model.set_device(device);
    std::cout << "\n" << model.summary() << "\n";

    const Split* const validation = held_back                   ? &*held_back
                                    : options.validates_on_test ? &test
                                                                : nullptr;
    Training training;
    if (trains) {
        const auto fit_there = on_gpu ? fit_on_gpu : fit<weft::Cpu>;
        training = fit_there(options, model, train, validation);
    }
    const weft::History& history = training.history;
    if (!options.save.empty()) weft::save_model(model, options.save);
    weft::Trainer<float, weft::Cpu> trainer(
        model, {.loss = weft::SparseCategoricalCrossentropy{}, .metrics = {weft::Accuracy{}}});
    const weft::Scores scores = trainer.evaluate(test.images, test.labels);
    const weft::Tensor<float> predictions = model.predict(test.images);  // (M, 10)
    const weft::ClassificationReport report(predictions, test.labels);
    const weft::Interval interval = report.accuracy_interval();
    std::cout << "\nTest loss: " << scores["loss"] << "\nTest accuracy: " << scores["accuracy"]
              << " (95 % interval " << interval.low << " ... " << interval.high
              << ")\n\nThe first test image:\n";

    const weft::Tensor<float> probabilities = model.predict(test.images.sample(0));  // (10)
    print_probabilities(probabilities);
    for (std::size_t i = 0; i < options.photos.size(); ++i) {
        std::cout << "\n" << options.photos[i] << ":\n";
        print_probabilities(model.predict(photos.sample(static_cast<Index>(i))));
    }
    if (!options.predictions.empty()) {
        write_file(options.predictions, predictions_csv(predictions));
    }

    if (!options.json.empty()) {
        using Json = nlohmann::ordered_json;
        const auto if_trained = [&](auto value) { return trains ? Json(value) : Json(); };
        const auto score = [&](std::string_view name) {
            const std::size_t epoch = training.weights_epoch;
            const auto value =
                epoch == 0 ? std::nullopt : history.epochs.at(epoch - 1).scores.find(name);
            return value ? Json(*value) : Json();
        };
        const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
        const Json results{
            {"model", options.model},
            {"parameters", model.parameter_count()},
            {"trainable_parameters", model.trainable_parameter_count()},
            {"device", options.device},
            {"gpu", on_gpu ? Json(gpu) : Json()},
            {"threads", device.threads()},
            {"instruction_set", weft::cpu_instruction_set()},
            {"seed", if_trained(options.seed)},
            {"epochs_run", history.epochs.size()},
            {"best_epoch", training.best_epoch > 0 ? Json(training.best_epoch) : Json()},
            {"batch_size", if_trained(options.batch_size)},
            {"images_per_second", history.epochs.empty() ? Json() : Json(median_speed(history))},
            {"seconds_total", seconds.count()},
            {"train_loss", score("loss")},
            {"train_accuracy", score("accuracy")},
            {"val_loss", score("val_loss")},
            {"val_accuracy", score("val_accuracy")},
            {"test_loss", scores["loss"]},
            {"test_accuracy", scores["accuracy"]},
            {"test_accuracy_interval", {interval.low, interval.high}},
            {"classes", per_class(report)},
        };
        write_file(options.json, results.dump(2) + "\n");
    }

    if (!options.report.empty()) {
        write_report(options, network, train, test, model, history, predictions);
        std::cout << "Report: " << (std::filesystem::path(options.report) / "index.html").string()
                  << "\n";
    }

    const auto best = static_cast<std::size_t>(best_class(probabilities));
    std::cout << "It is: " << weft::fashion_mnist_classes[best] << "\n";
    return history.non_finite ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"Trains the networks of the published Fashion-MNIST tutorials."};
    try {
        return run(parse(argc, argv, app));
    } catch (const CLI::ParseError& error) {
        return app.exit(error);
    } catch (const std::exception& error) {
        std::cerr << "fashion_mnist: " << error.what() << "\n";
        return 2;
    }
}
