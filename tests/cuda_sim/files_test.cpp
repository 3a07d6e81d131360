/// \file
/// Files of models on one of two simulated GPUs.
#include "sim/control.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/temporary_folder.hpp"
#include "weft/cuda.hpp"
#include "weft/io/model_file.hpp"
#include "weft/weft.hpp"

#include <doctest/doctest.h>

#include <set>
#include <utility>

using namespace weft;

TEST_CASE("a model on a GPU is saved by that GPU") {
    const int gpus = std::exchange(cuda_sim::options().gpus, 2);
    const TemporaryFolder folder;
    Sequential<float> declared{Dense{3, relu}, Dense{2}};
    declared.build({5}, 1);
    const auto model = to<Cuda>(declared, Cuda({.gpu = 1, .tf32 = true}));
    cuda_sim::counts() = {};
    save_model(model, folder / "model");
    CHECK(cuda_sim::counts().gpus == std::set{1});
    const auto loaded = load_model<float, Cuda>(folder / "model");
    CHECK(identical(Tensor<float>(to<Cpu>(loaded).arena()), Tensor<float>(declared.arena())));
    cuda_sim::options().gpus = gpus;
}
