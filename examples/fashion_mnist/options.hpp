// The options of the program: what they are called, and what they are when they are not given.
#pragma once

#include "files.hpp"
#include "models.hpp"

#include <CLI/CLI.hpp>

#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

struct Options {
    std::string model = "mlp";
    weft::Index epochs = 0;  ///< 0: the tutorial's, as for the rest
    weft::Index batch_size = 0;
    std::string optimizer;
    double learning_rate = 0;  ///< 0: the tutorial's or the optimiser's default
    std::string schedule;
    double validation_share = -1;
    bool validates_on_test = false;
    weft::Index patience = -1;
    std::uint64_t seed = 1;
    int threads = 0;
    bool exact_threads = false;
    std::string data;
    weft::Index limit = 0;  ///< 0: all
    std::string json;
    std::string report;
    std::string save;
    std::string load;  ///< not empty: nothing is trained
    std::string checkpoint;
    bool resume = false;
    std::string device = "cpu";
    bool tf32 = false;
    bool augment = false;
    std::vector<std::string> photos;
    std::string predictions;
};

/// Throws CLI::ParseError for what is no option, and weft::Error for one that cannot be met.
inline Options parse(int argc, char** argv, CLI::App& app) {
    Options options;
    std::vector<std::string> ids;
    for (const Tutorial& known : tutorials()) ids.push_back(known.id);

    app.add_option("--model", options.model, "The tutorial's network")
        ->check(CLI::IsMember(ids))
        ->capture_default_str();
    app.add_option("--epochs", options.epochs, "Passes over the data [the tutorial's]")
        ->check(CLI::PositiveNumber);
    app.add_option("--batch-size", options.batch_size, "Samples per step [the tutorial's]")
        ->check(CLI::PositiveNumber);
    app.add_option("--optimizer", options.optimizer, "How to step [the tutorial's]")
        ->check(CLI::IsMember({"adam", "adamw", "rmsprop", "sgd"}));
    app.add_option("--learning-rate", options.learning_rate, "Of the optimiser [the tutorial's]")
        ->check(CLI::PositiveNumber);
    app.add_option("--schedule", options.schedule, "Of the learning rate [the tutorial's]")
        ->check(CLI::IsMember(
            {"constant", "cosine", "exponential", "piecewise", "plateau", "polynomial", "step"}));
    app.add_option("--validation-split", options.validation_share,
                   "Share of each class held back from training [the tutorial's]")
        ->check(CLI::Range(0.0, 0.9));
    app.add_option("--patience", options.patience,
                   "Stop after so many epochs without a lower val_loss; 0: never [the tutorial's]")
        ->check(CLI::NonNegativeNumber);
    app.add_option(
           "--seed", options.seed,
           "Of the first weights, of the order of samples, and of those that a report shows")
        ->capture_default_str();
    app.add_option("--threads", options.threads, "0 for as many as OpenMP would use")
        ->check(CLI::NonNegativeNumber)
        ->capture_default_str();
    app.add_flag("--exact-threads", options.exact_threads,
                 "Just so many threads: to measure, or to test; else as many of them as pay");
    app.add_option("--data", options.data, "Directory of the IDX files [searched for]");
    app.add_option("--limit", options.limit, "Use the first N training and N test images")
        ->check(CLI::PositiveNumber);
    app.add_option("--json", options.json, "Write the results to this file");
    app.add_option("--report", options.report, "Write a page with pictures into this directory");
    app.add_option("--save", options.save, "Write the trained model to this file");
    CLI::Option* const load =
        app.add_option("--load", options.load,
                       "Take the model from this file, and train none; --model says which it is");
    CLI::Option* const checkpoint = app.add_option("--checkpoint", options.checkpoint,
                                                   "Keep the run in this file as it goes on");
    app.add_flag("--resume", options.resume,
                 "Go on with the run that --checkpoint kept, if there is one")
        ->needs(checkpoint);
    CLI::Option* const device = app.add_option("--device", options.device,
                                               "Where to train: on the CPU, or on an NVIDIA GPU")
                                    ->check(CLI::IsMember({"cpu", "cuda"}))
                                    ->capture_default_str();
    app.add_flag("--tf32", options.tf32, "With --device cuda: products on tensor cores, in TF32")
        ->needs(device);
    app.add_flag("--augment", options.augment,
                 "Train on flipped, shifted and partly hidden images [the model's]");
    app.add_option("--photo", options.photos, "Classify these PNG or JPEG files after training");
    app.add_option("--predictions", options.predictions,
                   "Write the class of each test image to this CSV file");
    for (const char* const training :
         {"--epochs", "--batch-size", "--optimizer", "--learning-rate", "--schedule",
          "--validation-split", "--patience", "--augment", "--checkpoint", "--resume", "--save"}) {
        load->excludes(training);
    }
    app.parse(argc, argv);

    Tutorial defaults = tutorial(options.model);
    if (!options.load.empty()) {
        defaults.validation_share = 0;
        defaults.validates_on_test = false;
        defaults.patience = 0;
    }
    if (options.epochs == 0) options.epochs = defaults.epochs;
    if (options.batch_size == 0) options.batch_size = defaults.batch_size;
    if (options.optimizer.empty()) {
        options.optimizer = defaults.optimizer;
        if (options.learning_rate == 0) options.learning_rate = defaults.learning_rate;
    }
    if (options.schedule.empty()) options.schedule = defaults.schedule;
    if (options.validation_share < 0) {
        options.validation_share = defaults.validation_share;
        options.validates_on_test = defaults.validates_on_test;
    }
    if (options.patience < 0) options.patience = defaults.patience;
    options.augment |= defaults.augment;
    // Weights that the test set had chosen would say little about other pictures.
    if (options.patience > 0 && options.validation_share == 0) {
        throw weft::ArgumentError("--patience needs --validation-split");
    }
    if (!options.checkpoint.empty()) {
        const bool exists = std::filesystem::exists(options.checkpoint);
        if (exists && !options.resume) {
            throw weft::ArgumentError(options.checkpoint +
                                      ": holds a run already; --resume goes on with it");
        }
        // So that a job which restarts itself has one command.
        if (!exists && options.resume) {
            std::cout << options.checkpoint << ": no such file, so a new run begins\n";
        }
    }
    // Better to learn now than after the training that the results have no place to go.
    for (const std::string& path : {options.json, options.save, options.predictions}) {
        if (!path.empty()) check_writable(path);
    }
    if (!options.report.empty()) {
        std::filesystem::create_directories(options.report);
        check_writable(std::filesystem::path(options.report) / "index.html");
    }
    return options;
}
