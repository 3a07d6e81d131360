// Training and prediction beside other busy processes: up to 1, 2, 4 and 8 threads, as users allow
// them, beside just one and just two. Prints a table of images a second: medians of the rounds, and
// in brackets their ratio to the better of just one and just two.
//   weft_busy [--seconds 2] [--rounds 3] [--models mlp,cnn,cnn-deep] [--loads 0,1,2]
// POSIX only: the load is made of child processes that count.
#include "weft/losses/sparse_categorical_crossentropy.hpp"
#include "weft/training/lambda_callback.hpp"
#include "weft/training/trainer.hpp"

#include "bench/support/random_tensor.hpp"
#include "examples/fashion_mnist/models.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <sstream>

namespace {

using namespace weft;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Processes that do nothing but count, while it lives.
class Load {
public:
    explicit Load(int processes) {
        for (int i = 0; i < processes; ++i) {
            const pid_t child = fork();
            if (child == 0) {
                alarm(3600);  // should this program be killed
                for (std::atomic<unsigned long> count = 0;;) ++count;
            }
            if (child < 0) throw Error("fork failed");
            children_.push_back(child);
        }
    }
    ~Load() {
        for (const pid_t child : children_) {
            kill(child, SIGKILL);
            waitpid(child, nullptr, 0);
        }
    }
    Load(const Load&) = delete;
    Load& operator=(const Load&) = delete;

private:
    std::vector<pid_t> children_;
};

struct Contender {
    std::string name;
    Cpu device;
    bool is_reference;
};

/// Images a second of one contender, for about so many seconds.
double train(const Tutorial& network, const Cpu& device, double seconds) {
    const Shape sample = network.is_convolutional ? Shape{28, 28, 1} : Shape{28, 28};
    const Index batch = network.batch_size, samples = (batch < 100 ? 40 : 2) * batch;
    const Tensor<float> x = bench::random_tensor(sample.batch(samples));
    std::vector<std::uint8_t> labels(static_cast<std::size_t>(samples));
    for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<std::uint8_t>(i % 10);
    Model<float> model = network.build(sample);
    model.set_device(device);
    Trainer trainer(model, {.loss = SparseCategoricalCrossentropy{}});
    Index batches = 0;
    const auto start = Clock::now(), end = start + std::chrono::duration_cast<Clock::duration>(
                                                       std::chrono::duration<double>(seconds));
    trainer.fit(x, labels,
                {.epochs = 1'000'000,
                 .batch_size = batch,
                 .verbosity = Verbosity::silent,
                 .callbacks = {LambdaCallback{.batch_end = [&](TrainingRun& run) {
                     ++batches;
                     if (Clock::now() >= end) run.stop();
                 }}}});
    return static_cast<double>(batches * batch) / seconds_since(start);
}

double predict(const Tutorial& network, const Cpu& device, double seconds) {
    const Shape sample = network.is_convolutional ? Shape{28, 28, 1} : Shape{28, 28};
    Model<float> model = network.build(sample);
    model.set_device(device);
    const Tensor<float> x = bench::random_tensor(sample.batch(512));
    Tensor<float> y(model.output_shape().batch(512));
    Index images = 0;
    const auto start = Clock::now();
    for (; seconds_since(start) < seconds; images += 512) model.predict(x, y);
    return static_cast<double>(images) / seconds_since(start);
}

double median(std::vector<double> values) {
    std::ranges::sort(values);
    return values[values.size() / 2];
}

std::vector<std::string> split(const std::string& text) {
    std::vector<std::string> parts;
    std::istringstream stream(text);
    for (std::string part; std::getline(stream, part, ',');) parts.push_back(part);
    return parts;
}

}  // namespace

int main(int argc, char** argv) {
    std::map<std::string, std::string> options{{"--seconds", "2"},
                                               {"--rounds", "3"},
                                               {"--models", "mlp,cnn,cnn-deep"},
                                               {"--loads", "0,1,2"}};
    for (int i = 1; i < argc; i += 2) {
        if (!options.contains(argv[i]) || i + 1 == argc) {
            std::fprintf(stderr,
                         "usage: weft_busy [--seconds S] [--rounds N] [--models mlp,cnn] "
                         "[--loads 0,1]\n");
            return 2;
        }
        options[argv[i]] = argv[i + 1];
    }
    const double seconds = std::stod(options["--seconds"]);
    const int rounds = std::stoi(options["--rounds"]);
    std::vector<Contender> contenders{{"just 1", Cpu::exactly(1), true},
                                      {"just 2", Cpu::exactly(2), true}};
    for (const int threads : {1, 2, 4, 8}) {
        contenders.push_back({concat("up to ", threads), Cpu(threads), false});
    }

    std::printf("| model | pass | busy |");
    for (const Contender& contender : contenders) std::printf(" %s |", contender.name.c_str());
    std::printf("\n|---|---|---|");
    for (std::size_t i = 0; i < contenders.size(); ++i) std::printf("---|");
    std::printf("\n");
    for (const std::string& id : split(options["--models"])) {
        for (const auto& [pass, measure] :
             {std::pair{"train", &train}, std::pair{"predict", &predict}}) {
            for (const std::string& load : split(options["--loads"])) {
                std::vector<std::vector<double>> speeds(contenders.size());
                {
                    const Load busy(std::stoi(load));
                    for (int round = 0; round < rounds; ++round) {
                        for (std::size_t i = 0; i < contenders.size(); ++i) {
                            speeds[i].push_back(
                                measure(tutorial(id), contenders[i].device, seconds));
                        }
                    }
                }
                std::printf("| %s | %s | %s |", id.c_str(), pass, load.c_str());
                double just_one = 0, best = 0;
                for (std::size_t i = 0; i < contenders.size(); ++i) {
                    const double speed = median(speeds[i]);
                    if (i == 0) just_one = speed;
                    if (contenders[i].is_reference) {
                        best = std::max(best, speed);
                        std::printf(" %.0f |", speed);
                    } else {
                        // Who allows one thread cannot have the speed of two.
                        const bool is_one = contenders[i].device.threads() == 1;
                        std::printf(" %.0f (%.2f) |", speed, speed / (is_one ? just_one : best));
                    }
                }
                std::printf("\n");
                std::fflush(stdout);
            }
        }
    }
}
