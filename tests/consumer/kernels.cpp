/// \file
/// A program whose kernels are chosen when it runs: trains, saves, loads and predicts.
#include <weft/io/model_file.hpp>
#include <weft/weft.hpp>

#include <iostream>
#include <vector>

int main() {
    using namespace weft;

    std::cout << "kernels for " << cpu_instruction_set() << ", of";
    for (const auto name : cpu_instruction_sets()) std::cout << ' ' << name;
    std::cout << '\n';

    const std::vector<float> points{0, 0, 0, 1, 1, 0, 1, 1};
    const std::vector<int> labels{0, 1, 1, 1};  // logical or
    const TensorView<const float> x(points, {4, 2});
    Sequential model{Dense{.units = 8, .activation = relu},
                     Dense{.units = 2, .activation = softmax}};
    Trainer trainer(model, {.optimizer = Adam{.learning_rate = 0.05},
                            .loss = SparseCategoricalCrossentropy{},
                            .metrics = {Accuracy{}}});
    trainer.fit(x, labels, {.epochs = 100, .verbosity = Verbosity::silent});

    save_model(model, "kernels.safetensors");
    const Model<float> loaded = load_model<float>("kernels.safetensors");
    const Tensor<float> before = model.predict(x), after = loaded.predict(x);
    for (Index i = 0; i < before.size(); ++i) {
        if (before[i] != after[i]) return 1;
    }
    return trainer.evaluate(x, labels)["accuracy"] == 1.0 ? 0 : 1;
}
