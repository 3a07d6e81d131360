/// \file
/// Engine: runs the threads of a block in turn on one thread of the CPU.
///
/// A thread runs until it waits, at a barrier or for the lanes of its warp; then the next one does.
/// Where no thread waits, they all run one after another on one stack, without any switch. Blocks run
/// one after another. Threads, and blocks, come in the order that control.hpp sets: a kernel that
/// forgets a barrier is right in some order and wrong in another.
///
/// It fails, naming both sides, where threads wait for each other, which a GPU would do for ever or
/// not at all. It is stricter than CUDA in two things: a thread that has returned may be named in no
/// later mask and is missed at every later barrier, and all threads of a block meet at the same
/// __syncthreads of the source.
#pragma once

#include "fiber.hpp"
#include "kernel.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

inline uint3 threadIdx, blockIdx;
inline dim3 blockDim, gridDim;

namespace cuda_sim {

/// A place in the source.
struct Site {
    const char* file;
    unsigned line;
};

/// "(1, 0, 0)"
std::string in_brackets(uint3 at);

inline constexpr unsigned warp_lanes = 32, most_threads = 1024;
inline constexpr std::size_t most_static_shared = 48 << 10, most_operand_bytes = 64;

/// A thread of a block.
struct Thread {
    enum class State : unsigned char { fresh, ready, at_barrier, in_warp, done };

    uint3 index;
    State state;
    unsigned mask;  ///< lanes that the warp's operation waits for
    Site site;      ///< where it waits
    void (*operation)(Thread* warp, unsigned lanes);
    Fiber* fiber;
    alignas(16) std::byte operand[most_operand_bytes];
};

class Engine {
public:
    static Engine& get();

    void run(const Kernel& kernel);

    /// The kernel that runs, if one does.
    const Kernel* kernel() const { return kernel_; }
    /// "kernel scale, block (1, 0, 0), thread (5, 0, 0): ", or nothing.
    std::string place() const;
    /// Whether the address is just below the stack of the thread that runs.
    bool stack_overflown(const void* address) const {
        return current_ != nullptr && current_->fiber->overflown(address);
    }

    // For whoever watches what kernels do: see ../trace.
    bool runs_thread() const { return current_ != nullptr; }
    unsigned thread_number() const { return static_cast<unsigned>(current_ - threads_); }
    bool is_shared(const void* address) const;
    static inline void (*block_ended)() = nullptr;

    // For kernels.
    void synchronize_block(Site site);
    /// Waits until all lanes of the mask are here with an operand each. One of them calls
    /// operation(the warp's threads, lanes), which may change the operands.
    void meet(unsigned mask, void (*operation)(Thread* warp, unsigned lanes), void* operand,
              std::size_t operand_bytes, Site site);
    /// The same, and what the lanes wrote before is seen by them after.
    void synchronize_warp(unsigned mask, Site site);
    void fence();
    unsigned lane();
    /// An array of the block's, NaN at first; each key has one.
    std::byte* static_shared(const void* key, std::size_t size_bytes);
    std::byte* dynamic_shared();

private:
    struct Warp {
        unsigned arrived = 0;  ///< lanes that wait for others
        unsigned synchronized = 0;
        char order[2] = {};
    };
    struct SharedArray {
        const void* key;
        std::byte* begin;
        std::size_t size;
    };

    Engine() = default;
    void run_block();
    void begin_shared();
    std::byte* find_shared(const void* key) const;
    std::byte* place_shared(const void* key, std::size_t size_bytes);
    void check_shared();
    Thread& running();
    Thread* next();
    void finish_thread();
    void resume(Thread& thread, Fiber& from);
    void make_current(Thread& thread);
    void park(Thread::State state, Site site);
    void check_same_barrier() const;
    [[noreturn]] void fail_stuck() const;
    std::string describe(const Thread& thread) const;
    Fiber* take_fiber(const Thread& thread);
    static void entry();

    const Kernel* kernel_ = nullptr;
    Thread* current_ = nullptr;
    Thread threads_[most_threads] = {};
    Warp warps_[most_threads / warp_lanes];
    std::uint16_t order_[most_threads] = {};
    unsigned count_ = 0, cursor_ = 0, waiting_ = 0, done_ = 0, barriers_ = 0;

    Fiber host_;
    Fiber fibers_[watches_threads ? 2 : 1][most_threads];
    Fiber* free_[most_threads] = {};
    unsigned free_count_ = 0, fibers_made_ = 0, parity_ = 0;

    std::vector<std::unique_ptr<std::byte[]>> shared_memory_;
    SharedArray arrays_[64] = {};  ///< the dynamic one has no key
    unsigned array_count_ = 0;
    std::size_t array_bytes_ = 0, shared_used_ = 0;
    char start_order_ = 0, end_order_ = 0, barrier_order_[2] = {}, fence_order_ = 0;
};

}  // namespace cuda_sim
