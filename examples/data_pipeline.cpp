// Shows: pixels that stay bytes in memory, become batches on a thread of their own, and are changed
//        at random while they are trained on.
// Run:   bash tests/run.sh builds it; then build/tests/examples/data_pipeline
// Its last line: the accuracy on the 12,000 pictures held back, about 0.84.
#include <weft/data/fashion_mnist.hpp>
#include <weft/weft.hpp>

#include <iostream>

int main() {
    using namespace weft;

    const FashionMnist data = load_fashion_mnist();
    const Examples<float> all = scaled(Examples<float>(data.train_images, data.train_labels), 255);
    const SplitIndices split = stratified_split(data.train_labels, 0.2);

    // None of these copies the pictures.
    const Examples<float> train =
        prefetched(augmented(subset(all, split.train),
                             {RandomFlip{FlipMode::horizontal},
                              RandomTranslation{.height_factor = 0.04, .width_factor = 0.04}}));
    const Examples<float> held_back = subset(all, split.test);

    Sequential model{
        Flatten{},
        Dense{.units = 128, .activation = relu},
        Dense{.units = 10, .activation = softmax},
    };
    Trainer trainer(
        model,
        {.optimizer = Adam{}, .loss = SparseCategoricalCrossentropy{}, .metrics = {Accuracy{}}});
    trainer.fit(train, {.epochs = 5, .validation_data = held_back});

    const double accuracy = trainer.evaluate(held_back)["accuracy"];
    std::cout << "Accuracy: " << accuracy << "\n";
    return accuracy > 0.8 ? 0 : 1;
}
