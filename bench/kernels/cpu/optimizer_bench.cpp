// The updates of the optimisers over all parameters of mlp, cnn and cnn-wide; Adam also as
// expressions in plain Eigen (on one thread), and with moments that decayed for long.
#include "weft/kernels/cpu/optimizer.hpp"

#include "bench/support/checked.hpp"
#include "bench/support/random_tensor.hpp"
#include "tests/support/reference/optimizer.hpp"
#include "weft/core/eigen.hpp"

namespace {

using namespace weft;
using namespace weft::bench;

template <class Device>
struct Parameters {
    explicit Parameters(Index count)
        : p(random_tensor<Device>({count}, 0)),
          g(random_tensor<Device>({count}, 1)),
          m({count}),
          v({count}) {}

    Tensor<float, Device> p, g, m, v;
};

/// A step that reads and writes so many arrays, from parameters that change(parameters) makes of the
/// random ones. It changes parameters by some thousandths.
template <class Change, class Update>
auto task_of(Index count, int arrays, const Change& change, const Update& update) {
    return Task{Work{.bytes = 4.0 * arrays * static_cast<double>(count)},
                [=]<class Device>(Device&) {
                    Parameters<Device> x(count);
                    change(x);
                    return x;
                },
                update, [](const auto& x) { return std::tie(x.p, x.m, x.v); }, 1e-6};
}

constexpr kernels::AdamStep<float> step{0.001f, 0.1f, 0.001f, 1e-7f};
constexpr auto adam = [](auto& device, auto& x) {
    adam_update<float>(device, step, x.g, x.m, x.v, x.p);
};

void adam_eigen(Parameters<Cpu>& x) {
    auto p = as_matrix(x.p).array(), g = as_matrix(x.g).array(), m = as_matrix(x.m).array(),
         v = as_matrix(x.v).array();
    m += step.rate_1 * (g - m);
    v += step.rate_2 * (g.square() - v);
    p -= step.alpha * m / (v.sqrt() + step.epsilon);
}

void add_count(Index count) {
    const std::string size = concat("/", count);
    const auto as_they_are = [](auto&) {};
    const auto adam_task = task_of(count, 7, as_they_are, adam);
    add_weft("optimizer/adam" + size, adam_task);
    add_contender("optimizer/adam" + size + "/eigen", adam_task,
                  [](Cpu&, auto& x) { return [&x] { adam_eigen(x); }; });
    add_weft("optimizer/sgd-momentum" + size,
             task_of(count, 5, as_they_are, [](auto& device, auto& x) {
                 momentum_update<float>(device, 0.01f, 0.9f, true, x.g, x.m, x.p);
             }));
}

/// Adam where training leads: weights that long had no gradient, whose moments are subnormal unless
/// they are flushed. `unflushed` is the kernel outside of a pass.
void add_decayed(Index count) {
    const auto decay = [](auto& x) {
        std::ranges::fill(x.g, 0.0f);
        std::ranges::fill(x.m, 1e-40f);
    };
    const auto task = task_of(count, 7, decay, adam);
    for (const bool is_flushed : {true, false}) {
        add_contender(concat("optimizer/adam-decayed/", count, is_flushed ? "/weft" : "/unflushed"),
                      task, [=](Cpu& cpu, auto& x) {
                          cpu = Cpu(1);
                          return [&cpu, &x, is_flushed] {
                              const auto update = [&] { adam(cpu, x); };
                              is_flushed ? kernels::run_pass(cpu, 0, update) : update();
                          };
                      });
    }
}

[[maybe_unused]] const bool registered = [] {
    add_decayed(101'770);
    for (const Index count : {101'770, 804'554, 5'259'594}) add_count(count);
    return true;
}();

}  // namespace
