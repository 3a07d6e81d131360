// The binary files of CIFAR-10.
#include "tests/fuzz/fuzz.hpp"

#include "weft/data/cifar10.hpp"

namespace weft::fuzz {

void read(const std::filesystem::path& path, Bytes) {
    const Examples<float> examples = stream_cifar10<float>({&path, 1});
    Tensor<float> x(examples->input_shape());
    float y = 0;
    for (Index i = 0; i < examples->size(); ++i) {
        examples->gather({&i, 1}, x.data(), &y);
    }
}

std::size_t memory_limit(Bytes bytes) { return (std::size_t{64} << 10) + bytes.size(); }

void write_seeds(const std::filesystem::path& folder) {
    const std::string picture(detail::cifar10_record_bytes - 1, '\x80');
    write_seed(folder / "one", '\x03' + picture);
    write_seed(folder / "two", '\x00' + picture + '\x09' + picture);
}

}  // namespace weft::fuzz
