/// \file
/// Work that runs beside other work of a device.
#pragma once

#include "weft/core/cuda.hpp"

namespace weft::kernels::cuda {

/// beside(a device) on the second stream, if there is one, while work() asks the device for what needs
/// nothing of it. What the device is asked for behind them finds both done, so it may write over what
/// they read.
///
/// It is waited for here, not at the end of the backward pass: both gradients of a layer are as many
/// operations, so neither waits long for the other, and x and dy need not live longer.
template <class Beside, class Work>
void run_beside(Cuda& device, const Beside& beside, const Work& work) {
    struct Joined {
        Cuda& device;
        ~Joined() {
            try {
                device.join();
            } catch (const CudaError&) {
                // Another error is on its way already.
            }
        }
    } const joined{device};
    beside(device.fork());
    work();
    device.join();
}

}  // namespace weft::kernels::cuda
