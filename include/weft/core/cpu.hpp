/// \file
/// Cpu: the device that computes with this machine's own cores.
#pragma once

#include "weft/config.hpp"
#include "weft/core/buffer.hpp"
#include "weft/core/error.hpp"
#include "weft/core/team.hpp"
#include "weft/core/thread_choice.hpp"

#include <algorithm>
#include <cassert>
#include <cstddef>

namespace weft::detail {
inline namespace WEFT_BUILD_NAMESPACE {
class CpuPass;
}
}  // namespace weft::detail

// Devices live in weft::kernels: argument-dependent lookup then finds a kernel's overload for its
// device in unqualified calls, also an overload declared later.
namespace weft::kernels {
inline namespace WEFT_BUILD_NAMESPACE {

/// Scratch memory of a device while a kernel uses it. There may be one at a time: another would be
/// the same memory.
template <class Scalar>
class Scratch {
public:
    Scratch(std::byte* memory, bool& is_taken)
        : data_(reinterpret_cast<Scalar*>(memory)), is_taken_(is_taken) {
        is_taken_ = true;
    }
    ~Scratch() { is_taken_ = false; }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;

    Scalar* data() const& { return data_; }
    Scalar* data() const&& = delete;

private:
    Scalar* data_;
    bool& is_taken_;
};

/// The CPU: the number of threads that kernels may use, and the scratch memory they share. A copy
/// has the same thread count and no scratch yet. Each pass works on a copy of its own, so passes
/// may run at the same time.
///
/// The tag puts the build's name into two kinds of symbols that the namespace does not reach:
/// functions that return a Cpu, a tensor or a model, and variables of these types.
class [[gnu::abi_tag(WEFT_STRING(WEFT_BUILD_NAMESPACE))]] Cpu {
public:
    static constexpr int most_threads = 1024;

    /// Whether the host reads and writes the device's memory as its own.
    static constexpr bool is_host = true;
    /// Max pooling also computes the steps before and behind it; see kernels/before.hpp.
    static constexpr bool fuses_pools = true;
    /// Memory of the device, owned by a tensor. A copy is deep.
    using Memory = Buffer;
    /// size_bytes of memory, all 0.
    Memory allocate(std::size_t size_bytes) const { return Memory(size_bytes); }

    /// threads: the most to use, 1 to most_threads; 0 takes OpenMP's number, which OMP_NUM_THREADS
    /// sets. Passes of models measure how many of them pay, and never use more than there are
    /// processors. Without OpenMP there is one thread. Results have the same bits for any number.
    /// Throws ArgumentError for other values.
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

    /// Exactly `threads` threads for everything, for measurements and tests: on a busy machine, or
    /// with more threads than processors, passes can be many times slower.
    WEFT_COLD static Cpu exactly(int threads) {
        Cpu cpu(threads);
        cpu.is_exact_ = true;
        return cpu;
    }

    /// The number of threads a kernel may use, at least 1; within a pass, the pass's.
    int threads() const {
        if (pass_threads_ > 0) return pass_threads_;
        return has_openmp && threads_ > 0 ? threads_ : weft::detail::max_threads();
    }

    /// Memory for `count` numbers, aligned for vector loads, contents undefined. It grows when more
    /// is asked for than ever before. What was taken before must be gone.
    template <class Scalar>
    Scratch<Scalar> scratch(Index count) {
        assert(!is_scratch_taken_);
        const std::size_t size_bytes = static_cast<std::size_t>(count) * sizeof(Scalar);
        if (scratch_.size() < size_bytes) scratch_ = Buffer(size_bytes);
        return {scratch_.data(), is_scratch_taken_};
    }

private:
    friend class weft::detail::CpuPass;

    int threads_;
    bool is_exact_ = false;
    bool is_scratch_taken_ = false;
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
