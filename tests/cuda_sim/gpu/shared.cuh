/// \file
/// Shared memory: the simulator's twin of src/cuda/gpu/shared.cuh, which says what it is.
#pragma once

#include "../sim/engine.hpp"

namespace weft::kernels::cuda {

template <class T, int tag>
T& shared() {
    static const char key = 0;
    return *reinterpret_cast<T*>(cuda_sim::Engine::get().static_shared(&key, sizeof(T)));
}

}  // namespace weft::kernels::cuda
