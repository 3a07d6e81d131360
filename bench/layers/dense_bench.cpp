// Dense, forward and backward apart, at the shapes of the tutorials' networks.
#include "weft/layers/dense.hpp"

#include "bench/support/random_tensor.hpp"

#include <benchmark/benchmark.h>

namespace {

using namespace weft;

/// One layer alone, with all the memory of a pass.
struct Setup {
    explicit Setup(const benchmark::State& state)
        : batch(state.range(0)),
          builder("dense", {state.range(1)}, list),
          layer({.units = state.range(2), .activation = relu}, builder),
          parameters(random_tensor({list.trainable_size()}, 0)),
          gradients(parameters.shape()),
          x(random_tensor({batch, state.range(1)}, 1)),
          dx(x.shape()),
          y({batch, state.range(2)}),
          dy(random_tensor(y.shape(), 2)),
          pass{.device = cpu,
               .training = true,
               .trainable = parameters.data(),
               .gradients = gradients.data()} {}

    void count(benchmark::State& state, int products) const {
        state.counters["GFLOP/s"] =
            benchmark::Counter(2e-9 * products * static_cast<double>(x.size() * y.shape()[1]),
                               benchmark::Counter::kIsIterationInvariantRate);
        state.SetItemsProcessed(state.iterations() * batch);
    }

    Cpu cpu;
    Index batch;
    ParameterList list;
    LayerBuilder builder;
    Dense::Layer<float, Cpu> layer;
    Tensor<float> parameters, gradients, x, dx, y, dy;
    Pass<float, Cpu> pass;
};

void dense_forward(benchmark::State& state) {
    Setup setup(state);
    for ([[maybe_unused]] const auto _ : state) setup.layer.forward(setup.pass, setup.x, setup.y);
    setup.count(state, 1);
}

void dense_backward(benchmark::State& state) {
    Setup setup(state);
    setup.layer.forward(setup.pass, setup.x, setup.y);
    for ([[maybe_unused]] const auto _ : state) {
        setup.layer.backward(setup.pass, setup.x, setup.y, setup.dy, setup.dx);
    }
    setup.count(state, 2);
}

void shapes(benchmark::internal::Benchmark* benchmark) {
    benchmark->UseRealTime()->Unit(benchmark::kMicrosecond);
    for (const auto& [batch, features, units] : std::initializer_list<std::array<Index, 3>>{
             {1, 784, 128}, {32, 784, 128}, {32, 128, 10}, {32, 6272, 128}, {500, 1000, 800}}) {
        benchmark->Args({batch, features, units});
    }
}

BENCHMARK(dense_forward)->Apply(shapes);
BENCHMARK(dense_backward)->Apply(shapes);

}  // namespace
