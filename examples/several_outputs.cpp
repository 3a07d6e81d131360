// Shows: a model of two inputs and two outputs, with a model as a layer that is applied to both.
// Run:   bash tests/run.sh builds it; then build/tests/examples/several_outputs
// Its last line: "loss ..., distance_loss ..., nearer_accuracy ...", the accuracy at least 0.9.
#include <weft/weft.hpp>

#include <cmath>
#include <iostream>

using namespace weft;

int main() {
    // Pairs of points in a square: how far apart they are, and which one is nearer to its centre.
    constexpr Index samples = 2000;
    Tensor<float> a({samples, 2}), b({samples, 2}), distance({samples, 1});
    std::vector<int> nearer(samples);
    const RandomStream random(1, RandomPurpose::user);
    for (Index i = 0; i < samples; ++i) {
        const auto draw = [&](std::uint64_t k) {
            return static_cast<float>(
                random.uniform(4 * static_cast<std::uint64_t>(i) + k, -1.0, 1.0));
        };
        a(i, 0) = draw(0), a(i, 1) = draw(1), b(i, 0) = draw(2), b(i, 1) = draw(3);
        distance(i, 0) = std::hypot(a(i, 0) - b(i, 0), a(i, 1) - b(i, 1));
        nearer[static_cast<std::size_t>(i)] =
            std::hypot(a(i, 0), a(i, 1)) < std::hypot(b(i, 0), b(i, 1)) ? 0 : 1;
    }

    // A model is a layer of another: both points go through the same parameters.
    Sequential encoder{Input{{2}}, Dense{.units = 32, .activation = relu}, Dense{16}};
    encoder.set_name("encoder");
    Value p = input({2}, "p"), q = input({2}, "q");
    Value both = concatenate(encoder(p), encoder(q)) | Dense{.units = 32, .activation = relu};
    Model model({p, q}, {both | Dense{.units = 1, .name = "distance"},
                         both | Dense{.units = 2, .activation = softmax, .name = "nearer"}});
    std::cout << model.summary();

    // By name; or without names, in the order of the model's outputs and inputs.
    Trainer trainer(model, {.optimizer = Adam{.learning_rate = 0.005},
                            .loss = {{"nearer", SparseCategoricalCrossentropy{}},
                                     {"distance", MeanSquaredError{}}},
                            .loss_weights = {{"distance", 2}},
                            .output_metrics = {{"nearer", {Accuracy{}}}}});
    trainer.fit({{"p", a}, {"q", b}}, {{"distance", distance}, {"nearer", nearer}},
                {.epochs = 15, .batch_size = 32});

    const std::vector<Tensor<float>> outputs = model.predict({a, b});  // (N, 1) and (N, 2)
    std::cout << "the first two are " << outputs[0](0, 0) << " apart, really " << distance(0, 0)
              << "\n";
    const Scores scores = trainer.evaluate({a, b}, {distance, nearer});
    std::cout << "loss " << scores["loss"] << ", distance_loss " << scores["distance_loss"]
              << ", nearer_accuracy " << scores["nearer_accuracy"] << "\n";
    return scores["nearer_accuracy"] >= 0.9 ? 0 : 1;
}
