// PNG and JPEG files.
#include "tests/fuzz/fuzz.hpp"
#include "tests/fuzz/mutate_png.hpp"

#include "weft/data/image.hpp"

namespace weft::fuzz {

void read(const std::filesystem::path& path, Bytes bytes) {
    const Index channels[] = {0, 1, 3};
    ReadImageOptions options{.channels = channels[bytes.size() % 3]};
    if (bytes.size() % 2 == 0) options.background = Color{1, 100, 255};
    read_image(path, options);
}

/// Of each pixel that the bytes can stand for there are up to 4 bytes as stored and 3 as shown;
/// libpng has up to 16 more in its rows, libjpeg-turbo 8 in the coefficients of 4 colours and as
/// many in its rows.
std::size_t memory_limit(Bytes bytes) {
    const Index pixels_per_byte = detail::is_png(bytes) ? detail::most_png_pixels_per_byte
                                                        : detail::most_jpeg_pixels_per_byte;
    return (std::size_t{8} << 20) + 32 * static_cast<std::size_t>(pixels_per_byte) * bytes.size();
}

/// All that there are lie beside the reader's tests.
void write_seeds(const std::filesystem::path& folder) {
    const std::filesystem::path images = WEFT_SOURCE_DIR "/tests/data/images";
    for (const auto& entry : std::filesystem::directory_iterator(images)) {
        if (entry.path().extension() == ".py") continue;
        std::filesystem::copy_file(entry, folder / entry.path().filename(),
                                   std::filesystem::copy_options::overwrite_existing);
    }
}

}  // namespace weft::fuzz

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max_size, unsigned seed) {
    return weft::fuzz::mutate_png(data, size, max_size, seed);
}
