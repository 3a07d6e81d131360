// A project's own C++ file that asks for a GPU; it knows nothing of CUDA.
#include <weft/cuda.hpp>
#include <weft/weft.hpp>

#include <iostream>

int main() {
    try {
        weft::Sequential<float, weft::Cuda> model(weft::Dense{3});
        model.build({5}, 1);
        const auto y = model.predict(weft::Tensor<float>({2, 5}));
        std::cout << "on " << model.device().name() << ": " << y.shape().to_string() << "\n";
    } catch (const weft::CudaError& error) {
        std::cout << error.what() << "\n";
    }
}
