/// \file
/// Kernels on a GPU, or on the simulated one, against their definitions: the tests are the same.
#pragma once

#include "tests/support/compare.hpp"
#include "tests/support/reference/layout.hpp"
#include "weft/core/staging.hpp"
#include "weft/kernels/cuda/layout.hpp"

#include <functional>
#include <limits>
#include <vector>

namespace weft {

/// Whether the GPU has tensor cores for TF32.
inline bool has_tf32() {
    static const bool has = [] {
        try {
            const Cuda asked({.tf32 = true});
            return true;
        } catch (const CudaError&) {
            return false;
        }
    }();
    return has;
}

/// The tensor on the GPU.
template <class Scalar>
Tensor<Scalar, Cuda> to_cuda(const Cuda& device, const Tensor<Scalar>& x) {
    return on_device<Scalar>(device, x);
}

/// The tensor back on the host.
template <class Scalar>
Tensor<Scalar> from_cuda(const Cuda& device, const Tensor<Scalar, Cuda>& x) {
    return on_host<Scalar>(device, x);
}

/// Calls body once for each order in which the simulator runs threads; on a GPU twice.
void in_each_order(const std::function<void()>& body);

/// What a kernel leaves in its arguments, on the GPU and by its definition.
template <class Scalar>
struct OnBoth {
    std::vector<Tensor<Scalar>> result, expected;
    Verdict repeats;  ///< whether each order of threads left the same bits

    /// The largest gap of all arguments.
    Gap gap(double floor = gap_floor) const {
        Gap worst;
        for (std::size_t i = 0; i < result.size(); ++i) {
            const Gap gap = largest_gap(result[i], expected[i], floor);
            if (worst < gap.value) worst = {gap.value, concat(" of argument ", i, gap.where)};
        }
        return worst;
    }

    /// Whether all arguments have the same bits, and those of each order of threads.
    Verdict same() const {
        Verdict verdict = repeats;
        for (std::size_t i = 0; i < result.size(); ++i) {
            verdict.add(concat("argument ", i), identical(result[i], expected[i]));
        }
        return verdict;
    }
};

namespace detail {

template <class Scalar, class Device>
std::vector<TensorView<Scalar, Device>> views_of(std::vector<Tensor<Scalar, Device>>& tensors) {
    std::vector<TensorView<Scalar, Device>> views;
    // A tensor without elements is an absent argument.
    for (auto& tensor : tensors) {
        views.push_back(tensor.size() > 0 ? tensor.view() : TensorView<Scalar, Device>());
    }
    return views;
}

}  // namespace detail

/// call(device, views) with the tensors on the GPU, and on the reference device. Empty tensors
/// become empty views.
template <class Scalar, class Call>
OnBoth<Scalar> on_both(const std::vector<Tensor<Scalar>>& tensors, const Call& call,
                       const CudaOptions& options = {}) {
    OnBoth<Scalar> both;
    Reference reference;
    std::vector<Tensor<Scalar, Reference>> by_definition;
    for (const auto& tensor : tensors) by_definition.push_back(as_reference<Scalar>(tensor));
    call(reference, detail::views_of(by_definition));
    for (const auto& tensor : by_definition) {
        both.expected.emplace_back(TensorView<const Scalar>(tensor.data(), tensor.shape()));
    }
    in_each_order([&] {
        Cuda device(options);
        std::vector<Tensor<Scalar, Cuda>> on_gpu;
        for (const auto& tensor : tensors) on_gpu.push_back(to_cuda(device, tensor));
        call(device, detail::views_of(on_gpu));
        std::vector<Tensor<Scalar>> result;
        for (const auto& tensor : on_gpu) result.push_back(from_cuda(device, tensor));
        for (std::size_t i = 0; i < both.result.size(); ++i) {
            both.repeats.add(concat("argument ", i, " in another order"),
                             identical(result[i], both.result[i]));
        }
        both.result = std::move(result);
    });
    return both;
}

}  // namespace weft
