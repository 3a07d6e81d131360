// The engine: where threads meet, and what is said when they do not.
#include "engine.hpp"

#include "fail.hpp"

#include <algorithm>
#include <cstring>

namespace cuda_sim {
namespace {

std::string name_of(Site site) {
    const char* const slash = std::strrchr(site.file, '/');
    return std::string(slash == nullptr ? site.file : slash + 1) + ":" + std::to_string(site.line);
}

bool same(Site a, Site b) {
    return a.line == b.line && (a.file == b.file || std::strcmp(a.file, b.file) == 0);
}

}  // namespace

void Engine::synchronize_block(Site site) {
    const Unwatched unwatched;
    running().site = site;
    char& order = barrier_order_[barriers_ % 2];  // two: who is late must not see what comes after
    release(&order);
    if (++waiting_ < count_) {
        park(Thread::State::at_barrier, site);
    } else {
        check_same_barrier();
        for (unsigned t = 0; t < count_; ++t) threads_[t].state = Thread::State::ready;
        waiting_ = 0;
        ++barriers_;
    }
    acquire(&order);
}

void Engine::check_same_barrier() const {
    for (unsigned t = 1; t < count_; ++t) {
        if (same(threads_[t].site, threads_[0].site)) continue;
        fail("threads of one block wait at two barriers: " + describe(threads_[0]) + ", " +
             describe(threads_[t]));
    }
}

void Engine::meet(unsigned mask, void (*operation)(Thread*, unsigned), void* operand,
                  std::size_t operand_bytes, Site site) {
    const Unwatched unwatched;
    Thread& self = running();
    const auto index = static_cast<unsigned>(&self - threads_),
               first = index / warp_lanes * warp_lanes;
    const unsigned own = 1U << (index - first);
    const unsigned present =
        count_ - first >= warp_lanes ? ~0U : (1U << (count_ - first)) - 1;  // in a last, short warp
    self.site = site;
    if ((mask & own) == 0) fail("the calling lane is not in its own mask, at " + name_of(site));
    mask &= present;
    self.mask = mask;
    self.operation = operation;
    std::memcpy(self.operand, operand, operand_bytes);
    Warp& warp = warps_[first / warp_lanes];
    warp.arrived |= own;
    if ((warp.arrived & mask) == mask) {
        Thread* const lanes = threads_ + first;
        for (unsigned l = 0; l < warp_lanes; ++l) {
            if ((mask >> l & 1) == 0) continue;
            if (lanes[l].mask == mask && lanes[l].operation == operation &&
                same(lanes[l].site, site)) {
                continue;
            }
            lanes[l].state = self.state = Thread::State::in_warp;
            fail("lanes of a warp are in different operations: " + describe(self) + ", " +
                 describe(lanes[l]));
        }
        operation(lanes, mask);
        for (unsigned l = 0; l < warp_lanes; ++l) {
            if (mask >> l & 1) lanes[l].state = Thread::State::ready;
        }
        warp.arrived &= ~mask;
    } else {
        park(Thread::State::in_warp, site);
    }
    std::memcpy(operand, self.operand, operand_bytes);
}

void Engine::synchronize_warp(unsigned mask, Site site) {
    const Unwatched unwatched;
    Warp& warp = warps_[(&running() - threads_) / warp_lanes];
    char& order = warp.order[warp.synchronized % 2];
    release(&order);
    unsigned nothing = 0;
    const unsigned before = warp.synchronized;
    meet(mask, [](Thread*, unsigned) {}, &nothing, sizeof nothing, site);
    if (warp.synchronized == before) ++warp.synchronized;
    acquire(&order);
}

void Engine::fence() {
    const Unwatched unwatched;
    acquire(&fence_order_);
    release(&fence_order_);
}

std::string Engine::describe(const Thread& thread) const {
    std::string text = "thread " + in_brackets(thread.index);
    if (thread.state == Thread::State::done) return text + " has returned";
    text += thread.state == Thread::State::in_warp ? " is in an operation of its warp at "
                                                   : " is at __syncthreads at ";
    return text + name_of(thread.site);
}

/// No thread can go on, but not all have returned.
void Engine::fail_stuck() const {
    const Thread* waiting = nullptr;
    for (unsigned t = 0; t < count_; ++t) {
        if (threads_[t].state == Thread::State::in_warp) waiting = &threads_[t];
    }
    if (waiting == nullptr) {
        const auto state = [&](Thread::State wanted) {
            return std::find_if(threads_, threads_ + count_,
                                [&](const Thread& t) { return t.state == wanted; });
        };
        fail(
            "a barrier that not all threads reach: " + describe(*state(Thread::State::at_barrier)) +
            ", " + describe(*state(Thread::State::done)));
    }
    const auto first = (waiting - threads_) / warp_lanes * warp_lanes;
    for (unsigned l = 0; l < warp_lanes; ++l) {
        const Thread& missing = threads_[first + l];
        if ((waiting->mask >> l & 1) == 0 || missing.state == Thread::State::in_warp) continue;
        fail("a lane of the mask does not come: " + describe(*waiting) + ", " + describe(missing));
    }
    fail("lanes of a warp wait for each other: " + describe(*waiting));
}

}  // namespace cuda_sim
