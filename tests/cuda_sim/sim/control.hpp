/// \file
/// What a test tells the simulator, and what it may ask it. No header of CUDA's is needed for it.
///
///     cuda_sim::options().order = cuda_sim::Order::reverse;
///     cuda_sim::counts() = {};
///     model.fit(...);
///     CHECK(cuda_sim::counts().kernels.size() == 9);
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace cuda_sim {

/// In which order threads, blocks, branches of a graph, and streams run: of these, those that nobody
/// waits for late, early, or anywhere between. One that is right in all three may still be wrong; one
/// that differs between them is.
enum class Order { forward, reverse, shuffled };

struct Options {
    Order order = Order::forward;
    std::uint64_t seed = 1;  ///< of the shuffles; each of them changes it

    bool has_gpu = true;              ///< if not, all functions give cudaErrorNoDevice
    int gpus = 1;                     ///< that many, all of them with the same memory
    bool library_has_kernels = true;  ///< if not, the stand-ins of cuBLASLt and cuDNN have none
    /// The stand-in of cuBLASLt calls products with an epilogue invalid, and that of cuDNN refuses to run
    /// the kernel that it has found.
    bool library_refuses = false;
    bool has_library = true;      ///< if not, those stand-ins cannot be started
    long failing_allocation = 0;  ///< the n-th from now gives cudaErrorMemoryAllocation; 0: none

    // The GPU: those of an H100 but for the memory.
    std::string name = "simulated GPU";
    int multiprocessors = 132;
    int major = 9, minor = 0;  ///< compute capability
    int ptx_version = 90;      ///< what kernels are compiled for
    std::size_t memory_bytes = std::size_t{16} << 30;
    std::size_t shared_bytes = 227
                               << 10;  ///< that a block may have, if it asks for more than 48 KiB
};

/// Changes hold from the next call of CUDA's on. Not while another thread makes one.
Options& options();

/// What the program asked for. What a graph does is counted at each of its launches.
struct Counts {
    std::vector<std::string> kernels;  ///< names, in the order of their launches: "scale<float>"
    long graphs = 0;                   ///< launches of graphs
    long synchronisations = 0;         ///< of streams, events, the device
    long copies_to_device = 0, copies_to_host = 0, copies_on_device = 0;
    long fills = 0;        ///< cudaMemsetAsync
    long allocations = 0;  ///< of device memory
    long trims = 0;        ///< cudaMemPoolTrimTo
    std::set<int> gpus;    ///< where streams were made
};

/// Since the program's start, or since counts() = {}.
Counts& counts();

/// Bytes of device memory that are allocated.
std::size_t memory_in_use();

/// Streams, events, pools, graphs, pieces of pinned memory, and what the stand-ins of libraries made,
/// that were not given back.
long objects_in_use();

}  // namespace cuda_sim
