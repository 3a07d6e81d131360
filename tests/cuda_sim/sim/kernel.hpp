/// \file
/// Kernel: a function that threads run, with its grid and arguments.
#pragma once

#include "types.hpp"

#include <cstddef>
#include <cstdint>
#include <tuple>
#include <type_traits>
#include <utility>

namespace cuda_sim {

class Kernel {
public:
    const void* function;
    dim3 grid, block;
    std::size_t shared_bytes;                  ///< dynamic shared memory
    std::size_t most_shared_bytes = 48 << 10;  ///< with arrays; more by cudaFuncSetAttribute

    Kernel(const void* function_, dim3 grid_, dim3 block_, std::size_t shared_bytes_)
        : function(function_), grid(grid_), block(block_), shared_bytes(shared_bytes_) {}
    virtual ~Kernel() = default;
    virtual void run_thread() const = 0;
    /// visit(*this, its number, argument) for each argument that is a pointer to an object.
    using Visit = void (*)(const Kernel& kernel, int number, const void* argument);
    virtual void for_each_pointer(Visit visit) const = 0;
};

/// A kernel that keeps a copy of its arguments, as CUDA makes one at the launch.
template <class... Parameters>
class KernelOf final : public Kernel {
public:
    static_assert((std::is_trivially_copyable_v<Parameters> && ...),
                  "a kernel's arguments are copied to the GPU byte by byte");

    template <class... Arguments>
    KernelOf(void (*function_)(Parameters...), dim3 grid_, dim3 block_, std::size_t shared_bytes_,
             Arguments&&... arguments)
        : Kernel(reinterpret_cast<const void*>(function_), grid_, block_, shared_bytes_),
          function_of_(function_),
          arguments_(std::forward<Arguments>(arguments)...) {}

    void run_thread() const override { std::apply(function_of_, arguments_); }

    void for_each_pointer(Visit visit) const override {
        int number = 0;
        const auto one = [&](const auto& argument) {
            using Argument = std::decay_t<decltype(argument)>;
            if constexpr (std::is_pointer_v<Argument>) {
                if constexpr (!std::is_function_v<std::remove_pointer_t<Argument>>) {
                    visit(*this, number, argument);
                }
            }
            ++number;
        };
        std::apply([&](const auto&... argument) { (one(argument), ...); }, arguments_);
    }

private:
    void (*function_of_)(Parameters...);
    std::tuple<Parameters...> arguments_;
};

/// The function's name as the source has it: `scale<float>`. For one that the program's symbols do
/// not name, its address.
const char* kernel_name(const void* function);

/// Where the program was loaded, against its file.
std::uintptr_t load_address();

}  // namespace cuda_sim
