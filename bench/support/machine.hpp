/// \file
/// What this machine can do at best, measured.
#pragma once

namespace weft::bench {

/// The limits that kernels are held against, with the threads of Cpu().
struct MachinePeak {
    double gflops;      ///< fused multiply-adds on registers, each counted as two operations
    double memory_gbs;  ///< a = b + s c over arrays beyond the caches; 12 bytes an element
    double cache_gbs;   ///< the same over 192 KiB for each thread
};

/// Measured when first asked for, in about a second.
const MachinePeak& machine_peak();

}  // namespace weft::bench
