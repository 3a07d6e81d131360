// Shows: the published Fashion-MNIST tutorials from start to end: a look at the data, the network,
//        training, the test score and the prediction for one picture.
// Run:   bash examples/fashion_mnist/run.sh [--model mlp] [--help]
// Its last line: the class of the first test picture, "Ankle boot" for a trained model.
#include "augment.hpp"
#include "options.hpp"
#include "photo.hpp"
#include "predictions.hpp"

#include <weft/data/fashion_mnist.hpp>
#include <weft/io/checkpoint_file.hpp>
#include <weft/io/model_file.hpp>
#include <weft/report/report.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <iostream>

namespace {

using weft::Index;

/// Images as floating-point numbers, and their labels.
struct Split {
    weft::Tensor<float> images;         ///< (N, 28, 28) or (N, 28, 28, 1)
    weft::Tensor<std::uint8_t> labels;  ///< (N)
};

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

/// The optimiser and the schedule that the options name, over that many steps in all.
weft::TrainerOptions<float, weft::Cpu> trainer_options(const Options& options, std::int64_t steps) {
    using namespace weft;
    const double rate = options.learning_rate;
    const auto declare = [&](auto optimizer, double default_rate) {
        optimizer.learning_rate = rate > 0 ? rate : default_rate;
        return optimizer;
    };
    TrainerOptions<float, Cpu> trainer{.loss = SparseCategoricalCrossentropy{},
                                       .metrics = {Accuracy{}}};
    if (options.optimizer == "adam") trainer.optimizer = declare(Adam{}, 0.001);
    if (options.optimizer == "adamw") trainer.optimizer = declare(AdamW{}, 0.001);
    if (options.optimizer == "rmsprop") trainer.optimizer = declare(RMSprop{}, 0.001);
    if (options.optimizer == "sgd") {
        trainer.optimizer = declare(SGD{.momentum = 0.9, .nesterov = true}, 0.02);
    }
    const double top = trainer.optimizer->learning_rate();
    if (options.schedule == "cosine") {
        const std::int64_t warmup = steps / 20;
        trainer.learning_rate_schedule = CosineDecay{.initial_learning_rate = top / 10,
                                                     .decay_steps = steps - warmup,
                                                     .alpha = 0.001,
                                                     .warmup_target = top,
                                                     .warmup_steps = warmup};
    }
    if (options.schedule == "exponential") {
        trainer.learning_rate_schedule = ExponentialDecay{top, steps, 0.01};
    }
    if (options.schedule == "step") {
        trainer.learning_rate_schedule = StepDecay{top, std::max<std::int64_t>(1, steps / 3), 0.1};
    }
    return trainer;
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

/// The directory gets a page and pictures of the run.
void write_report(const Options& options, const Tutorial& network, const Split& train,
                  const Split& test, const weft::Sequential<float>& model,
                  const weft::History& history, const weft::Tensor<float>& predictions) {
    using weft::concat;
    const auto& names = weft::fashion_mnist_classes;
    weft::write_report(options.report,
                       {.title = concat("Fashion-MNIST: ", options.model),
                        .options = {{"model", options.model},
                                    {"epochs", concat(options.epochs)},
                                    {"batch size", concat(options.batch_size)},
                                    {"optimizer", options.optimizer},
                                    {"schedule", options.schedule},
                                    {"validation split", concat(options.validation_share)},
                                    {"seed", concat(options.seed)}},
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
    const weft::Cpu device(options.threads);
    std::cout << "weft " WEFT_VERSION ", " << weft::instruction_set << ", " << device.threads()
              << " threads\n\n";

    const weft::FashionMnist data = weft::load_fashion_mnist(options.data);
    Split train = make_split(data.train_images, data.train_labels, options.limit, network);
    const Split test = make_split(data.test_images, data.test_labels, options.limit, network);
    std::optional<Split> validation;
    if (options.validation_share > 0) validation = hold_back(train, options.validation_share);
    describe("Training set", train);
    if (validation) describe("Validation set", *validation);
    describe("Test set", test);
    const weft::Shape sample = train.images.shape().sample();
    const weft::Tensor<float> photos = read_photos(options, sample, network.pixel_divisor);

    weft::Sequential<float> model(network.layers);
    if (options.load.empty()) {
        model.build(sample, options.seed);
    } else {
        model = weft::load_model<float>(options.load);
    }
    model.set_device(device);
    std::cout << "\n" << model.summary() << "\n";

    const Index batches = (train.labels.size() + options.batch_size - 1) / options.batch_size;
    weft::Trainer trainer(model, trainer_options(options, options.epochs * batches));
    weft::FitOptions<float> fit{
        .epochs = options.epochs, .batch_size = options.batch_size, .seed = options.seed};
    if (validation) fit.validation_data = {validation->images, validation->labels};
    weft::EarlyStopping stopping{.patience = options.patience};
    if (options.patience > 0) fit.callbacks.push_back(stopping);
    const std::string monitor = validation ? "val_loss" : "loss";
    if (options.schedule == "plateau") {
        fit.callbacks.push_back(weft::ReduceLROnPlateau{.monitor = monitor, .patience = 5});
    }
    if (!options.checkpoint.empty()) {
        fit.checkpoint = weft::checkpoint_file(options.checkpoint);
    }
    const weft::Examples<float> examples(train.images, train.labels);
    weft::History history;
    if (options.load.empty()) {
        history = trainer.fit(options.augment ? augment(examples) : examples, fit);
    }
    if (!options.save.empty()) weft::save_model(model, options.save);
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
        // With early stopping the weights are those of the best epoch, so its scores count.
        const auto best_epoch = static_cast<std::size_t>(stopping.best_epoch);
        const std::size_t epoch = best_epoch > 0 ? best_epoch : history.epochs.size();
        const auto score = [&](std::string_view name) {
            return epoch == 0 ? std::nullopt : history.epochs.at(epoch - 1).scores.find(name);
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
            {"best_epoch",
             best_epoch > 0 ? nlohmann::ordered_json(best_epoch) : nlohmann::ordered_json()},
            {"batch_size", options.batch_size},
            {"images_per_second", median_speed(history)},
            {"seconds_total", seconds.count()},
            {"train_loss", json_or_null(score("loss"))},
            {"train_accuracy", json_or_null(score("accuracy"))},
            {"val_loss", json_or_null(score("val_loss"))},
            {"val_accuracy", json_or_null(score("val_accuracy"))},
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
    return history.non_finite || model.parameter_count() != network.parameters ? 1 : 0;
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
