// Takes the place of photo.cpp where stb is not found.
#include "photo.hpp"

weft::Tensor<std::uint8_t> read_photo(const std::filesystem::path&, weft::Index, weft::Index) {
    throw weft::ArgumentError(
        "--photo: built without stb; install libstb-dev, remove the build folder, and try again");
}
