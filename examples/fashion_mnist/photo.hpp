// A user's own picture, made like those of the data set.
#pragma once

#include <weft/core/tensor.hpp>

#include <cstdint>
#include <filesystem>

/// The picture in a PNG or JPEG file as pixels (height, width): grey, with dark clothes on a light
/// ground turned light on dark. What is transparent counts as white. A smaller picture's pixels are
/// the means of what they cover, a larger one's the nearest. Throws IoError for a file that is no
/// picture, ArgumentError when the program was built without libpng and libjpeg-turbo.
weft::Tensor<std::uint8_t> read_photo(const std::filesystem::path& path, weft::Index height,
                                      weft::Index width);
