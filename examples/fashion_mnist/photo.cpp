#include "photo.hpp"

#include <weft/data/image.hpp>

weft::Tensor<std::uint8_t> read_photo(const std::filesystem::path& path, weft::Index height,
                                      weft::Index width) {
    const weft::Tensor<std::uint8_t> photo = weft::read_image(path, 1);
    const auto small = weft::resized(photo, height, width, weft::Interpolation::nearest);
    return weft::Tensor<std::uint8_t>(weft::inverted(small).view().reshape({height, width}));
}
