// Shows: a model from a file, used by four threads at once.
// Run:   bash tests/run.sh builds it; then build/tests/examples/inference [model.safetensors],
//        with a file that fashion_mnist --save wrote. Without one it first trains a small model
//        and saves it.
// Its last line: "4 threads, accuracy 0.8..., the same bits as 1 thread: yes".
#include <weft/data/fashion_mnist.hpp>
#include <weft/io/model_file.hpp>
#include <weft/weft.hpp>

#include <algorithm>
#include <iostream>
#include <thread>

namespace {

void train_and_save(const weft::FashionMnist& data, const std::filesystem::path& path) {
    using namespace weft;
    const Tensor<float> images = scaled<float>(data.train_images, 255);
    Sequential model{Flatten{}, Dense{64, relu}, Dense{10, softmax}};
    Trainer trainer(model, {.loss = SparseCategoricalCrossentropy{}});
    trainer.fit(images, data.train_labels, {.epochs = 1});
    save_model(model, path);
}

}  // namespace

int main(int argc, char** argv) {
    using namespace weft;

    const FashionMnist data = load_fashion_mnist();
    const std::filesystem::path path = argc > 1 ? argv[1] : "inference.safetensors";
    if (argc == 1) train_and_save(data, path);

    // The file says what the model is made of.
    Sequential<float> loaded = load_model<float>(path);
    loaded.set_device(Cpu(1));  // each of the threads below computes alone
    const Sequential<float>& model = loaded;
    std::cout << model.summary();

    const Tensor<float> pixels = scaled<float>(data.test_images, 255);
    const Index count = data.test_labels.size();
    const TensorView<const float> images = pixels.view().reshape(model.input_shape().batch(count));

    // predict is const, so threads share the model; each has pictures and outputs of its own.
    Tensor<float> probabilities({count, 10});
    std::vector<std::thread> threads;
    for (Index t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            const Index first = t * count / 4, last = (t + 1) * count / 4;
            model.predict(images.slice(first, last - first),
                          probabilities.slice(first, last - first));
        });
    }
    for (std::thread& thread : threads) thread.join();

    const double accuracy = ClassificationReport(probabilities, data.test_labels).accuracy();
    const bool agree = std::ranges::equal(probabilities, model.predict(images));
    std::cout << "4 threads, accuracy " << accuracy
              << ", the same bits as 1 thread: " << (agree ? "yes" : "no") << "\n";
    return agree && accuracy > 0.75 ? 0 : 1;
}
