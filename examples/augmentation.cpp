// Shows: what each augmentation makes of two pictures, as a page to look at.
// Run:   bash tests/run.sh builds it; then build/tests/examples/augmentation
// Its last line: "Open augmented/index.html".
#include <weft/data/fashion_mnist.hpp>
#include <weft/report/report.hpp>
#include <weft/weft.hpp>

#include <iostream>

int main() {
    using namespace weft;

    const FashionMnist data = load_fashion_mnist();
    const Examples<float> examples(data.train_images, data.train_labels);

    const RandomFlip flip{FlipMode::horizontal};
    const RandomTranslation translation{
        .height_factor = 0.2, .width_factor = 0.2, .fill_mode = FillMode::constant};
    const RandomRotation rotation{.factor = 0.1, .fill_mode = FillMode::constant};
    const RandomZoom zoom{.height_factor = 0.3, .fill_mode = FillMode::constant};
    const RandomErasing erasing{.fill_value = 100};
    const RandomBrightness brightness{.factor = 0.3};
    const std::vector<Augmentation<float>> all{flip, translation, rotation,
                                               zoom, erasing,     brightness};
    struct Kind {
        std::string name;
        std::vector<Augmentation<float>> steps;
        std::uint32_t epoch = 0;
    };
    const std::vector<Kind> kinds{
        {"unchanged", {}},
        {"flip", {flip}},
        {"translation", {translation}},
        {"rotation", {rotation}},
        {"zoom", {zoom}},
        {"erasing", {erasing}},
        {"brightness", {brightness}},
        {"all, epoch 1", all, 0},
        {"all, epoch 2", all, 1},
        {"all, epoch 3", all, 2},
    };

    // The report shows samples with the names of their classes: here, what was done to them.
    RunReport report{.title = "Augmentation"};
    const Index count = std::ssize(kinds);
    Tensor<float> pictures({2 * count, 28, 28});
    Tensor<std::uint8_t> labels(Shape{2 * count});
    for (const Kind& kind : kinds) report.class_names.push_back(kind.name);
    for (Index n = 0; n < 2 * count; ++n) {
        const Kind& kind = kinds[static_cast<std::size_t>(n % count)];
        const Index sample[] = {n < count ? 0 : 24};  // an ankle boot, a coat
        augmented(examples, kind.steps)
            ->gather_for_training(sample, {.seed = 3, .number = kind.epoch},
                                  pictures.sample(n).data(), nullptr);
        labels[n] = static_cast<std::uint8_t>(n % count);
    }
    report.train = {pictures, labels};
    write_report("augmented", report);
    std::cout << "Open augmented/index.html\n";
}
