// Trains on an NVIDIA GPU.
#include "training.hpp"

#include <weft/cuda.hpp>

namespace {

weft::Cuda device_of(const Options& options) { return weft::Cuda({.tf32 = options.tf32}); }

}  // namespace

std::string gpu_name(const Options& options) { return device_of(options).name(); }

Training fit_on_gpu(const Options& options, weft::Model<float>& model, const Split& train,
                    const Split* validation) {
    weft::Model<float, weft::Cuda> on_gpu = weft::to<weft::Cuda>(model, device_of(options));
    Training training = fit(options, on_gpu, train, validation);
    model = weft::to<weft::Cpu>(on_gpu, model.device());
    return training;
}
