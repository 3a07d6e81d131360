// The engine: who runs next.
#include "engine.hpp"

#include "control.hpp"
#include "fail.hpp"
#include "random.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>

namespace cuda_sim {

std::string in_brackets(uint3 at) {
    return "(" + std::to_string(at.x) + ", " + std::to_string(at.y) + ", " + std::to_string(at.z) +
           ")";
}

void fail(const std::string& what) {
    const Unwatched unwatched;
    const std::string line = "cuda_sim: " + Engine::get().place() + what + "\n";
    if (write(STDERR_FILENO, line.data(), line.size()) < 0) std::abort();
    std::abort();
}

Engine& Engine::get() {
    static Engine& engine = *new Engine;  // never destroyed: other objects' ends may run kernels
    return engine;
}

std::string Engine::place() const {
    if (kernel_ == nullptr) return "";
    std::string text = std::string("kernel ") + kernel_name(kernel_->function) + ", block " +
                       in_brackets(blockIdx);
    if (current_ != nullptr) text += ", thread " + in_brackets(current_->index);
    return text + ": ";
}

void Engine::run(const Kernel& kernel) {
    const Unwatched unwatched;
    kernel_ = &kernel;
    gridDim = kernel.grid;
    blockDim = kernel.block;
    count_ = blockDim.x * blockDim.y * blockDim.z;
    for (unsigned t = 0; t < count_; ++t) {
        threads_[t].index = {t % blockDim.x, t / blockDim.x % blockDim.y,
                             t / blockDim.x / blockDim.y};
    }
    host_.run_as_host();
    release(&start_order_);
    const OrderOf blocks(std::size_t{gridDim.x} * gridDim.y * gridDim.z);
    for (std::size_t i = 0; i < blocks.size(); ++i) {
        const std::size_t block = blocks[i];
        blockIdx = {static_cast<unsigned>(block % gridDim.x),
                    static_cast<unsigned>(block / gridDim.x % gridDim.y),
                    static_cast<unsigned>(block / gridDim.x / gridDim.y)};
        run_block();
    }
    // Blocks are ordered with what comes after the kernel, not with one another.
    acquire(&end_order_);
    shared_memory_.clear();
    kernel_ = nullptr;
}

void Engine::run_block() {
    std::iota(order_, order_ + count_, std::uint16_t{0});
    if (options().order == Order::reverse) std::reverse(order_, order_ + count_);
    if (options().order == Order::shuffled) shuffle(order_, count_);
    for (unsigned t = 0; t < count_; ++t) threads_[t].state = Thread::State::fresh;
    std::fill(warps_, warps_ + (count_ + warp_lanes - 1) / warp_lanes, Warp{});
    cursor_ = waiting_ = done_ = barriers_ = 0;
    parity_ ^= 1;
    begin_shared();
    while (Thread* const thread = next()) resume(*thread, host_);
    current_ = nullptr;
    check_shared();
    if (block_ended != nullptr) block_ended();
}

/// Where a fiber begins: it runs one thread after another.
void Engine::entry() {
    Engine& engine = get();
    Fiber::arrive();
    for (;;) {
        acquire(&engine.start_order_);
        engine.kernel_->run_thread();
        release(&engine.end_order_);
        engine.finish_thread();
    }
}

/// The thread that runs has returned. Goes on to another one, and comes back when the fiber is to run
/// a thread from its beginning.
void Engine::finish_thread() {
    const Unwatched unwatched;
    Fiber& own = *current_->fiber;
    current_->state = Thread::State::done;
    ++done_;
    Thread* const thread = watches_threads ? nullptr : next();
    if (thread != nullptr && thread->state == Thread::State::fresh) {
        thread->fiber = &own;
        make_current(*thread);
        return;
    }
    if (!watches_threads) free_[free_count_++] = &own;
    if (thread != nullptr) {
        resume(*thread, own);
    } else {
        own.switch_to(host_);
    }
}

Fiber* Engine::take_fiber(const Thread& thread) {
    // The thread sanitizer takes two threads on one fiber for one: each has its own, and neighbouring
    // blocks have others.
    if (watches_threads) return &fibers_[parity_ % std::size(fibers_)][&thread - threads_];
    return free_count_ > 0 ? free_[--free_count_] : &fibers_[0][fibers_made_++];
}

void Engine::make_current(Thread& thread) {
    current_ = &thread;
    threadIdx = thread.index;
    thread.state = Thread::State::ready;
}

void Engine::resume(Thread& thread, Fiber& from) {
    if (thread.state == Thread::State::fresh) {
        thread.fiber = take_fiber(thread);
        if (!thread.fiber->is_prepared()) thread.fiber->prepare(&Engine::entry);
    }
    make_current(thread);
    from.switch_to(*thread.fiber);
}

/// The thread that runs now, or null at the end of the block.
Thread* Engine::next() {
    if (done_ == count_) return nullptr;
    for (int round = 0; round < 2; ++round) {
        while (cursor_ < count_) {
            Thread& thread = threads_[order_[cursor_++]];
            if (thread.state <= Thread::State::ready) return &thread;
        }
        cursor_ = 0;
        if (options().order == Order::shuffled) shuffle(order_, count_);
    }
    fail_stuck();
}

unsigned Engine::lane() { return static_cast<unsigned>(&running() - threads_) % warp_lanes; }

Thread& Engine::running() {
    if (current_ == nullptr) fail("a function of the GPU is called by the host");
    return *current_;
}

void Engine::park(Thread::State state, Site site) {
    Thread& self = *current_;
    self.state = state;
    self.site = site;
    Thread* const thread = watches_threads ? nullptr : next();
    if (thread != nullptr) {
        resume(*thread, *self.fiber);
    } else {
        self.fiber->switch_to(host_);
    }
}

}  // namespace cuda_sim
