/// \file
/// The other file of that program, which includes the same headers.
#include <weft/data/image_dataset.hpp>

weft::Tensor<std::uint8_t> read(const std::filesystem::path& path) {
    return weft::read_image(path);
}
