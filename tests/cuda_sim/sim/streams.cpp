// Streams, events and graphs: when work runs.
#include "streams.hpp"

#include "control.hpp"
#include "fail.hpp"
#include "memory.hpp"
#include "random.hpp"
#include "runtime.hpp"

#include <algorithm>

namespace cuda_sim {

Counts& counts() {
    static Counts& counts = *new Counts;
    return counts;
}

Options& options() {
    static Options& options = *new Options;
    return options;
}

void count(const Work& work) {
    Counts& c = counts();
    switch (work.kind) {
        case Work::Kind::kernel:
            c.kernels.push_back(kernel_name(work.function));
            break;
        case Work::Kind::to_device:
            ++c.copies_to_device;
            break;
        case Work::Kind::to_host:
            ++c.copies_to_host;
            break;
        case Work::Kind::on_device:
            ++c.copies_on_device;
            break;
        case Work::Kind::fill:
            ++c.fills;
            break;
        case Work::Kind::graph:
            ++c.graphs;
            for (const Node& node : work.graph->nodes) count(node.work);
            break;
        case Work::Kind::other:
            break;
    }
}

void run_graph(const std::vector<Node>& nodes) {
    std::vector<bool> done(nodes.size());
    const auto may_run = [&](std::size_t i) {
        return !done[i] && std::all_of(nodes[i].after.begin(), nodes[i].after.end(),
                                       [&](std::size_t other) { return done[other]; });
    };
    for (std::size_t left = nodes.size(); left > 0; --left) {
        const OrderOf order(nodes.size());
        std::size_t i = 0;
        while (!may_run(order[i])) ++i;
        nodes[order[i]].work.run();
        done[order[i]] = true;
    }
}

}  // namespace cuda_sim

void CUstream_st::submit(cuda_sim::Work work) {
    if (capture != nullptr) {
        capture->nodes.push_back({std::move(work), last});
        last = {capture->nodes.size() - 1};
        return;
    }
    count(work);
    queue.push_back(std::move(work));
}

bool CUstream_st::is_ready() const {
    if (runs || queue.empty()) return false;
    const auto& awaited = queue.front().awaited;
    return awaited == nullptr || awaited->reached;
}

void CUstream_st::run_next() {
    const cuda_sim::Work work = std::move(queue.front());
    queue.pop_front();
    runs = true;
    work.run();
    runs = false;
}

void CUstream_st::run_one() {
    const cuda_sim::Memory::Opening opening;
    cuda_sim::Runtime::get().run_others(*this);
    run_next();
}

void CUstream_st::run_all() {
    const cuda_sim::Memory::Opening opening;
    while (!queue.empty()) run_one();
}
