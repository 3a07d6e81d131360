/// \file
/// Convolutions by cuDNN are the CPU's, on a GPU. Where there is none that is said, and it ends with 1.
#include "tests/support/compare.hpp"
#include "tests/support/random_tensor.hpp"
#include "weft/cuda.hpp"
#include "weft/weft.hpp"

#include <iostream>

using namespace weft;

int main() {
    if (!Cuda::has_cudnn()) {
        std::cerr << "it is linked without cuDNN\n";
        return 2;
    }
    try {
        Sequential<float> declared{
            Conv2D{.filters = 8, .kernel_size = 3, .padding = same, .activation = relu}, Flatten{},
            Dense{5}};
        declared.build({9, 8, 3}, 7);
        const auto x = random_normal<float>({4, 9, 8, 3}, 1);
        const auto y = to<Cuda>(declared, Cuda({.cudnn = true})).predict(x);
        const Gap gap = largest_gap(y, declared.predict(x), 1);
        std::cout << "the largest gap is " << gap << "\n";
        return gap < 1e-5 ? 0 : 3;
    } catch (const CudaError& error) {
        std::cerr << error.what() << "\n";
        return 1;
    }
}
