/// \file
/// The main function of weft_gpu_tests: 77 where there is no GPU.
#define DOCTEST_CONFIG_IMPLEMENT
#include "tests/support/cuda.hpp"

#include <doctest/doctest.h>

#include <iostream>

namespace weft {

void in_each_order(const std::function<void()>& body) {
    body();
    body();
}

}  // namespace weft

int main(int argc, char** argv) {
    try {
        const weft::Cuda device;
        std::cout << "on " << device.name() << "\n";
    } catch (const weft::CudaError& error) {
        std::cout << error.what() << "\n";
        return 77;
    }
    return doctest::Context(argc, argv).run();
}
