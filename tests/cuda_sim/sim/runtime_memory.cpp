// The runtime API's part on memory: allocation, copies.
#include "memory.hpp"

#include "runtime.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <vector>

using namespace cuda_sim;

struct CUmemPoolHandle_st {
    std::size_t kept_bytes = 0;  ///< given back, and free for what the pool is asked for
};

namespace {

bool fails_now() {
    long& n = options().failing_allocation;
    return n > 0 && --n == 0;
}

cudaError_t allocate(void** memory, std::size_t size, bool is_device) {
    *memory = nullptr;
    if (size == 0) return cudaSuccess;
    if (fails_now()) return cudaErrorMemoryAllocation;
    *memory = Memory::get().allocate(size, is_device);
    if (*memory == nullptr) return cudaErrorMemoryAllocation;
    if (is_device) ++counts().allocations;
    return cudaSuccess;
}

Memory::Allocation* allocation_at(const void* memory, bool is_device) {
    Memory::Allocation* const found = Memory::get().find(memory);
    return found != nullptr && found->begin == memory && found->is_device == is_device &&
                   !found->is_freed
               ? found
               : nullptr;
}

/// Waits for all work, as both do.
cudaError_t free_after_all(void* memory, bool is_device) {
    return within([&](Runtime& runtime) {
        if (memory == nullptr) return cudaSuccess;
        if (runtime.spoils_capture()) return cudaErrorStreamCaptureUnsupported;
        if (allocation_at(memory, is_device) == nullptr) return cudaErrorInvalidValue;
        runtime.run_all();
        Memory::get().release(memory);
        if (!is_device) --runtime.objects;
        return cudaSuccess;
    });
}

cudaError_t allocate_outside_capture(void** memory, std::size_t size, bool is_device) {
    return within([&](Runtime& runtime) {
        if (runtime.spoils_capture()) return cudaErrorStreamCaptureUnsupported;
        const cudaError_t status = allocate(memory, size, is_device);
        if (status == cudaSuccess && !is_device) ++runtime.objects;
        return status;
    });
}

/// The pool that memory is from.
std::map<const void*, cudaMemPool_t>& pool_of() {
    static auto& pool_of = *new std::map<const void*, cudaMemPool_t>;
    return pool_of;
}

std::vector<std::unique_ptr<CUmemPoolHandle_st>>& pools() {
    static auto& pools = *new std::vector<std::unique_ptr<CUmemPoolHandle_st>>;
    return pools;
}

bool is_pool(cudaMemPool_t pool) {
    return std::ranges::any_of(pools(), [&](const auto& other) { return other.get() == pool; });
}

/// What pools but this one keep.
std::size_t kept_beside(cudaMemPool_t pool) {
    std::size_t bytes = 0;
    for (const auto& other : pools()) bytes += other.get() == pool ? 0 : other->kept_bytes;
    return bytes;
}

/// What is given back stays in its pool.
void give_back(void* memory) {
    const std::size_t before = memory_in_use();
    Memory::get().release(memory);
    const auto node = pool_of().extract(memory);
    if (node && is_pool(node.mapped())) node.mapped()->kept_bytes += before - memory_in_use();
}

/// Where one end of a copy is.
enum class Place { device, pinned, pageable };

Place place_of(const void* address) {
    if (Memory::get().is_device_address(address)) {
        const Memory::Allocation* const found = Memory::get().find(address);
        return found != nullptr && !found->is_device ? Place::pinned : Place::device;
    }
    return Place::pageable;
}

bool is_valid(const void* address, std::size_t size, Place place) {
    return place == Place::pageable ? address != nullptr
                                    : Memory::get().holds(address, size, place == Place::device);
}

}  // namespace

cudaError_t cudaMalloc(void** memory, std::size_t size) {
    return allocate_outside_capture(memory, size, /*is_device=*/true);
}
cudaError_t cudaMallocHost(void** memory, std::size_t size) {
    return allocate_outside_capture(memory, size, /*is_device=*/false);
}
cudaError_t cudaFree(void* memory) { return free_after_all(memory, /*is_device=*/true); }
cudaError_t cudaFreeHost(void* memory) { return free_after_all(memory, /*is_device=*/false); }

cudaError_t cudaMallocAsync(void** memory, std::size_t size, cudaStream_t handle) {
    return on_stream(handle, [&](CUstream_st& stream) {
        // CUDA would make the graph allocate, at other addresses each time.
        if (stream.capture != nullptr) return cudaErrorNotSupported;
        return allocate(memory, size, /*is_device=*/true);
    });
}

cudaError_t cudaMallocFromPoolAsync(void** memory, std::size_t size, cudaMemPool_t pool,
                                    cudaStream_t stream) {
    return within([&](Runtime&) {
        if (!is_pool(pool)) return cudaErrorInvalidValue;
        const std::size_t before = memory_in_use();
        if (before + kept_beside(pool) + size > options().memory_bytes) {
            *memory = nullptr;
            return cudaErrorMemoryAllocation;
        }
        const cudaError_t status = cudaMallocAsync(memory, size, stream);
        if (status != cudaSuccess || *memory == nullptr) return status;
        pool->kept_bytes -= std::min(pool->kept_bytes, memory_in_use() - before);
        pool_of()[*memory] = pool;
        return cudaSuccess;
    });
}

cudaError_t cudaMemPoolCreate(cudaMemPool_t* pool, const cudaMemPoolProps* properties) {
    return within([&](Runtime& runtime) {
        if (properties->allocType != cudaMemAllocationTypePinned ||
            properties->location.type != cudaMemLocationTypeDevice || properties->location.id < 0 ||
            properties->location.id >= options().gpus) {
            return cudaErrorInvalidValue;
        }
        *pool = pools().emplace_back(std::make_unique<CUmemPoolHandle_st>()).get();
        ++runtime.objects;
        return cudaSuccess;
    });
}

cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t pool, cudaMemPoolAttr attribute, void* value) {
    return within([&](Runtime&) {
        const bool is_known = attribute == cudaMemPoolAttrReleaseThreshold && value != nullptr;
        return is_pool(pool) && is_known ? cudaSuccess : cudaErrorInvalidValue;
    });
}

cudaError_t cudaMemPoolTrimTo(cudaMemPool_t pool, std::size_t /*kept*/) {
    return within([&](Runtime&) {
        if (!is_pool(pool)) return cudaErrorInvalidValue;
        ++counts().trims;
        pool->kept_bytes = 0;
        return cudaSuccess;
    });
}

cudaError_t cudaMemPoolDestroy(cudaMemPool_t pool) {
    return within([&](Runtime& runtime) {
        const auto destroyed =
            std::erase_if(pools(), [&](const auto& other) { return other.get() == pool; });
        runtime.objects -= static_cast<long>(destroyed);
        return destroyed == 1 ? cudaSuccess : cudaErrorInvalidValue;
    });
}

cudaError_t cudaFreeAsync(void* memory, cudaStream_t handle) {
    return on_stream(handle, [&](CUstream_st& stream) {
        if (memory == nullptr) return cudaSuccess;
        if (stream.capture != nullptr) return cudaErrorNotSupported;
        Memory::Allocation* const allocation = allocation_at(memory, /*is_device=*/true);
        if (allocation == nullptr) return cudaErrorInvalidValue;
        allocation->is_freed = true;
        stream.submit({Work::Kind::other, [memory] { give_back(memory); }});
        return cudaSuccess;
    });
}

cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
    return within([&](Runtime&) {
        *total = options().memory_bytes;
        *free = *total - std::min(*total, memory_in_use() + kept_beside(nullptr));
        return cudaSuccess;
    });
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t size, cudaMemcpyKind kind,
                            cudaStream_t handle) {
    return on_stream(handle, [&](CUstream_st& stream) {
        if (size == 0) return cudaSuccess;
        const Place source = place_of(from), target = place_of(to);
        const bool reads_device = source == Place::device, writes_device = target == Place::device;
        if (!is_valid(from, size, source) || !is_valid(to, size, target)) {
            return cudaErrorInvalidValue;
        }
        const auto found = writes_device
                               ? (reads_device ? cudaMemcpyDeviceToDevice : cudaMemcpyHostToDevice)
                               : (reads_device ? cudaMemcpyDeviceToHost : cudaMemcpyHostToHost);
        if (kind != found && kind != cudaMemcpyDefault) return cudaErrorInvalidValue;

        constexpr Work::Kind kinds[]{Work::Kind::other, Work::Kind::to_device, Work::Kind::to_host,
                                     Work::Kind::on_device};
        const bool is_recorded = stream.capture != nullptr;
        // CUDA "might be synchronous" with the host where it reads pageable memory: it is not here.
        stream.submit({kinds[found], [=] { std::memcpy(to, from, size); }});
        if (target == Place::pageable && !is_recorded) stream.run_all();
        return cudaSuccess;
    });
}

cudaError_t cudaMemsetAsync(void* memory, int value, std::size_t size, cudaStream_t handle) {
    return on_stream(handle, [&](CUstream_st& stream) {
        if (size == 0) return cudaSuccess;
        if (!Memory::get().holds(memory, size, /*is_device=*/true)) return cudaErrorInvalidValue;
        stream.submit({Work::Kind::fill, [=] { std::memset(memory, value, size); }});
        return cudaSuccess;
    });
}
