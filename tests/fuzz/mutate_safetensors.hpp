/// \file
/// mutate_safetensors: libFuzzer's changes, made where they lead further.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace weft::fuzz {

/// For LLVMFuzzerCustomMutator: changes anything, or the JSON alone, whose size is then set right;
/// else nearly every change of it would be refused for its size. The new size of the file.
inline std::size_t mutate_safetensors(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                      unsigned seed) {
    std::uint64_t json_size = 0;
    if (size >= sizeof json_size) std::memcpy(&json_size, data, sizeof json_size);
    if (size <= sizeof json_size || json_size > size - sizeof json_size || seed % 4 == 0) {
        return LLVMFuzzerMutate(data, size, max_size);
    }
    std::uint8_t* const json = data + sizeof json_size;
    const std::vector<std::uint8_t> numbers(json + json_size, data + size);
    json_size = LLVMFuzzerMutate(json, json_size, max_size - sizeof json_size - numbers.size());
    std::memcpy(data, &json_size, sizeof json_size);
    std::ranges::copy(numbers, json + json_size);
    return sizeof json_size + json_size + numbers.size();
}

}  // namespace weft::fuzz
