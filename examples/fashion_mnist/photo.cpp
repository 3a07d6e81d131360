#include "photo.hpp"

#include <weft/data/image.hpp>
#include <weft/data/resize.hpp>

#include <filesystem>

weft::Tensor<std::uint8_t> read_photo(const std::filesystem::path& path, weft::Index height,
                                      weft::Index width) {
    const weft::Tensor<std::uint8_t> photo =
        weft::read_image(path, {.channels = 1, .background = weft::white_background});
    const weft::Tensor<std::uint8_t> small = weft::resized(
        photo, height, width, {.interpolation = weft::Interpolation::nearest, .antialias = true});
    return weft::Tensor<std::uint8_t>(weft::inverted(small).view().reshape({height, width}));
}
