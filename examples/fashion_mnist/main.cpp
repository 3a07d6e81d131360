// Shows: the published Fashion-MNIST tutorials from start to end: a look at the data, the network,
//        training, the test score and the prediction for one picture.
// Run:   bash examples/fashion_mnist/run.sh [--model mlp] [--help]
// Its last line: the class of the first test picture, "Ankle boot" for a trained model.
#include "models.hpp"

#include <weft/data/fashion_mnist.hpp>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iostream>

namespace {

using weft::Index;

struct Options {
    std::string model = "mlp";
    Index epochs = 0;      ///< 0: the tutorial's
    Index batch_size = 0;  ///< 0: the tutorial's
    double learning_rate = weft::Adam{}.learning_rate;
    std::uint64_t seed = 1;
    int threads = 0;
    std::string data;
    Index limit = 0;  ///< 0: all
    std::string json;
    std::string device = "cpu";
};

/// Images scaled to float, and their labels.
struct Split {
    weft::Tensor<float> images;                   ///< (N, 28, 28)
    weft::TensorView<const std::uint8_t> labels;  ///< (N)
};

Split make_split(const weft::Tensor<std::uint8_t>& images, const weft::Tensor<std::uint8_t>& labels,
                 Index limit, float divisor) {
    const Index all = images.shape()[0];
    const Index count = limit == 0 ? all : std::min(limit, all);
    return {weft::scaled<float>(images.slice(0, count), divisor), labels.slice(0, count)};
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

/// The training speed in samples a second: the median over the epochs.
double median_speed(const weft::History& history) {
    std::vector<double> speeds;
    for (const auto& epoch : history.epochs) speeds.push_back(epoch.samples_per_second);
    std::ranges::sort(speeds);
    const std::size_t n = speeds.size();
    return n == 0 ? 0 : (speeds[(n - 1) / 2] + speeds[n / 2]) / 2;
}

nlohmann::ordered_json json_or_null(std::optional<double> number) {
    return number ? nlohmann::ordered_json(*number) : nlohmann::ordered_json();
}

/// Writes the whole file or, on failure, leaves what was there before.
void write_file(const std::filesystem::path& path, const std::string& text) {
    const std::filesystem::path temporary = path.string() + ".part";
    std::ofstream file(temporary, std::ios::binary);
    file << text;
    file.close();
    if (!file) throw weft::IoError(temporary.string() + ": cannot be written");
    std::filesystem::rename(temporary, path);
}

Options parse(int argc, char** argv, CLI::App& app) {
    Options options;
    std::vector<std::string> ids;
    for (const Tutorial& tutorial : tutorials()) ids.push_back(tutorial.id);

    app.add_option("--model", options.model, "The tutorial's network")
        ->check(CLI::IsMember(ids))
        ->capture_default_str();
    app.add_option("--epochs", options.epochs, "Passes over the data [the tutorial's]")
        ->check(CLI::PositiveNumber);
    app.add_option("--batch-size", options.batch_size, "Samples per step [the tutorial's]")
        ->check(CLI::PositiveNumber);
    app.add_option("--learning-rate", options.learning_rate, "Of Adam")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    app.add_option("--seed", options.seed, "Of the first weights and of the order of samples")
        ->capture_default_str();
    app.add_option("--threads", options.threads, "0 for as many as OpenMP would use")
        ->check(CLI::NonNegativeNumber)
        ->capture_default_str();
    app.add_option("--data", options.data, "Directory of the IDX files [searched for]");
    app.add_option("--limit", options.limit, "Use the first N training and N test images")
        ->check(CLI::PositiveNumber);
    app.add_option("--json", options.json, "Write the results to this file");
    app.add_option("--device", options.device, "Where to compute")
        ->check(CLI::IsMember({"cpu"}))
        ->capture_default_str();
    app.parse(argc, argv);

    const auto& known = tutorials();
    const Tutorial& tutorial = *std::ranges::find(known, options.model, &Tutorial::id);
    if (options.epochs == 0) options.epochs = tutorial.epochs;
    if (options.batch_size == 0) options.batch_size = tutorial.batch_size;
    // Better to learn now than after the training that the results have no place to go.
    if (!options.json.empty()) write_file(options.json, "");
    return options;
}

int run(const Options& options) {
    const auto start = std::chrono::steady_clock::now();
    const auto known = tutorials();
    const Tutorial& tutorial = *std::ranges::find(known, options.model, &Tutorial::id);
    const weft::Cpu device(options.threads);
    std::cout << "weft " WEFT_VERSION ", " << weft::instruction_set << ", " << device.threads()
              << " threads\n\n";

    const weft::FashionMnist data = weft::load_fashion_mnist(options.data);
    const Split train =
        make_split(data.train_images, data.train_labels, options.limit, tutorial.pixel_divisor);
    const Split test =
        make_split(data.test_images, data.test_labels, options.limit, tutorial.pixel_divisor);
    describe("Training set", train);
    describe("Test set", test);

    weft::Sequential<float> model(tutorial.layers);
    model.set_device(device);
    model.build(train.images.shape().sample(), options.seed);
    std::cout << "\n" << model.summary() << "\n";

    weft::Trainer trainer(model, {.optimizer = weft::Adam{.learning_rate = options.learning_rate},
                                  .loss = weft::SparseCategoricalCrossentropy{},
                                  .metrics = {weft::Accuracy{}}});
    const weft::History history = trainer.fit(
        train.images, train.labels,
        {.epochs = options.epochs, .batch_size = options.batch_size, .seed = options.seed});
    const weft::Scores scores = trainer.evaluate(test.images, test.labels);
    std::cout << "\nTest loss: " << scores["loss"] << "\nTest accuracy: " << scores["accuracy"]
              << "\n\nThe first test image:\n";

    const weft::Tensor<float> probabilities = model.predict(test.images.sample(0));  // (10)
    for (std::size_t c = 0; c < weft::fashion_mnist_classes.size(); ++c) {
        std::cout << "  " << probabilities[static_cast<Index>(c)] << "  "
                  << weft::fashion_mnist_classes[c] << "\n";
    }

    if (!options.json.empty()) {
        const auto last = [&](std::string_view name) {
            return history.epochs.empty() ? std::nullopt : history.epochs.back().scores.find(name);
        };
        const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
        const nlohmann::ordered_json results{
            {"model", options.model},
            {"parameters", model.parameter_count()},
            {"trainable_parameters", model.trainable_parameter_count()},
            {"device", options.device},
            {"threads", device.threads()},
            {"instruction_set", weft::instruction_set},
            {"seed", options.seed},
            {"epochs_run", history.epochs.size()},
            {"batch_size", options.batch_size},
            {"images_per_second", median_speed(history)},
            {"seconds_total", seconds.count()},
            {"train_loss", json_or_null(last("loss"))},
            {"train_accuracy", json_or_null(last("accuracy"))},
            {"val_loss", json_or_null(last("val_loss"))},
            {"val_accuracy", json_or_null(last("val_accuracy"))},
            {"test_loss", scores["loss"]},
            {"test_accuracy", scores["accuracy"]},
        };
        write_file(options.json, results.dump(2) + "\n");
    }

    const auto best = std::ranges::max_element(probabilities) - probabilities.begin();
    std::cout << "It is: " << weft::fashion_mnist_classes[static_cast<std::size_t>(best)] << "\n";
    return history.non_finite || model.parameter_count() != tutorial.parameters ? 1 : 0;
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
