/// \file
/// Files of models on a GPU, or on the simulated one.
#include "tests/support/compare.hpp"
#include "tests/support/cuda.hpp"
#include "tests/support/random_tensor.hpp"
#include "tests/support/temporary_folder.hpp"
#include "weft/cuda.hpp"
#include "weft/io/model_file.hpp"
#include "weft/weft.hpp"

#include <doctest/doctest.h>

using namespace weft;

namespace {

std::vector<CudaOptions> all_options() {
    std::vector<CudaOptions> all{{}};
    if (has_tf32()) all.push_back({.tf32 = true});
    if (Cuda::has_cublaslt()) all.push_back({.cublaslt = true});
    if (Cuda::has_cudnn()) all.push_back({.cudnn = true});
    return all;
}

}  // namespace

TEST_CASE("the self-test of a file from a GPU holds on any device, however it computes products") {
    const TemporaryFolder folder;
    Sequential<float> declared{Conv2D{.filters = 8, .kernel_size = 3, .activation = relu},
                               Flatten{}, Dense{64, relu}, Dense{64, weft::tanh}, Dense{5}};
    declared.build({9, 8, 3}, 7);
    for (const CudaOptions& options : all_options()) {
        CAPTURE(options.tf32);
        CAPTURE(options.cublaslt);
        CAPTURE(options.cudnn);
        const Model<float, Cuda> model = to<Cuda>(declared, Cuda(options));
        save_model(model, folder / "model.safetensors");
        const auto on_cpu = load_model<float>(folder / "model.safetensors");
        const auto on_gpu = load_model<float, Cuda>(folder / "model.safetensors");
        CHECK(identical(on_cpu.arena(), declared.arena()));
        CHECK(identical(Tensor<float>(to<Cpu>(on_gpu).arena()), Tensor<float>(declared.arena())));
        CHECK(model.device().options().tf32 == options.tf32);
    }
}
