/// \file
/// What the programs of this folder share, so that they differ in the framework alone: the task
/// on the command line, the data, the clock and the report.
#pragma once

#include <zlib.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace peers {

inline constexpr int pixels = 28 * 28;
inline constexpr long predict_batch = 256;

/// One run: a model trained for `warm-up` chunks and then `chunks` timed ones, each a pass over the
/// samples in a new order. compare.py names all of it.
struct Task {
    std::string model = "mlp";
    std::string variant = "default";  ///< of the framework's use, such as its memory layout
    int threads = 1;
    int warm_up = 1;
    int chunks = 3;
    long batch = 32;
    long samples = 6400;  ///< a multiple of batch
};

inline Task parse_task(int argc, char** argv) {
    Task task;
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string option = argv[i];
        const std::string value = argv[i + 1];
        if (option == "--model")
            task.model = value;
        else if (option == "--variant")
            task.variant = value;
        else if (option == "--threads")
            task.threads = std::stoi(value);
        else if (option == "--warm-up")
            task.warm_up = std::stoi(value);
        else if (option == "--chunks")
            task.chunks = std::stoi(value);
        else if (option == "--batch")
            task.batch = std::stol(value);
        else if (option == "--samples")
            task.samples = std::stol(value);
        else
            throw std::invalid_argument("there is no option " + option);
    }
    return task;
}

struct Data {
    std::vector<float> images;         ///< (N, 28, 28), from 0 to 1
    std::vector<std::uint8_t> labels;  ///< (N)

    const float* image(long i) const { return images.data() + i * pixels; }
};

/// `size` bytes after the header of a file in IDX format; empty when there is no such file.
inline std::vector<std::uint8_t> read_idx(const std::string& file, int header, long size) {
    const std::unique_ptr<gzFile_s, int (*)(gzFile)> stream(gzopen(file.c_str(), "rb"), gzclose);
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(size));
    if (!stream || gzseek(stream.get(), header, SEEK_SET) != header ||
        gzread(stream.get(), bytes.data(), static_cast<unsigned>(size)) != size) {
        return {};
    }
    return bytes;
}

/// The first images of Fashion-MNIST. Where Debian's package is not installed, noise with a bright
/// bar whose place tells the class; python_peers.py makes the same bytes.
inline Data load_data(long samples) {
    const std::string folder = "/usr/share/datasets/fashion-mnist/train-";
    auto bytes = read_idx(folder + "images-idx3-ubyte.gz", 16, samples * pixels);
    Data data{.images = {}, .labels = read_idx(folder + "labels-idx1-ubyte.gz", 8, samples)};
    if (bytes.empty() || data.labels.empty()) {
        bytes.resize(static_cast<std::size_t>(samples * pixels));
        data.labels.resize(static_cast<std::size_t>(samples));
        std::uint32_t state = 1;
        const auto draw = [&] {
            state = state * 1664525 + 1013904223;  // Numerical Recipes
            return static_cast<std::uint8_t>(state >> 24);
        };
        std::ranges::generate(bytes, draw);
        for (std::size_t i = 0; i < data.labels.size(); ++i) {
            data.labels[i] = draw() % 10;
            const auto bar = bytes.begin() + static_cast<long>(i) * pixels + 56 * data.labels[i];
            std::fill_n(bar, 56, std::uint8_t{255});
        }
    }
    data.images.reserve(bytes.size());
    for (const std::uint8_t byte : bytes) data.images.push_back(static_cast<float>(byte) / 255);
    return data;
}

/// The process's largest resident size so far.
inline double peak_mib() {
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;) {
        if (double kib = 0; word == "VmHWM:" && status >> kib) return kib / 1024;
    }
    return 0;
}

inline double median(std::vector<double> values) {
    std::ranges::sort(values);
    const std::size_t n = values.size();
    return n == 0 ? 0 : (values[(n - 1) / 2] + values[n / 2]) / 2;
}

/// Times the run and prints its JSON object.
class Report {
public:
    /// parameters: as many as the optimiser trains.
    Report(Task task, std::string framework, std::string version, long parameters)
        : task_(std::move(task)),
          framework_(std::move(framework)),
          version_(std::move(version)),
          parameters_(parameters) {}

    /// Called after each chunk with its mean loss.
    void end_chunk(double loss) {
        const auto now = Clock::now();
        if (std::ssize(losses_) >= task_.warm_up) {
            speeds_.push_back(static_cast<double>(task_.samples) / seconds(now - chunk_start_));
        }
        losses_.push_back(loss);
        training_peak_mib_ = peak_mib();
        chunk_start_ = Clock::now();
    }

    /// one(i) predicts sample i alone; many(i) predicts the predict_batch samples from i on.
    template <class One, class Many>
    void time_prediction(One one, Many many) {
        latency_seconds_ = median_seconds(one, 1);
        batch_seconds_ = median_seconds(many, predict_batch);
    }

    void print() const {
        std::printf(
            "{\"model\": \"%s\", \"framework\": \"%s\", \"version\": \"%s\", \"variant\": \"%s\", "
            "\"batch\": %ld, \"threads\": %d, \"parameters\": %ld, \"images_per_second\": %.6g, "
            "\"peak_mib\": %.5g, \"predict_latency_us\": %.6g, \"predict_images_per_second\": "
            "%.6g, \"losses\": [",
            task_.model.c_str(), framework_.c_str(), version_.c_str(), task_.variant.c_str(),
            task_.batch, task_.threads, parameters_, median(speeds_), training_peak_mib_,
            1e6 * latency_seconds_, static_cast<double>(predict_batch) / batch_seconds_);
        for (std::size_t i = 0; i < losses_.size(); ++i) {
            std::printf(i == 0 ? "%.6g" : ", %.6g", losses_[i]);
        }
        std::printf("]}\n");
    }

private:
    using Clock = std::chrono::steady_clock;

    static double seconds(Clock::duration duration) {
        return std::chrono::duration<double>(duration).count();
    }

    /// Of a call, each with the next samples, for a second; the first fifth warms up.
    template <class Call>
    double median_seconds(Call call, long images) const {
        std::vector<double> times;
        const auto start = Clock::now();
        for (long first = 0; seconds(Clock::now() - start) < 1; first += images) {
            if (first + images > task_.samples) first = 0;
            const auto call_start = Clock::now();
            call(first);
            const auto call_end = Clock::now();
            if (seconds(call_end - start) > 0.2) times.push_back(seconds(call_end - call_start));
        }
        return median(times);
    }

    Task task_;
    std::string framework_, version_;
    long parameters_;
    Clock::time_point chunk_start_;
    std::vector<double> losses_, speeds_;
    double training_peak_mib_ = 0, latency_seconds_ = 0, batch_seconds_ = 0;
};

}  // namespace peers
