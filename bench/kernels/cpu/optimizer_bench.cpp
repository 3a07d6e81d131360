// The updates of the optimisers over all parameters of mlp, cnn and cnn-wide; Adam also as
// expressions in plain Eigen (on one thread), and with moments that decayed for long.
#include "weft/kernels/cpu/optimizer.hpp"

#include "bench/support/measure.hpp"
#include "bench/support/nearly_equal.hpp"
#include "bench/support/random_tensor.hpp"

namespace {

using namespace weft;
using namespace weft::bench;

struct Parameters {
    explicit Parameters(Index count)
        : p(random_tensor({count}, 0)), g(random_tensor({count}, 1)), m({count}), v({count}) {}

    /// Reads and writes so many arrays.
    Work work(int arrays) const { return {.bytes = 4.0 * arrays * static_cast<double>(p.size())}; }

    Tensor<float> p, g, m, v;
};

constexpr kernels::AdamStep<float> step{0.001f, 0.1f, 0.001f, 1e-7f};

void adam_weft(Cpu& cpu, Parameters& x) { adam_update<float>(cpu, step, x.g, x.m, x.v, x.p); }

void adam_eigen(Parameters& x) {
    auto p = as_matrix(x.p).array(), g = as_matrix(x.g).array(), m = as_matrix(x.m).array(),
         v = as_matrix(x.v).array();
    m += step.rate_1 * (g - m);
    v += step.rate_2 * (g.square() - v);
    p -= step.alpha * m / (v.sqrt() + step.epsilon);
}

void add_count(Index count) {
    const std::string size = concat("/", count);
    add("optimizer/adam" + size + "/weft", [=](benchmark::State& state) {
        Cpu cpu;
        Parameters x(count);
        measure(state, x.work(7), [&] { adam_weft(cpu, x); });
    });
    add("optimizer/adam" + size + "/eigen", [=](benchmark::State& state) {
        Cpu cpu;
        Parameters x(count), expected(count);
        adam_weft(cpu, expected);
        adam_eigen(x);
        if (!nearly_equal(x.p, expected.p, 1e-6f)) return state.SkipWithError("differs from weft");
        measure(state, x.work(7), [&] { adam_eigen(x); });
    });
    add("optimizer/sgd-momentum" + size + "/weft", [=](benchmark::State& state) {
        Cpu cpu;
        Parameters x(count);
        measure(state, x.work(5),
                [&] { momentum_update<float>(cpu, 0.01f, 0.9f, true, x.g, x.m, x.p); });
    });
}

/// Adam where training leads: weights that long had no gradient, whose moments are subnormal unless
/// they are flushed. `unflushed` is the kernel outside of a pass.
void add_decayed(Index count) {
    for (const bool is_flushed : {true, false}) {
        add(concat("optimizer/adam-decayed/", count, is_flushed ? "/weft" : "/unflushed"),
            [=](benchmark::State& state) {
                Cpu cpu(1);
                Parameters x(count);
                std::ranges::fill(x.g, 0.0f);
                std::ranges::fill(x.m, 1e-40f);
                const auto update = [&] { adam_weft(cpu, x); };
                measure(state, x.work(7),
                        [&] { is_flushed ? kernels::run_pass(cpu, 0, update) : update(); });
            });
    }
}

[[maybe_unused]] const bool registered = [] {
    add_decayed(101'770);
    for (const Index count : {101'770, 804'554, 5'259'594}) add_count(count);
    return true;
}();

}  // namespace
