// Takes the place of photo.cpp where libpng or libjpeg-turbo is not found.
#include "photo.hpp"

#include <filesystem>

weft::Tensor<std::uint8_t> read_photo(const std::filesystem::path&, weft::Index, weft::Index) {
    throw weft::ArgumentError(
        "--photo: built without libpng and libjpeg-turbo; install libpng-dev and "
        "libturbojpeg0-dev, "
        "remove the build folder, and try again");
}
