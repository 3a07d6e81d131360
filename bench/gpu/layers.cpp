// Layers alone on a GPU, forward and backward, at shapes of the tutorials' networks.
#include "bench/gpu/gpu.hpp"
#include "bench/gpu/measured.hpp"
#include "bench/support/single_layer.hpp"
#include "weft/cuda.hpp"
#include "weft/layers/weft_layers.hpp"

#include <vector>

namespace weft::bench {
namespace {

struct Case {
    const char* name;
    LayerDeclaration<float, Cuda> declaration;
    Shape input;
    bool multiplies = true;  ///< matrices, so in TF32 too
};

std::vector<Case> cases() {
    const auto convolution = [](Index filters, Index window) {
        return Conv2D{
            .filters = filters, .kernel_size = window, .padding = same, .activation = relu};
    };
    return {{"dense:mlp-1", Dense{128, relu}, {784}},
            {"dense:mlp-deep-2", Dense{800, relu}, {1000}},
            {"conv2d:cnn-1", convolution(32, 3), {28, 28, 1}},
            {"conv2d:cnn-deep-2", convolution(64, 2), {14, 14, 64}},
            {"conv2d:cnn-bn-2", convolution(32, 3), {28, 28, 32}},
            {"conv2d:cnn-wide-2", convolution(64, 3), {28, 28, 64}},
            {"conv2d:cnn-wide-3", convolution(128, 3), {14, 14, 64}},
            {"max_pool2d:cnn", MaxPool2D{}, {28, 28, 32}, false},
            {"batch_norm:cnn-bn", BatchNorm{}, {28, 28, 32}, false},
            {"dropout:mlp-deep", Dropout{0.2}, {1000}, false}};
}

void measure_layer(benchmark::State& state, const Case& one, Index batch, bool is_forward,
                   bool tf32) {
    SingleLayer<Cuda> layer(one.declaration, one.input, batch, Cuda({.tf32 = tf32}));
    constexpr int passes = 20;  // in a row: the GPU does not wait for the host
    const auto run = [&] {
        for (int i = 0; i < passes; ++i) is_forward ? layer.forward() : layer.backward();
    };
    run();
    for ([[maybe_unused]] const auto _ : state) {
        state.SetIterationTime(seconds_on_gpu(layer.device(), run) / passes);
    }
    const Work work = layer.work();
    const auto rate = benchmark::Counter::kIsIterationInvariantRate;
    const double giga = (is_forward ? 1 : 2) / 1e9;
    if (work.flop > 0) {
        state.counters["gflops"] = {giga * work.flop, rate};
    } else {
        state.counters["gbs"] = {giga * work.bytes, rate};
    }
}

}  // namespace

void add_layers(const GpuCeilings& ceilings) {
    for (const Case& one : cases()) {
        for (const bool tf32 : {false, true}) {
            if (tf32 && (!one.multiplies || ceilings.tf32_gflops == 0)) continue;
            for (const Index batch : {32, 512}) {
                for (const bool is_forward : {true, false}) {
                    const std::string name =
                        concat("layers/", is_forward ? "forward/" : "backward/", one.name, ":",
                               batch, tf32 ? "/tf32" : "/fp32");
                    add_measured(name, [=](benchmark::State& state) {
                        measure_layer(state, one, batch, is_forward, tf32);
                    });
                }
            }
        }
    }
}

}  // namespace weft::bench
