#include "weft/kernels/device.hpp"

#include "weft/cpu.hpp"

#include <doctest/doctest.h>

using namespace weft;

namespace {

/// Memory of the host's, and not one kernel.
struct Empty {
    static constexpr bool is_host = true;
    using Memory = Buffer;
    Memory allocate(std::size_t size_bytes) const { return Memory(size_bytes); }
};

/// Memory of its own, and no way to a device without options.
struct Apart : Empty {
    static constexpr bool is_host = false;
    friend bool operator==(const Apart&, const Apart&) { return true; }
};
struct Plain : Apart {
    Plain without_options() const { return {}; }
    friend bool operator==(const Plain&, const Plain&) { return true; }
};

/// No memory either.
struct Nothing {};

}  // namespace

TEST_CASE("the CPU offers all that a device has to") {
    CHECK(kernels::Device<Cpu, float>);
    CHECK(kernels::Device<Cpu, double>);
}

TEST_CASE("what lacks memory or kernels is no device") {
    CHECK(kernels::DeviceMemory<Empty>);
    CHECK_FALSE(kernels::MovesNumbers<Empty, float>);
    CHECK_FALSE(kernels::ComputesLayers<Empty, float>);
    CHECK_FALSE(kernels::ComputesLosses<Empty, float>);
    CHECK_FALSE(kernels::UpdatesParameters<Empty, float>);
    CHECK_FALSE(kernels::Device<Empty, float>);
    CHECK_FALSE(kernels::DeviceMemory<Apart>);
    CHECK(kernels::DeviceMemory<Plain>);
    CHECK_FALSE(kernels::DeviceMemory<Nothing>);
}
