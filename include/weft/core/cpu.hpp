/// \file
/// Cpu: the device that computes with this machine's own cores.
#pragma once

#include "weft/config.hpp"
#include "weft/core/buffer.hpp"
#include "weft/core/error.hpp"
#include "weft/core/team.hpp"
#include "weft/core/thread_choice.hpp"

#include <algorithm>
#include <cstddef>

namespace weft::detail {
inline namespace WEFT_BUILD_NAMESPACE {
class CpuPass;
}
}  // namespace weft::detail

// Devices live in weft::kernels, so that an unqualified call of a kernel finds, by
// argument-dependent lookup, the overload for its device, also one declared later.
namespace weft::kernels {
inline namespace WEFT_BUILD_NAMESPACE {

/// The CPU, with the number of threads that kernels may use and the scratch memory they share.
/// A copy takes over the thread count and starts with no scratch, so each pass works on a copy of
/// its own and passes may run at the same time.
///
/// The tag puts the build's name into the symbols of functions and variables that return or hold a
/// Cpu, a tensor or a model, which the namespace alone does not.
class [[gnu::abi_tag(WEFT_STRING(WEFT_BUILD_NAMESPACE))]] Cpu {
public:
    static constexpr int most_threads = 1024;

    /// Whether the host reads and writes the device's memory as its own.
    static constexpr bool is_host = true;
    /// Max pooling applies what lies before and behind it; see kernels/before.hpp.
    static constexpr bool fuses_pools = true;
    /// Memory of the device, which a tensor holds; a copy of it is deep.
    using Memory = Buffer;
    /// So many bytes of it, all 0.
    Memory allocate(std::size_t size_bytes) const { return Memory(size_bytes); }

    /// Up to so many threads, 1 to most_threads; or 0 for what OpenMP would use, which
    /// OMP_NUM_THREADS sets. Passes of models use as many of them as pay at the moment, by what is
    /// measured, and no more than there are processors. Without OpenMP it is always one thread.
    /// Results have the same bits for any number. Throws ArgumentError otherwise.
    WEFT_COLD explicit Cpu(int threads = 0) : threads_(threads) {
        if (threads < 0 || threads > most_threads) {
            throw ArgumentError(
                concat("Cpu: threads is ", threads, ", expected 0 to ", most_threads));
        }
    }
    WEFT_COLD Cpu(const Cpu& other) noexcept
        : threads_(other.threads_), is_exact_(other.is_exact_) {}
    WEFT_COLD ~Cpu() {}
    Cpu& operator=(const Cpu& other) noexcept {
        threads_ = other.threads_;
        is_exact_ = other.is_exact_;
        return *this;
    }

    /// Just so many threads for everything, to measure or to test with: on a busy machine, or with
    /// more threads than processors, passes can be many times slower.
    WEFT_COLD static Cpu exactly(int threads) {
        Cpu cpu(threads);
        cpu.is_exact_ = true;
        return cpu;
    }

    /// The number of threads a kernel may use, at least 1: in a pass, those of the pass.
    int threads() const {
        if (pass_threads_ > 0) return pass_threads_;
        return has_openmp && threads_ > 0 ? threads_ : weft::detail::max_threads();
    }

    /// At least size_bytes of memory, aligned for vector loads, contents undefined. It grows when
    /// asked for more than ever before and is valid until the next call.
    std::byte* scratch(std::size_t size_bytes) {
        if (scratch_.size() < size_bytes) scratch_ = Buffer(size_bytes);
        return scratch_.data();
    }

private:
    friend class weft::detail::CpuPass;

    int threads_;
    bool is_exact_ = false;
    int pass_threads_ = 0;  ///< 0: no pass is open
    Buffer scratch_;
    mutable weft::detail::Team team_;  ///< loops of const devices share it too
    weft::detail::ThreadChoice choice_;
};

}  // namespace WEFT_BUILD_NAMESPACE
}  // namespace weft::kernels

namespace weft {
using kernels::Cpu;
}  // namespace weft
