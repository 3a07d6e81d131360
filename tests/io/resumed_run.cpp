// A training run that goes on where it was killed: for kill_and_resume.py.
//   resumed_run FOLDER    writes FOLDER/weights, FOLDER/log.csv and FOLDER/history, by way of
//                         FOLDER/run, a checkpoint of every step; and FOLDER/started, "resumed" or
//                         "anew"
#include "tests/support/models_once.hpp"

#include "weft/data/augmentation.hpp"
#include "weft/io/checkpoint_file.hpp"
#include "weft/io/weights.hpp"
#include "weft/weft.hpp"

#include <filesystem>
#include <fstream>

int main(int, char** argv) {
    using namespace weft;
    const std::filesystem::path folder = argv[1];

    Tensor<float> x({400, 12, 12, 1});
    Tensor<std::uint8_t> y({400});
    const RandomStream random(1, RandomPurpose::user);
    for (Index i = 0; i < x.size(); ++i) {
        const auto sample = static_cast<std::uint8_t>(i / x.shape().sample().size() % 4);
        x[i] = static_cast<float>(random.uniform(static_cast<std::uint64_t>(i))) + 0.1F * sample;
    }
    for (Index i = 0; i < y.size(); ++i) y[i] = static_cast<std::uint8_t>(i % 4);

    Sequential model{Conv2D{.filters = 16, .kernel_size = 3, .activation = relu},
                     BatchNorm{},
                     MaxPool2D{},
                     Dropout{0.2},
                     Flatten{},
                     Dense{.units = 64, .activation = relu},
                     Dense{4, softmax}};
    Trainer trainer(model, {.loss = SparseCategoricalCrossentropy{}, .metrics = {Accuracy{}}});
    const LambdaCallback tell{.train_begin = [&](TrainingRun& run) {
        std::ofstream(folder / "started") << (run.is_resumed() ? "resumed" : "anew");
    }};
    const History history =
        trainer.fit(augmented(Examples<float>(x, y), {RandomFlip{FlipMode::horizontal}}),
                    {.epochs = 20,
                     .batch_size = 16,
                     .validation_split = 0.2,
                     .verbosity = Verbosity::silent,
                     .callbacks = {EarlyStopping{.patience = 8}, ReduceLROnPlateau{.patience = 2},
                                   CSVLogger{folder / "log.csv"}, tell},
                     .checkpoint = checkpoint_file(folder / "run", {.every_steps = 1})});
    save_weights(model, folder / "weights");
    std::ofstream scores(folder / "history");
    for (const EpochRecord& epoch : history.epochs) {
        for (const auto& [name, value] : epoch.scores) scores << concat(name, " ", value, "\n");
    }
    return history.epochs.empty() ? 1 : 0;
}
