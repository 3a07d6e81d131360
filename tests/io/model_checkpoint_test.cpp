#include "weft/io/model_checkpoint.hpp"

#include "tests/support/compare.hpp"
#include "tests/support/random_tensor.hpp"
#include "tests/support/temporary_folder.hpp"
#include "weft/weft.hpp"

#include <doctest/doctest.h>

using namespace weft;

namespace {

/// A run of six epochs on random data, whose scores are bound to go up and down.
struct Run {
    Tensor<float> x = random_normal<float>({24, 3}, 1), y = random_normal<float>({24, 2}, 2);
    Sequential<float> model{Dense{.units = 16, .activation = relu}, Dense{2}};
    std::vector<Tensor<float>> weights = {};  ///< after each epoch

    History fit(CallbackHandle callback) {
        weights.clear();
        const LambdaCallback collect{
            .epoch_end = [&](TrainingRun&) { weights.emplace_back(std::as_const(model).arena()); }};
        Trainer trainer(model,
                        {.optimizer = Adam{.learning_rate = 0.3}, .loss = MeanSquaredError{}});
        return trainer.fit(x, y,
                           {.epochs = 6,
                            .batch_size = 8,
                            .validation_split = 0.5,
                            .verbosity = Verbosity::silent,
                            .callbacks = {collect, std::move(callback)}});
    }
};

}  // namespace

TEST_CASE("ModelCheckpoint writes the best epoch's weights, and leaves the model the last's") {
    const TemporaryFolder folder;
    const auto path = folder.path() / "best.safetensors";
    Run run;
    ModelCheckpoint checkpoint(run.model, path);
    const std::vector<double> losses = run.fit(checkpoint)["val_loss"];
    const auto best = std::ranges::min_element(losses) - losses.begin();
    REQUIRE(best + 1 < 6);  // else the test could not tell the best from the last
    CHECK(checkpoint.saved_epoch() == best + 1);
    CHECK(identical(Tensor<float>(std::as_const(run.model).arena()), run.weights.back()));
    load_weights(run.model, path);
    CHECK(identical(Tensor<float>(std::as_const(run.model).arena()),
                    run.weights[static_cast<std::size_t>(best)]));
}

TEST_CASE("ModelCheckpoint writes every epoch when told, and another score when asked") {
    const TemporaryFolder folder;
    const auto path = folder.path() / "last.safetensors";
    Run run;
    ModelCheckpoint every(run.model, path, {.save_best_only = false});
    run.fit(every);
    CHECK(every.saved_epoch() == 6);
    load_weights(run.model, path);
    CHECK(identical(Tensor<float>(std::as_const(run.model).arena()), run.weights.back()));

    ModelCheckpoint highest(run.model, path, {.monitor = "loss", .better = Better::higher});
    const std::vector<double> losses = run.fit(highest)["loss"];
    CHECK(highest.saved_epoch() == std::ranges::max_element(losses) - losses.begin() + 1);
}

TEST_CASE(
    "ModelCheckpoint starts afresh with a model that was replaced, and misses one that is gone") {
    const TemporaryFolder folder;
    Run run;
    ModelCheckpoint checkpoint(run.model, folder.path() / "best.safetensors",
                               {.monitor = "loss", .better = Better::higher});
    run.fit(checkpoint);
    // Built again with small targets, no loss comes near those of the first model.
    for (float& target : run.y) target *= 1e-3f;
    const Sequential<float> copy = run.model;
    run.model = copy;
    run.fit(checkpoint);
    CHECK(checkpoint.saved_epoch() > 0);
    run.fit(checkpoint);  // the same model's runs are compared, as before
    CHECK(checkpoint.saved_epoch() == 0);

    auto other = std::make_unique<Sequential<float>>(run.model);
    ModelCheckpoint dangling(*other, folder.path() / "gone.safetensors", {.monitor = "loss"});
    other.reset();
    CHECK_THROWS_AS(run.fit(dangling), ArgumentError);
}

TEST_CASE("ModelCheckpoint refuses an unknown score and a place that cannot be written") {
    Run run;
    ModelCheckpoint unknown(run.model, "x", {.monitor = "val_accuracy"});
    CHECK_THROWS_WITH_AS(
        run.fit(unknown),
        "ModelCheckpoint: no score is named val_accuracy; the run has loss, val_loss",
        ArgumentError);
    ModelCheckpoint nowhere(run.model, "/no/such/folder/w");
    CHECK_THROWS_WITH_AS(run.fit(nowhere),
                         "/no/such/folder/w: cannot be created: No such file or directory",
                         IoError);
}
