// Checkpoints of training runs: read, and resumed from.
#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/mutate_safetensors.hpp"
#include "weft/io/checkpoint_file.hpp"
#include "weft/weft.hpp"

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max_size, unsigned seed) {
    return weft::fuzz::mutate_safetensors(data, size, max_size, seed);
}

namespace weft::fuzz {

namespace {

/// A short run of a small model with all of weft's callbacks that have a state in memory.
void run(Model<float> model, RunStore checkpoint) {
    static const Tensor<float> x({5, 2}), y({5, 1});
    Trainer trainer(model, {.optimizer = Adam{}, .loss = MeanSquaredError{}});
    trainer.fit(x, y,
                {.epochs = 2,
                 .batch_size = 2,
                 .validation_split = 0.2,
                 .verbosity = Verbosity::silent,
                 .callbacks = {EarlyStopping{.patience = 3}, ReduceLROnPlateau{}, BestCheckpoint{}},
                 .checkpoint = std::move(checkpoint)});
}

Model<float> chain() { return Sequential<float>{Input{{2}}, BatchNorm{}, Dense{1}}; }

Model<float> residual() {
    const auto x = input({2});
    return {x, add(x, x | Dense{2} | BatchNorm{}) | Dense{1}};
}

}  // namespace

void read(const std::filesystem::path& path, Bytes) {
    try_to([&] { detail::read_checkpoint(path); });
    // Past the check, which hardly any change would pass.
    for (const auto& model : {chain(), residual()}) {
        try_to([&] {
            run(model,
                run_store([&] { return std::optional(detail::read_checkpoint(path, false)); },
                          [](const RunState&) {}));
        });
    }
}

std::size_t memory_limit(Bytes bytes) { return (std::size_t{1} << 20) + 160 * bytes.size(); }

void write_seeds(const std::filesystem::path& folder) {
    int count = 0;
    const auto write = [&](const RunState& state) {
        detail::write_checkpoint(folder / std::to_string(++count), state);
    };
    for (const auto& model : {chain(), residual()}) {
        run(model, run_store([] { return std::nullopt; }, write, 1));
    }
}

}  // namespace weft::fuzz
