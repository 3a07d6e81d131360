#include "weft/kernels/compiled/choice.hpp"

#include "tests/support/device_runs.hpp"
#include "tests/support/reference/kernels.hpp"
#include "weft/kernels/compiled/kernels.hpp"
#include "weft/kernels/device.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <string>
#if !defined(_WIN32)
#include <sys/wait.h>
#include <unistd.h>
#endif

using namespace weft;
namespace compiled = weft::kernels::WEFT_BUILD_NAMESPACE::detail;

static_assert(kernels::Device<Cpu, float> && kernels::Device<Cpu, double>);

namespace {

/// Afterwards the program computes as it did.
class KeptInstructionSet {
public:
    KeptInstructionSet() : name_(cpu_instruction_set()) {}
    ~KeptInstructionSet() { use_cpu_instruction_set(name_); }
    KeptInstructionSet(const KeptInstructionSet&) = delete;
    KeptInstructionSet& operator=(const KeptInstructionSet&) = delete;

private:
    std::string name_;
};

/// The bits of a model that is trained on so many threads.
std::vector<float> trained(int threads) {
    Sequential model{Conv2D{.filters = 5, .kernel_size = 3, .activation = relu},
                     MaxPool2D{},
                     BatchNorm{},
                     Flatten{},
                     Dense{.units = 7, .activation = Activation::tanh},
                     Dropout{0.3},
                     Dense{3, softmax}};
    model.set_device(Cpu::exactly(threads));
    const auto x = random_normal<float>({40, 9, 8, 2}, 3);
    std::vector<int> labels(40);
    for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<int>(i % 3);
    Trainer trainer(model, {.loss = SparseCategoricalCrossentropy{}});
    trainer.fit(x, labels,
                {.epochs = 2, .batch_size = 16, .seed = 5, .verbosity = Verbosity::silent});
    const Tensor<float> y = model.predict(x);
    return {y.begin(), y.end()};
}

}  // namespace

TEST_CASE("the best instruction set of the processor is in use, or the one asked for") {
    const auto sets = cpu_instruction_sets();
    REQUIRE_FALSE(sets.empty());
    const char* const asked = std::getenv("WEFT_INSTRUCTION_SET");
    CHECK(cpu_instruction_set() == (asked == nullptr ? sets.back() : asked));
    MESSAGE("instruction set: ", std::string(cpu_instruction_set()));
}

TEST_CASE("another instruction set is used when asked for, and one that is not there refused") {
    const KeptInstructionSet kept;
    for (const std::string_view name : cpu_instruction_sets()) {
        use_cpu_instruction_set(name);
        CHECK(cpu_instruction_set() == name);
        CHECK(cpu_kernels_build().starts_with(name));
    }
    const std::string in_use(cpu_instruction_set());
    CHECK_THROWS_WITH_AS(
        use_cpu_instruction_set("mmx"),
        doctest::Contains("use_cpu_instruction_set: there are no kernels for \"mmx\" "
                          "that this processor can run, expected one of "),
        ArgumentError);
    CHECK(cpu_instruction_set() == in_use);
}

TEST_CASE_TEMPLATE("no kernel is missing", Scalar, float, double) {
    using Kernel = void (*)();
    using Kernels = std::array<Kernel, sizeof(compiled::CpuKernels<Scalar>) / sizeof(Kernel)>;
    const KeptInstructionSet kept;
    for (const std::string_view name : cpu_instruction_sets()) {
        use_cpu_instruction_set(name);
        const auto all = std::bit_cast<Kernels>(compiled::chosen<Scalar>());
        CHECK(std::count(all.begin(), all.end(), nullptr) == 0);
    }
}

TEST_CASE("kernels of other headers than the program's are refused") {
    auto layout = compiled::kernel_layout;
    CHECK_NOTHROW(compiled::choose_kernel_set(layout));
    SUBCASE("version") { layout.version = "0.0.1"; }
    SUBCASE("Cpu") { layout.cpu_bytes += 8; }
    SUBCASE("TensorView") { layout.view_bytes += 8; }
    SUBCASE("kernels") { layout.kernel_bytes += 8; }
    const bool is_changed = std::memcmp(&layout, &compiled::kernel_layout, sizeof layout) != 0;
    REQUIRE(is_changed);
    CHECK_THROWS_WITH_AS(compiled::choose_kernel_set(layout),
                         doctest::Contains("compiled with the headers of another weft"), Error);
}

TEST_CASE("each instruction set has the same bits again and for any number of threads") {
    const KeptInstructionSet kept;
    for (const std::string_view name : cpu_instruction_sets()) {
        CAPTURE(name);
        use_cpu_instruction_set(name);
        const auto expected = trained(1);
        for (const int threads : {1, 2, 7}) CHECK(trained(threads) == expected);
    }
}

#if !defined(_WIN32)
TEST_CASE(
    "a process that is forked after passes alone had threads calls kernels outside of passes") {
    const auto x = random_normal<float>({300000}, 1);
    const auto is_finite = [&](int threads) {
        Cpu cpu = Cpu::exactly(threads);
        return kernels::all_finite<float>(cpu, x);
    };
    Cpu cpu = Cpu::exactly(3);
    kernels::run_pass(cpu, 1, [&] { parallel_for(cpu, 100, [](Index, int) {}); });
    const pid_t child = fork();
    if (child == 0) {
        alarm(20);  // a child that hangs is killed
        _exit(is_finite(3) ? 0 : 1);
    }
    REQUIRE(child > 0);
    int status = -1;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
}
#endif

TEST_CASE("in each instruction set the kernels train alike by their definitions") {
    const KeptInstructionSet kept;
    const auto expected = other_runs<float, Reference>();
    for (const std::string_view name : cpu_instruction_sets()) {
        CAPTURE(name);
        use_cpu_instruction_set(name);
        const auto runs = other_runs<float, Cpu>();
        for (std::size_t i = 0; i < runs.size(); ++i) {
            CAPTURE(i);
            CHECK(same_training(runs[i], expected[i]));
        }
    }
}

TEST_CASE("dense and convolutional layers compute in double") {
    Sequential<double> model{Conv2D{.filters = 2, .kernel_size = 2}, Flatten{}, Dense{3}};
    Sequential<double, Reference> expected{Conv2D{.filters = 2, .kernel_size = 2}, Flatten{},
                                           Dense{3}};
    model.build({4, 5, 1}, 1);
    expected.build({4, 5, 1}, 1);
    const auto x = random_normal<double>({3, 4, 5, 1}, 1);
    const Tensor<double> y = model.predict(x);
    const auto z = expected.predict(TensorView<const double, Reference>(x.data(), x.shape()));
    for (Index i = 0; i < y.size(); ++i) CHECK(y[i] == doctest::Approx(z.data()[i]));
}
