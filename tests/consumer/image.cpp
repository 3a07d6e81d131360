/// \file
/// A program that asks for the component image: writes a picture and reads it, in two files.
#include <weft/data/image_dataset.hpp>

weft::Tensor<std::uint8_t> read(const std::filesystem::path& path);

int main() {
    const weft::Tensor<std::uint8_t> image({2, 3}, {1, 2, 3, 4, 5, 6});
    weft::write_png("image.png", image);
    const weft::Tensor<std::uint8_t> copy = read("image.png");
    std::filesystem::remove("image.png");
    return std::ranges::equal(copy, image) ? 0 : 1;
}
