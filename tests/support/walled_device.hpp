/// \file
/// Walled: the CPU's kernels behind memory that nobody else can touch. What runs on it the same as
/// on Cpu looks at no number outside of a kernel.
#pragma once

#include "weft/core/parallel.hpp"
#include "weft/weft.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <map>
#include <mutex>
#include <new>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace weft::kernels {

/// The memory of all walled devices: one range of addresses, closed but while a kernel runs.
class Wall {
public:
    static Wall& get() {
        static Wall wall;
        return wall;
    }

    /// While one exists, the memory can be read and written.
    class Opening {
    public:
        Opening() { get().open(+1); }
        ~Opening() { get().open(-1); }
        Opening(const Opening&) = delete;
        Opening& operator=(const Opening&) = delete;
    };

    /// Zeroed pages.
    std::byte* take(std::size_t size_bytes) {
        const std::lock_guard lock(mutex_);
        ++taken_;
        if (const auto free = free_.find(size_bytes); free != free_.end()) {
            std::byte* const taken = free->second;
            free_.erase(free);
            return taken;
        }
        if (size_bytes > most_bytes - used_) throw std::bad_alloc();
        std::byte* const taken = begin_ + used_;
        used_ += size_bytes;
        if (openings_ > 0) protect(PROT_READ | PROT_WRITE);
        return taken;
    }
    void give_back(std::byte* memory, std::size_t size_bytes) {
        const std::lock_guard lock(mutex_);
        // Pages that are not there cost nothing to open and to close, and come back as zeros.
        madvise(memory, size_bytes, MADV_DONTNEED);
        free_.emplace(size_bytes, memory);
        if (--taken_ > 0 || openings_ > 0) return;
        free_.clear();
        used_ = 0;
    }

    static std::size_t in_pages(std::size_t size_bytes) {
        const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
        return (size_bytes + page - 1) / page * page;
    }

    // What left the device, in all of the program.
    std::atomic<long> tensors_read{0};  ///< calls of copy_to_host
    std::atomic<long> results_read{0};  ///< kernels that gave the host a number
    std::atomic<long> allocations{0};

private:
    static constexpr std::size_t most_bytes = std::size_t{4} << 30;

    Wall()
        : begin_(
              static_cast<std::byte*>(mmap(nullptr, most_bytes, PROT_NONE,
                                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0))) {
        if (begin_ == MAP_FAILED) throw std::bad_alloc();
    }
    ~Wall() { munmap(begin_, most_bytes); }

    void open(int change) {
        const std::lock_guard lock(mutex_);
        openings_ += change;
        if (change > 0 && openings_ == 1) protect(PROT_READ | PROT_WRITE);
        if (openings_ == 0) protect(PROT_NONE);
    }
    void protect(int access) {
        if (used_ > 0 && mprotect(begin_, used_, access) != 0) std::abort();
    }

    std::mutex mutex_;
    std::byte* begin_;
    std::size_t used_ = 0;
    int openings_ = 0, taken_ = 0;
    std::multimap<std::size_t, std::byte*> free_;
};

/// Zeroed memory behind the wall. A copy is deep.
class WalledMemory {
public:
    WalledMemory() = default;
    explicit WalledMemory(std::size_t size_bytes) : size_(Wall::in_pages(size_bytes)) {
        if (size_ == 0) return;
        ++Wall::get().allocations;
        data_ = Wall::get().take(size_);
    }
    WalledMemory(const WalledMemory& other) : WalledMemory(other.size_) {
        if (size_ == 0) return;
        const Wall::Opening open;
        std::memcpy(data_, other.data_, size_);
    }
    WalledMemory(WalledMemory&& other) noexcept
        : size_(std::exchange(other.size_, 0)), data_(std::exchange(other.data_, nullptr)) {}
    WalledMemory& operator=(WalledMemory other) noexcept {
        std::swap(size_, other.size_);
        std::swap(data_, other.data_);
        return *this;
    }
    ~WalledMemory() {
        if (size_ > 0) Wall::get().give_back(data_, size_);
    }

    std::byte* data() { return data_; }
    const std::byte* data() const { return data_; }

private:
    std::size_t size_ = 0;
    std::byte* data_ = nullptr;
};

/// Part of an object that notices its use after its end, as that of a device's stream would be.
class Presence {
public:
    Presence() = default;
    Presence(const Presence&) {}
    Presence& operator=(const Presence&) { return *this; }
    ~Presence() { value_ = 0; }

    void require() const {
        if (value_ != present) throw std::logic_error("walled: a device that is gone is used");
    }

private:
    static constexpr int present = 0x5ca1ab1e;
    volatile int value_ = present;  // volatile: the compiler keeps a last write to it
};

/// The device. It has no scratch that layers could reach.
class Walled {
public:
    static constexpr bool is_host = false;
    /// So that plans are fused as for a GPU.
    static constexpr bool fuses_products = true;
    using Memory = WalledMemory;
    Memory allocate(std::size_t size_bytes) const { return Memory(size_bytes); }
    Walled without_options() const { return {}; }

    /// body(cpu) with the wall open.
    template <class Body>
    auto run(const Body& body) {
        require_present();
        const Wall::Opening open;
        if constexpr (!std::is_void_v<decltype(body(cpu_))>) ++Wall::get().results_read;
        return body(cpu_);
    }

    friend bool operator==(const Walled&, const Walled&) { return true; }

    Cpu& cpu() { return cpu_; }
    void require_present() const { presence_.require(); }

private:
    Cpu cpu_;
    Presence presence_;
};

/// A kernel's argument as the CPU's kernels take it.
template <class T>
const T& inside(const T& argument) {
    return argument;
}
template <class Scalar>
TensorView<Scalar> inside(const TensorView<Scalar, Walled>& view) {
    return view ? TensorView<Scalar>(view.data(), view.shape()) : TensorView<Scalar>();
}

// A score stays outside: it is made of other kernels.
template <class Scalar>
TensorView<Scalar> inside(const ScoredLosses<Scalar, Walled>& losses) {
    return inside(static_cast<const TensorView<Scalar, Walled>&>(losses));
}

template <class Body>
void run_pass(Walled& device, double work, const Body& body) {
    run_pass(device.cpu(), work, body);
}

inline std::string kernels_build(const Walled&) { return std::string(kernels_build(Cpu())); }

template <class Scalar>
void copy_to_device(const Walled& device, TensorView<const Scalar> from,
                    TensorView<Scalar, Walled> to) {
    device.require_present();
    const Wall::Opening open;
    std::copy(from.begin(), from.end(), to.data());
}
template <class Scalar>
void copy_to_host(const Walled& device, TensorView<const Scalar, Walled> from,
                  TensorView<Scalar> to) {
    device.require_present();
    const Wall::Opening open;
    ++Wall::get().tensors_read;
    std::copy_n(from.data(), from.size(), to.begin());
}

// Those that are called with what has to be converted to a view.
template <class Scalar>
bool all_finite(Walled& device, TensorView<const Scalar, Walled> x) {
    return device.run([&](Cpu& cpu) { return all_finite<Scalar>(cpu, inside(x)); });
}
template <class Scalar>
void add_penalty_gradient(Walled& device, TensorView<const Scalar, Walled> x, double l1, double l2,
                          TensorView<Scalar, Walled> gradient) {
    device.run(
        [&](Cpu& cpu) { add_penalty_gradient<Scalar>(cpu, inside(x), l1, l2, inside(gradient)); });
}

template <class Scalar>
void check_finite(Walled& device, TensorView<const Scalar, Walled> x, double mark, double* wrong,
                  const double* unless = nullptr) {
    device.run([&](Cpu& cpu) { check_finite<Scalar>(cpu, inside(x), mark, wrong, unless); });
}
template <class Scalar>
void add_penalty(Walled& device, TensorView<const Scalar, Walled> x, double l1, double l2,
                 bool adds, double* sum) {
    device.run([&](Cpu& cpu) { add_penalty<Scalar>(cpu, inside(x), l1, l2, adds, sum); });
}
template <class Scalar>
void undo_if_wrong(Walled& device, const double* wrong, TensorView<const Scalar, Walled> before,
                   TensorView<Scalar, Walled> now) {
    device.run([&](Cpu& cpu) { undo_if_wrong<Scalar>(cpu, wrong, inside(before), inside(now)); });
}

// Kernels that are called as name<Scalar>(device, ...), and those whose Scalar is deduced.
#define WEFT_WALLED_OF(name)                                                                  \
    template <class Scalar, class... Arguments>                                               \
    auto name(Walled& device, const Arguments&... arguments) {                                \
        return device.run([&](Cpu& cpu) { return name<Scalar>(cpu, inside(arguments)...); }); \
    }
#define WEFT_WALLED(name)                                                             \
    template <class... Arguments>                                                     \
    auto name(Walled& device, const Arguments&... arguments) {                        \
        return device.run([&](Cpu& cpu) { return name(cpu, inside(arguments)...); }); \
    }
WEFT_WALLED_OF(dense_forward)
WEFT_WALLED_OF(dense_forward_dropping)
WEFT_WALLED_OF(dense_backward)
WEFT_WALLED_OF(dense_backward_through)
WEFT_WALLED_OF(convolution_forward)
WEFT_WALLED_OF(convolution_forward_moments)
WEFT_WALLED_OF(convolution_input_gradient)
WEFT_WALLED_OF(convolution_backward_through)
WEFT_WALLED_OF(convolution_filter_gradient)
WEFT_WALLED_OF(column_sums)
WEFT_WALLED_OF(activation_forward)
WEFT_WALLED_OF(activation_backward)
WEFT_WALLED_OF(activation_backward_from_input)
WEFT_WALLED_OF(scale_and_offset)
WEFT_WALLED_OF(max_pool_forward)
WEFT_WALLED_OF(max_pool_forward_dropping)
WEFT_WALLED_OF(max_pool_forward_normalizing)
WEFT_WALLED_OF(max_pool_backward_normalizing)
WEFT_WALLED_OF(max_pool_backward_dropping)
WEFT_WALLED_OF(max_pool_backward)
WEFT_WALLED_OF(average_pool_forward)
WEFT_WALLED_OF(average_pool_backward)
WEFT_WALLED_OF(batch_norm_forward)
WEFT_WALLED_OF(batch_norm_apply)
WEFT_WALLED_OF(batch_norm_inference)
WEFT_WALLED_OF(batch_norm_backward)
WEFT_WALLED_OF(copy_columns)
WEFT_WALLED(gather_samples)
WEFT_WALLED(copy_next_row)
WEFT_WALLED_OF(dropout_forward)
WEFT_WALLED_OF(dropout_backward)
WEFT_WALLED_OF(copy_elements)
WEFT_WALLED_OF(add_elements)
WEFT_WALLED_OF(multiply_elements)
WEFT_WALLED_OF(transpose_samples)
WEFT_WALLED_OF(pad_images)
WEFT_WALLED_OF(crop_images)
WEFT_WALLED_OF(sparse_softmax_crossentropy)
WEFT_WALLED_OF(sparse_categorical_crossentropy)
WEFT_WALLED_OF(softmax_crossentropy)
WEFT_WALLED_OF(categorical_crossentropy)
WEFT_WALLED_OF(sigmoid_crossentropy)
WEFT_WALLED_OF(binary_crossentropy)
WEFT_WALLED_OF(mean_squared_error)
WEFT_WALLED_OF(sgd_update)
WEFT_WALLED_OF(momentum_update)
WEFT_WALLED_OF(rmsprop_update)
WEFT_WALLED_OF(adam_update)
WEFT_WALLED_OF(clip_values)
WEFT_WALLED_OF(clip_norm)
WEFT_WALLED_OF(make_non_negative)
WEFT_WALLED_OF(limit_column_norms)
WEFT_WALLED_OF(weight_rows)
WEFT_WALLED_OF(add_losses)
WEFT_WALLED(score_penalties)
WEFT_WALLED(end_batch)
WEFT_WALLED_OF(add_sparse_matches)
WEFT_WALLED_OF(add_categorical_matches)
WEFT_WALLED_OF(add_binary_matches)
WEFT_WALLED_OF(add_top_k_matches)
#undef WEFT_WALLED_OF
#undef WEFT_WALLED

}  // namespace weft::kernels

namespace weft {
using kernels::Walled;
}  // namespace weft
