// PNG and JPEG files.
#include "tests/fuzz/fuzz.hpp"

#include "weft/data/image.hpp"

namespace weft::fuzz {

void read(const std::filesystem::path& path, Bytes bytes) {
    const Index channels[] = {0, 1, 3};
    read_image(path, channels[bytes.size() % 3]);
}

/// Of each pixel that the bytes can stand for, stb holds up to 16 bytes in several buffers, to
/// which it adds as much while it enlarges one.
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
