/// \file
/// Orders for what may happen in any: see control.hpp.
#pragma once

#include "control.hpp"

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

namespace cuda_sim {

/// A random number (splitmix64).
inline std::uint64_t draw() {
    std::uint64_t z = (options().seed += 0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
}

/// Fisher and Yates's shuffle.
template <class Element>
void shuffle(Element* elements, std::size_t count) {
    for (std::size_t i = count; i > 1; --i) std::swap(elements[i - 1], elements[draw() % i]);
}

/// The numbers below count in the order that is set.
class OrderOf {
public:
    explicit OrderOf(std::size_t count)
        : count_(count), reverse_(options().order == Order::reverse) {
        if (options().order != Order::shuffled) return;
        shuffled_.resize(count);
        std::iota(shuffled_.begin(), shuffled_.end(), std::size_t{0});
        shuffle(shuffled_.data(), count);
    }
    std::size_t size() const { return count_; }
    std::size_t operator[](std::size_t i) const {
        if (!shuffled_.empty()) return shuffled_[i];
        return reverse_ ? count_ - 1 - i : i;
    }

private:
    std::size_t count_;
    bool reverse_;
    std::vector<std::size_t> shuffled_;
};

}  // namespace cuda_sim
