#include "weft/data/image_dataset.hpp"

#include "tests/support/compare.hpp"
#include "tests/support/random_tensor.hpp"
#include "tests/support/temporary_folder.hpp"
#include "weft/cpu.hpp"
#include "weft/data/prefetched.hpp"
#include "weft/data/scale.hpp"
#include "weft/data/stream_idx.hpp"
#include "weft/layers/dense.hpp"
#include "weft/layers/flatten.hpp"
#include "weft/losses/sparse_categorical_crossentropy.hpp"
#include "weft/training/trainer.hpp"

#include <doctest/doctest.h>

using namespace weft;

namespace {

constexpr Index picture_count = 40;

/// Pictures (N, 5, 4) and classes of the same set: in memory, in IDX files, and as N.png.
struct Pictures {
    const Tensor<std::uint8_t> x = random_uniform<std::uint8_t>({picture_count, 5, 4}, 1, 0, 256);
    Tensor<std::uint8_t> labels{Shape{picture_count}};
    TemporaryFolder folder;

    Pictures() {
        std::string list = "id,label\n";
        std::vector<std::uint8_t> idx{0, 0, 8, 3, 0, 0, 0, picture_count, 0, 0, 0, 5, 0, 0, 0, 4};
        std::vector<std::uint8_t> classes{0, 0, 8, 1, 0, 0, 0, picture_count};
        idx.insert(idx.end(), x.begin(), x.end());
        for (Index i = 0; i < picture_count; ++i) {
            labels[i] = static_cast<std::uint8_t>(i * 7 % 3);
            classes.push_back(labels[i]);
            write_png(folder / (std::to_string(i) + ".png"), x.sample(i));
            list += concat(i, ",", labels[i], "\n");
        }
        folder.file("list.csv", list);
        folder.file("images.idx", idx);
        folder.file("labels.idx", classes);
    }

    ImageFiles files() const { return list_images(folder.path(), folder / "list.csv"); }
};

Tensor<float> trained_weights(const Examples<float>& examples) {
    Sequential<float> model{Flatten{}, Dense{3, softmax}};
    Trainer<float, Cpu> trainer(model, {.loss = SparseCategoricalCrossentropy{}});
    trainer.fit(examples, {.epochs = 2, .batch_size = 7, .verbosity = Verbosity::silent});
    return Tensor<float>(model.arena());
}

}  // namespace

TEST_CASE("training from PNG files, IDX files and memory leaves the same bits") {
    const Pictures pictures;
    const auto expected =
        trained_weights(scaled(Examples<float>(pictures.x, pictures.labels), 255));
    const auto png = stream_images<float>(pictures.files());
    CHECK(png->input_shape() == Shape{5, 4, 1});
    CHECK(identical(trained_weights(scaled(png, 255)), expected));
    CHECK(identical(trained_weights(prefetched(scaled(png, 255))), expected));
    const auto idx =
        stream_idx<float>(pictures.folder / "images.idx", pictures.folder / "labels.idx");
    CHECK(identical(trained_weights(scaled(idx, 255)), expected));
    const Tensor<std::uint8_t> whole = read_images(pictures.files());
    CHECK(whole.shape() == Shape{picture_count, 5, 4, 1});
    CHECK(std::ranges::equal(whole, pictures.x));
}

TEST_CASE("pictures of all sizes and colours become samples of one shape") {
    const TemporaryFolder folder;
    std::filesystem::create_directory(folder.path() / "class");
    const Tensor<std::uint8_t> grey({2, 2}, {0, 100, 200, 255});
    const Tensor<std::uint8_t> red({1, 1, 3}, {255, 0, 0});
    write_png(folder / "class/a.png", grey);
    write_png(folder / "class/b.png", red);
    const ImageFiles files = list_image_folder(folder.path());
    const auto colour = read_images(files, {.height = 1, .width = 1, .channels = 3});
    CHECK(std::vector<int>(colour.begin(), colour.end()) ==
          std::vector<int>{139, 139, 139, 255, 0, 0});
    const auto nearest =
        read_images(files, {.height = 1, .width = 3, .interpolation = Interpolation::nearest});
    CHECK(std::vector<int>(nearest.begin(), nearest.end()) ==
          std::vector<int>{200, 255, 255, 76, 76, 76});
    CHECK_THROWS_WITH_AS(
        read_images(files),
        ((folder / "class/b.png") +
         ": has 1 x 1 pixels, expected 2 x 2 as the first; ImageOptions can resize")
            .c_str(),
        IoError);
}

TEST_CASE("pictures are shrunk with antialias, over a background and upright, as asked") {
    const TemporaryFolder folder;
    std::filesystem::create_directory(folder.path() / "class");
    Tensor<std::uint8_t> line({1, 10, 1});
    line[7] = 200;
    write_png(folder / "class/line.png", line);
    const ImageFiles files = list_image_folder(folder.path());
    const auto shrunk = [&](bool antialias) {
        const auto x = read_images(files, {.height = 1,
                                           .width = 2,
                                           .interpolation = Interpolation::nearest,
                                           .antialias = antialias});
        return std::vector<int>(x.begin(), x.end());
    };
    CHECK(shrunk(false) == std::vector<int>{0, 200});
    CHECK(shrunk(true) == std::vector<int>{0, 40});

    const std::filesystem::path images = WEFT_SOURCE_DIR "/tests/data/images";
    const ImageFiles key{{images / "grey_key.png"}, Tensor<std::int32_t>({1}), {}};
    CHECK(read_images(key)[1] == 8);
    CHECK(read_images(key, {.background = white_background})[1] == 255);

    // APP1 behind SOI: one entry, orientation 6.
    std::string jpeg = contents_of(images / "blocks.jpg");
    jpeg.insert(2, std::string("\xFF\xE1\0\x1E"
                               "Exif\0\0MM\0*\0\0\0\x08\0\x01"
                               "\x01\x12\0\x03\0\0\0\x01\0\x06\0\0",
                               32));
    const ImageFiles photo{{folder.file("photo.jpg", jpeg)}, Tensor<std::int32_t>({1}), {}};
    CHECK(stream_images<float>(photo)->input_shape() == Shape{24, 16, 1});
    CHECK(stream_images<float>(photo, {.exif_orientation = false})->input_shape() ==
          Shape{16, 24, 1});
}

TEST_CASE("a damaged picture is named, from fit and from a thread") {
    const Pictures pictures;
    const std::string path = pictures.folder / "17.png";
    std::filesystem::resize_file(path, 50);
    for (const bool ahead : {false, true}) {
        auto examples = stream_images<float>(pictures.files());
        if (ahead) examples = prefetched(examples);
        std::string message = "nothing was thrown";
        try {
            trained_weights(examples);
        } catch (const IoError& error) {
            message = error.what();
        }
        CHECK(message.starts_with(path + ": is damaged: "));
    }
}

TEST_CASE("options and lists that make no sense are refused by name") {
    const Pictures pictures;
    const ImageFiles files = pictures.files();
    CHECK_THROWS_WITH_AS(stream_images<float>(files, {.channels = 2}),
                         "ImageOptions: channels is 2, expected 1 or 3", ArgumentError);
    CHECK_THROWS_WITH_AS(stream_images<float>(files, {.height = 5}),
                         "ImageOptions: height and width are 5 and 0, expected both or neither",
                         ArgumentError);
    CHECK_THROWS_AS(stream_images<float>(ImageFiles{}), ArgumentError);
    ImageFiles fewer = files;
    fewer.paths.pop_back();
    CHECK_THROWS_WITH_AS(stream_images<float>(fewer),
                         "ImageFiles: 39 paths and 40 labels, expected as many", ShapeError);
}
