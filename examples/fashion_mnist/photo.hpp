// A user's own picture, made like those of the data set.
#pragma once

#include <weft/core/tensor.hpp>

#include <cstdint>
#include <filesystem>

/// The picture in a PNG or JPEG file as pixels (height, width): grey, with dark clothes on a light
/// ground turned light on dark, resized to the nearest pixels. Throws IoError for a file that is no
/// picture, ArgumentError when the program was built without stb.
weft::Tensor<std::uint8_t> read_photo(const std::filesystem::path& path, weft::Index height,
                                      weft::Index width);
