/// \file
/// Streams, events and graphs.
///
/// Streams are lazy: work runs when the host waits for it, in the host's thread. So what a program
/// reads too early it does not find, and what it changes too early the work finds changed. Streams are
/// ordered by events and by waiting alone; stream 0 is one more stream. While one is waited for, the
/// others come late, when it waits for them; or early, as soon as nothing keeps them; or anywhere
/// between: in the order that control.hpp sets. So work that forgets an event is wrong in one of them. A copy from the host's own
/// memory takes the bytes at the call, as CUDA does, and one to it waits; only pinned memory is read
/// and written when the copy runs. A graph runs its branches in the order that control.hpp sets.
#pragma once

#include "api.hpp"

#include <chrono>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

namespace cuda_sim {

/// A place in a stream that an event has marked.
struct Moment {
    CUstream_st* stream;
    bool reached = false;
    std::chrono::steady_clock::time_point time{};
};

/// A piece of work, and as what it is counted.
struct Work {
    enum class Kind { kernel, to_device, to_host, on_device, fill, graph, other };

    Kind kind;
    std::function<void()> run;
    const void* function = nullptr;                     ///< of a kernel
    std::shared_ptr<const CUgraph_st> graph = nullptr;  ///< of the launch of a graph
    std::shared_ptr<const Moment> awaited = nullptr;    ///< of a wait for an event
};

void count(const Work& work);

/// A piece of work in a graph.
struct Node {
    Work work;
    std::vector<std::size_t> after;  ///< nodes that it waits for
};

/// What is being recorded.
struct Capture {
    CUstream_st* origin;
    cudaStreamCaptureMode mode;
    std::thread::id thread;
    bool valid = true;
    std::vector<Node> nodes;
    std::vector<CUstream_st*> streams;
};

void run_graph(const std::vector<Node>& nodes);

}  // namespace cuda_sim

struct CUstream_st {
    int gpu = 0;  ///< that was the current one when it was made
    std::deque<cuda_sim::Work> queue;
    std::shared_ptr<cuda_sim::Capture> capture;
    std::vector<std::size_t> last;  ///< nodes of the capture that the next one waits for
    bool runs = false;              ///< a piece of its work is not over

    void submit(cuda_sim::Work work);
    /// Runs its next piece of work, and before that some of other streams.
    void run_one();
    void run_all();
    /// Whether it has work that waits for no other stream.
    bool is_ready() const;
    void run_next();
};

struct CUevent_st {
    int gpu = 0;
    std::shared_ptr<cuda_sim::Moment> moment;
    std::shared_ptr<cuda_sim::Capture> capture;
    std::vector<std::size_t> last;
};

struct CUgraph_st {
    std::vector<cuda_sim::Node> nodes;
    int gpu = 0;
};

struct CUgraphExec_st {
    std::shared_ptr<const CUgraph_st> graph;
};
