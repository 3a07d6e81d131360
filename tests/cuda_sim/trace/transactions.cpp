// What each kernel asks of memory, at sizes that networks have: at least 90 % of the bytes of the sectors
// that are read and written are asked for, and shared memory takes at most 1.1 times the passes that would
// do. Prints a line a kernel, and ends with 1 where one falls short.
#include "trace.hpp"

#include "weft/core/random.hpp"
#include "weft/kernels/cuda/activation.hpp"
#include "weft/kernels/cuda/batch_norm.hpp"
#include "weft/kernels/cuda/convolution.hpp"
#include "weft/kernels/cuda/dense.hpp"
#include "weft/kernels/cuda/dropout.hpp"
#include "weft/kernels/cuda/image.hpp"
#include "weft/kernels/cuda/layout.hpp"
#include "weft/kernels/cuda/loss.hpp"
#include "weft/kernels/cuda/merge.hpp"
#include "weft/kernels/cuda/metric.hpp"
#include "weft/kernels/cuda/optimizer.hpp"
#include "weft/kernels/cuda/penalty.hpp"
#include "weft/kernels/cuda/pooling.hpp"
#include "weft/kernels/cuda/reduction.hpp"
#include "weft/kernels/cuda/step.hpp"
#include "weft/kernels/cuda/tally.hpp"

#include <cstdio>
#include <deque>
#include <string>
#include <vector>

using namespace weft;
using namespace weft::kernels;

namespace {

using View = TensorView<float, Cuda>;

/// A GPU, and tensors on it.
struct Gpu {
    explicit Gpu(const CudaOptions& options) : device(options) {}

    Cuda device;

    template <class T>
    T* put(const std::vector<T>& values) {
        // The simulator lets arrays end where its fence begins; whole ones begin as on a GPU.
        const std::size_t bytes = values.size() * sizeof(T), whole = (bytes + 255) / 256 * 256;
        memory_.push_back(device.allocate(whole));
        device.copy_to_device(values.data(), memory_.back().data(), bytes);
        return reinterpret_cast<T*>(memory_.back().data());
    }
    /// Numbers in [-1, 1).
    View numbers(const Shape& shape) {
        std::vector<float> values(static_cast<std::size_t>(shape.size()));
        for (float& value : values) value = static_cast<float>(next() % 2048) / 1024.0F - 1;
        return {put(values), shape};
    }
    /// Whole numbers below an end.
    template <class T>
    T* whole(Index count, unsigned end) {
        std::vector<T> values(static_cast<std::size_t>(count));
        for (T& value : values) value = static_cast<T>(next() % end);
        return put(values);
    }

private:
    unsigned next() {
        state_ = state_ * 1664525U + 1013904223U;
        return state_ >> 8;
    }
    unsigned state_ = 1;
    std::deque<Cuda::Memory> memory_;
};

constexpr double least_coalescing = 0.9, most_conflicts = 1.1;

/// Where a launch touches fewer sectors than this, its start is what it costs.
constexpr long few_sectors = 100;

/// A kernel that asks for less of its sectors.
struct Exception {
    const char *of, *kernel;  ///< parts of what is computed, and of the kernel's name
    double coalescing;        ///< what it has to reach instead
    const char* reason;
    bool is_needed = false;
};

Exception exceptions[] = {
    {"x 128 x 10", "product", 0.35,
     "rows of 10 numbers are read one by one, 4 a sector and request"},
    {"28 x 28 x 1 ->", "product", 0.45, "one channel is read one by one, 4 a sector and request"},
    {"32 x 32 x 3 ->", "product", 0.5,
     "three channels are read one by one, 4 a sector and request"},
    {"depthwise", "", 0.15, "each channel is a product of its own: one number of a pixel's"},
    {"max pool", "spread", 0.65, "reads the gradients whose tap is the pixel's, of all sectors"},
    {"50 x 100", "", 0.8, "rows of 100 numbers begin in the middle of a sector"},
    {"columns of 2000 x 100", "sums_of_columns", 0.89,
     "rows of 100 numbers begin in the middle of a sector"},
    {"clip values", "each", 0.79, "writes what changes alone"},
    {"non-negative", "each", 0.79, "writes what changes alone"},
    {"constrain: not negative", "constrain_each", 0.79, "writes what changes alone"},
    {"transpose 784 x 3", "transpose", 0.84, "three columns: rows of the tile are that short"},
    {"crop", "crop_images", 0.83, "rows of the inner image begin in the middle of a sector"},
    {"copy columns 500 x 10", "copy_columns", 0.72,
     "rows of 10 numbers begin in the middle of a sector"},
    {"gather 500 x 10", "gather_samples", 0.75,
     "rows of 10 numbers begin in the middle of a sector"},
    {"gather 500 x 1", "gather_samples", 0.3, "single numbers from anywhere"},
};

bool contains(const std::string& text, const char* part) {
    return text.find(part) != std::string::npos;
}

int kernels_short = 0;

void report(const std::string& what, std::string kernel, const cuda_sim::Traffic& traffic) {
    double least = traffic.sectors < few_sectors ? 0 : least_coalescing;
    const char* reason = "";
    for (Exception& exception : exceptions) {
        if (traffic.coalescing() >= least) break;
        if (!contains(what, exception.of) || !contains(kernel, exception.kernel)) continue;
        exception.is_needed = true;
        least = exception.coalescing;
        reason = exception.reason;
        break;
    }
    const bool falls_short = traffic.coalescing() < least || traffic.conflicts() > most_conflicts;
    if (falls_short) ++kernels_short;
    for (const char* space : {"weft::kernels::", "cuda::", "(anonymous namespace)::"}) {
        for (std::size_t at; (at = kernel.find(space)) != std::string::npos;) {
            kernel.erase(at, std::string(space).size());
        }
    }
    std::printf(
        "%-36s %8ld sectors, %3.0f %% asked for; %8ld passes, %.2f of the least  %.60s%s%s%s\n",
        what.c_str(), traffic.sectors, 100 * traffic.coalescing(), traffic.shared_passes,
        traffic.conflicts(), kernel.c_str(), *reason != 0 ? "  -- " : "", reason,
        falls_short ? "  FALLS SHORT" : "");
}

/// The kernels that call(gpu) starts are held to the limits.
template <class Call>
void check(const std::string& what, const Call& call, const CudaOptions& options = {}) {
    Gpu gpu(options);
    cuda_sim::trace() = {};
    call(gpu);
    gpu.device.synchronize();
    for (const auto& [kernel, places] : cuda_sim::trace()) {
        report(what, kernel, cuda_sim::traffic(kernel));
    }
}

Convolution convolution(Index size, Index channels, Index window, Index filters, Index stride = 1,
                        Index groups = 1) {
    const WindowAxis axis = window_axis(size, window, stride, 1, same);
    return {{axis, axis, channels}, filters, groups};
}

void check_dense_forward(const std::string& what, Index rows, Index features, Index units,
                         const CudaOptions& options = {}) {
    check(
        what,
        [&](Gpu& gpu) {
            dense_forward<float>(gpu.device, gpu.numbers({rows, features}),
                                 gpu.numbers({features, units}), gpu.numbers({units}), relu,
                                 gpu.numbers({rows, units}));
        },
        options);
}

void check_dense(const std::string& what, Index rows, Index features, Index units,
                 const CudaOptions& options = {}) {
    check_dense_forward(what, rows, features, units, options);
    check(
        what,
        [&](Gpu& gpu) {
            dense_backward<float>(gpu.device, gpu.numbers({rows, features}),
                                  gpu.numbers({features, units}), gpu.numbers({rows, units}),
                                  gpu.numbers({features, units}), gpu.numbers({units}),
                                  gpu.numbers({rows, features}));
        },
        options);
}

void check_convolution(const std::string& what, Index images, const Convolution& c) {
    const Index size = c.window.rows.input, output = c.window.rows.output;
    const Shape x{images, size, size, c.window.channels}, y{images, output, output, c.filters};
    const Shape w{c.window.rows.window, c.window.columns.window, c.group_channels(), c.filters};
    check(what, [&](Gpu& gpu) {
        const auto of = [&] { return gpu.numbers({c.filters}); };
        const Normalizing<float> norm{.moving_mean = of().data(),
                                      .moving_variance = of().data(),
                                      .mean = of().data(),
                                      .inverse_deviation = of().data()};
        convolution_forward_moments<float>(gpu.device, c, gpu.numbers(x), gpu.numbers(w), of(),
                                           relu, norm, gpu.numbers(y));
    });
    check(what, [&](Gpu& gpu) {
        convolution_input_gradient<float>(gpu.device, c, gpu.numbers(y), gpu.numbers(w),
                                          gpu.numbers(x));
    });
    check(what, [&](Gpu& gpu) {
        convolution_filter_gradient<float>(gpu.device, c, gpu.numbers(x), gpu.numbers(y),
                                           gpu.numbers(w), gpu.numbers({c.filters}));
    });
}

void dense_layers() {
    check_dense("dense 32 x 784 x 128", 32, 784, 128);
    check_dense_forward("dense 500 x 784 x 128", 500, 784, 128);
    check_dense("dense 32 x 784 x 128 in TF32", 32, 784, 128, {.tf32 = true});
    // As large as it takes for the largest tiles.
    for (const bool tf32 : {false, true}) {
        check_dense_forward("dense 1408 x 16 x 1536", 1408, 16, 1536, {.tf32 = tf32});
        check_dense_forward("dense 1536 x 16 x 704", 1536, 16, 704, {.tf32 = tf32});
    }
    check_dense("dense 32 x 128 x 10", 32, 128, 10);
    check_dense("dense 500 x 128 x 10", 500, 128, 10);
}

void convolutions() {
    check_convolution("conv 3 x 3, 28 x 28 x 32 -> 32", 1, convolution(28, 32, 3, 32));
    check_convolution("conv 3 x 3, 14 x 14 x 32 -> 64", 2, convolution(14, 32, 3, 64));
    check_convolution("conv 5 x 5, 28 x 28 x 1 -> 16", 2, convolution(28, 1, 5, 16));
    check_convolution("conv 3 x 3, 28 x 28 x 1 -> 32", 2, convolution(28, 1, 3, 32));
    check_convolution("conv 3 x 3, 32 x 32 x 3 -> 32", 1, convolution(32, 3, 3, 32));
    check_convolution("conv 3 x 3, strides 2, 28 x 28 x 16 -> 32", 1,
                      convolution(28, 16, 3, 32, 2));
    check_convolution("conv 1 x 1, 14 x 14 x 64 -> 32", 4, convolution(14, 64, 1, 32));
    check_convolution("depthwise 3 x 3, 14 x 14 x 32", 2, convolution(14, 32, 3, 32, 1, 32));
}

void batch_normalisation() {
    for (const Index columns : {32, 128}) {
        const Index rows = columns == 32 ? 8 * 28 * 28 : 500;
        const std::string what = columns == 32 ? "batch norm 6272 x 32" : "batch norm 500 x 128";
        const auto of = [&](Gpu& gpu) { return gpu.numbers({columns}).data(); };
        const auto all = [&](Gpu& gpu) { return gpu.numbers({rows, columns}); };
        check(what, [&](Gpu& gpu) {
            const Normalizing<float> norm{.momentum = 0.9F,
                                          .epsilon = 1e-3F,
                                          .gamma = of(gpu),
                                          .beta = of(gpu),
                                          .moving_mean = of(gpu),
                                          .moving_variance = of(gpu),
                                          .mean = of(gpu),
                                          .inverse_deviation = of(gpu)};
            batch_norm_forward<float>(gpu.device, norm, all(gpu), all(gpu));
        });
        check(what, [&](Gpu& gpu) {
            const Normalizing<float> norm{.epsilon = 1e-3F,
                                          .gamma = of(gpu),
                                          .beta = of(gpu),
                                          .given_mean = of(gpu),
                                          .given_variance = of(gpu)};
            batch_norm_inference<float>(gpu.device, norm, all(gpu), all(gpu));
        });
        check(what, [&](Gpu& gpu) {
            const Normalizing<float> norm{.gamma = of(gpu),
                                          .mean = of(gpu),
                                          .inverse_deviation = of(gpu),
                                          .dgamma = of(gpu),
                                          .dbeta = of(gpu)};
            batch_norm_backward<float>(gpu.device, norm, all(gpu), all(gpu), true, all(gpu));
        });
    }
}

void pools() {
    const WindowAxis axis = window_axis(28, 2, 2, 1, valid);
    for (const Index channels : {32, 16}) {
        const Window2D w{axis, axis, channels};
        const Shape x{8, 28, 28, channels}, y{8, 14, 14, channels};
        const std::string what =
            channels == 32 ? "max pool 2 x 2, 28 x 28 x 32" : "max pool 2 x 2, 28 x 28 x 16";
        check(what, [&](Gpu& gpu) {
            max_pool_forward<float>(gpu.device, w, gpu.numbers(x), gpu.numbers(y),
                                    gpu.whole<std::uint8_t>(y.size(), 4));
        });
        check(what, [&](Gpu& gpu) {
            max_pool_backward<float>(gpu.device, w, gpu.numbers(y), gpu.numbers(y),
                                     gpu.whole<std::uint8_t>(y.size(), 4), gpu.numbers(x));
        });
        const auto norm = [&](Gpu& gpu) {
            const auto of = [&] { return gpu.numbers({channels}).data(); };
            return Normalizing<float>{.gamma = of(),
                                      .beta = of(),
                                      .mean = of(),
                                      .inverse_deviation = of(),
                                      .dgamma = of(),
                                      .dbeta = of(),
                                      .has_moments = true};
        };
        const std::string of_norm =
            channels == 32 ? "max pool of batch norm x 32" : "max pool of batch norm x 16";
        check(of_norm, [&](Gpu& gpu) {
            max_pool_forward_normalizing<float>(
                gpu.device, w, norm(gpu), {.rate = 0.25}, gpu.numbers(x), gpu.numbers(y),
                gpu.whole<std::uint8_t>(y.size(), 4), gpu.numbers(y).data());
        });
        check(of_norm, [&](Gpu& gpu) {
            max_pool_backward_normalizing<float>(
                gpu.device, w, norm(gpu), {.rate = 0.25}, true, gpu.numbers(x), gpu.numbers(y),
                gpu.whole<std::uint8_t>(y.size(), 4), gpu.numbers(y).data(), gpu.numbers(x));
        });
        check("average pool", [&](Gpu& gpu) {
            average_pool_forward<float>(gpu.device, w, gpu.numbers(x), gpu.numbers(y));
        });
        check("average pool", [&](Gpu& gpu) {
            average_pool_backward<float>(gpu.device, w, gpu.numbers(y), gpu.numbers(x));
        });
    }
    const WindowAxis whole = window_axis(7, 7, 7, 1, valid);
    const Window2D w{whole, whole, 64};
    check("global average pool 7 x 7 x 64", [&](Gpu& gpu) {
        average_pool_forward<float>(gpu.device, w, gpu.numbers({8, 7, 7, 64}),
                                    gpu.numbers({8, 1, 1, 64}));
    });
    check("global average pool 7 x 7 x 64", [&](Gpu& gpu) {
        average_pool_backward<float>(gpu.device, w, gpu.numbers({8, 1, 1, 64}),
                                     gpu.numbers({8, 7, 7, 64}));
    });
}

void losses_and_metrics() {
    for (const Index columns : {10, 100, 2000}) {
        const Index rows = columns == 10 ? 500 : 50;
        const Shape shape{rows, columns};
        const std::string what = columns == 10    ? "500 x 10"
                                 : columns == 100 ? "50 x 100"
                                                  : "50 x 2000";
        const auto labels = [&](Gpu& gpu) {
            return View(gpu.whole<float>(rows, static_cast<unsigned>(columns)), {rows});
        };
        const auto targets = [&](Gpu& gpu) {
            return SmoothedTargets<float>(TensorView<const float, Cuda>(gpu.numbers(shape)), 0.1,
                                          columns);
        };
        const auto all = [&](Gpu& gpu) { return gpu.numbers(shape); };
        const auto sum = [&](Gpu& gpu) {
            return TensorView<double, Cuda>(gpu.whole<double>(2, 3), {2});
        };
        const auto losses = [&](Gpu& gpu) { return gpu.numbers({rows}); };
        check(what, [&](Gpu& gpu) {
            sparse_softmax_crossentropy<float>(gpu.device, all(gpu), labels(gpu), 0.1F, losses(gpu),
                                               all(gpu), all(gpu));
        });
        check(what, [&](Gpu& gpu) {
            softmax_crossentropy<float>(gpu.device, all(gpu), targets(gpu), 0.1F, losses(gpu),
                                        all(gpu), all(gpu));
        });
        check(what, [&](Gpu& gpu) {
            sparse_categorical_crossentropy<float>(gpu.device, all(gpu), labels(gpu), 0.1F,
                                                   losses(gpu), all(gpu));
        });
        check(what, [&](Gpu& gpu) {
            categorical_crossentropy<float>(gpu.device, all(gpu), targets(gpu), 0.1F, losses(gpu),
                                            all(gpu));
        });
        check(what, [&](Gpu& gpu) {
            sigmoid_crossentropy<float>(gpu.device, all(gpu), targets(gpu), 0.1F, losses(gpu),
                                        all(gpu), all(gpu));
        });
        check(what, [&](Gpu& gpu) {
            binary_crossentropy<float>(gpu.device, all(gpu), targets(gpu), 0.1F, losses(gpu),
                                       all(gpu));
        });
        check(what, [&](Gpu& gpu) {
            const BatchScore<float, Cuda> score{
                .loss = sum(gpu),
                .matches = {Matches::Kind::sparse},
                .matched = sum(gpu),
                .predictions = TensorView<const float, Cuda>(all(gpu)),
                .targets = TensorView<const float, Cuda>(labels(gpu))};
            sparse_softmax_crossentropy<float>(
                gpu.device, score.predictions, score.targets, 0.1F, {losses(gpu), &score},
                View(const_cast<float*>(score.predictions.data()), shape), all(gpu));
        });
        check(what, [&](Gpu& gpu) {
            mean_squared_error<float>(gpu.device, all(gpu), all(gpu), 0.1F, losses(gpu), all(gpu));
        });
        check(what, [&](Gpu& gpu) {
            activation_forward<float>(gpu.device, softmax, all(gpu), all(gpu));
        });
        check(what, [&](Gpu& gpu) {
            activation_backward<float>(gpu.device, softmax, all(gpu), all(gpu), all(gpu));
        });
        check(what, [&](Gpu& gpu) {
            add_sparse_matches<float>(gpu.device, all(gpu), labels(gpu), sum(gpu));
        });
        check(what, [&](Gpu& gpu) {
            add_categorical_matches<float>(gpu.device, all(gpu), all(gpu), sum(gpu));
        });
        check(what, [&](Gpu& gpu) {
            add_binary_matches<float>(gpu.device, all(gpu), all(gpu), 0.5F, sum(gpu));
        });
        check(what, [&](Gpu& gpu) {
            add_top_k_matches<float>(gpu.device, all(gpu), labels(gpu), false, 3, sum(gpu));
        });
        check(what,
              [&](Gpu& gpu) { add_losses<float>(gpu.device, losses(gpu), sum(gpu), 1, nullptr); });
        check(what, [&](Gpu& gpu) {
            weight_rows<float>(gpu.device, losses(gpu), losses(gpu), all(gpu));
        });
    }
}

void elementwise() {
    const Index n = 100000;
    const auto all = [&](Gpu& gpu) { return gpu.numbers({n}); };
    check("adam 100k", [&](Gpu& gpu) {
        adam_update<float>(gpu.device, {gpu.put<AdamStep<float>>({{0.001F, 0.1F, 0.001F, 1e-7F}})},
                           all(gpu), all(gpu), all(gpu), all(gpu));
    });
    check("sgd 100k", [&](Gpu& gpu) {
        sgd_update<float>(gpu.device, {gpu.put<SGDStep<float>>({{0.1F}})}, all(gpu), all(gpu));
    });
    check("momentum 100k", [&](Gpu& gpu) {
        momentum_update<float>(gpu.device, {gpu.put<SGDStep<float>>({{0.1F, 0.9F}})}, true,
                               all(gpu), all(gpu), all(gpu));
    });
    check("rmsprop 100k", [&](Gpu& gpu) {
        rmsprop_update<float>(gpu.device,
                              {gpu.put<RMSpropStep<float>>({{0.1F, 0.1F, 0.9F, 1e-7F}})}, all(gpu),
                              all(gpu), all(gpu), all(gpu), all(gpu));
    });
    check("dropout 100k", [&](Gpu& gpu) {
        const Dropping dropping{0.5, RandomStream(3, RandomPurpose::layer, 5, 7),
                                gpu.whole<std::uint32_t>(1, 9), 0, gpu.whole<std::uint8_t>(n, 2)};
        dropout_forward<float>(gpu.device, dropping, all(gpu), all(gpu));
    });
    check("dropout 100k", [&](Gpu& gpu) {
        const Dropping dropping{.rate = 0.5, .kept = gpu.whole<std::uint8_t>(n, 2)};
        dropout_backward<float>(gpu.device, dropping, all(gpu), all(gpu));
    });
    check("relu",
          [&](Gpu& gpu) { activation_forward<float>(gpu.device, relu, all(gpu), all(gpu)); });
    check("relu", [&](Gpu& gpu) {
        activation_backward<float>(gpu.device, relu, all(gpu), all(gpu), all(gpu));
    });
    check("tanh", [&](Gpu& gpu) {
        activation_backward<float>(gpu.device, weft::tanh, all(gpu), all(gpu), all(gpu));
    });
    check("gelu", [&](Gpu& gpu) {
        activation_backward_from_input<float>(gpu.device, gelu, all(gpu), all(gpu), all(gpu));
    });
    check("leaky", [&](Gpu& gpu) {
        activation_backward<float>(gpu.device, leaky_relu(0.1), all(gpu), all(gpu), all(gpu));
    });
    check("elu",
          [&](Gpu& gpu) { activation_forward<float>(gpu.device, elu(0.5), all(gpu), all(gpu)); });
    check("scale",
          [&](Gpu& gpu) { scale_and_offset<float>(gpu.device, all(gpu), 0.2F, 1, all(gpu)); });
    check("add", [&](Gpu& gpu) { add_elements<float>(gpu.device, all(gpu), all(gpu), all(gpu)); });
    check("multiply",
          [&](Gpu& gpu) { multiply_elements<float>(gpu.device, all(gpu), all(gpu), all(gpu)); });
    check("penalty",
          [&](Gpu& gpu) { add_penalty_gradient<float>(gpu.device, all(gpu), 0.1, 0.2, all(gpu)); });
    check("penalty", [&](Gpu& gpu) {
        add_penalty<float>(gpu.device, all(gpu), 0.1, 0.2, true, gpu.whole<double>(1, 2));
    });
    check("clip values", [&](Gpu& gpu) { clip_values<float>(gpu.device, all(gpu), 0.5); });
    check("clip norm", [&](Gpu& gpu) { clip_norm<float>(gpu.device, all(gpu), 0.5); });
    check("constrain", [&](Gpu& gpu) {
        const ConstrainedParameter<float> parameters[] = {
            {gpu.numbers({784, 128}).data(), 784, 128, /*limits_norms=*/true, 0.5},
            {gpu.numbers({128, 1}).data(), 128, 1, /*limits_norms=*/true, 0.5}};
        constrain<float>(gpu.device, parameters);
    });
    check("constrain: not negative", [&](Gpu& gpu) {
        const ConstrainedParameter<float> parameters[] = {
            {all(gpu).data(), n, 1, /*limits_norms=*/false, 0}};
        constrain<float>(gpu.device, parameters);
    });
    check("non-negative", [&](Gpu& gpu) { make_non_negative<float>(gpu.device, all(gpu)); });
    check("finite", [&](Gpu& gpu) { all_finite<float>(gpu.device, all(gpu)); });
    check("finite",
          [&](Gpu& gpu) { check_finite<float>(gpu.device, all(gpu), 1, gpu.whole<double>(1, 1)); });
    check("undo", [&](Gpu& gpu) {
        undo_if_wrong<float>(gpu.device, gpu.put<double>({1}), all(gpu), all(gpu));
    });
    check("end batch", [&](Gpu& gpu) {
        const Index size = TallyPlaces::size(3);
        end_batch(gpu.device, {gpu.whole<double>(size, 1), {size}});
    });
    check("gradients", [&](Gpu& gpu) {
        const View x = all(gpu);
        const Penalty<float> penalties[] = {{x.data(), x.size(), 0.1, 0.2, 0}};
        finish_gradients<float>(
            gpu.device, all(gpu), penalties, {}, 1,
            {gpu.whole<double>(TallyPlaces::size(2), 1), {TallyPlaces::size(2)}});
    });
    check("penalties", [&](Gpu& gpu) {
        const View x = all(gpu);
        const Penalty<float> penalties[] = {{x.data(), x.size(), 0.1, 0.2, 0}};
        score_all_penalties<float>(gpu.device, penalties, gpu.put<double>({1}),
                                   gpu.put<double>({1}), 2, 2, {gpu.whole<double>(2, 3), {2}}, 1,
                                   nullptr);
    });
    check("penalties", [&](Gpu& gpu) {
        score_penalties(gpu.device, gpu.put<double>({1}), gpu.put<double>({1}), 2, 2,
                        {gpu.put<double>({1, 2}), {2}}, 1, gpu.put<double>({0}));
    });
}

void columns() {
    for (const auto& size : {std::pair<Index, Index>{500, 128},
                             {500, 10},
                             {784, 128},
                             {6272, 32},
                             {6272, 16},
                             {500, 1},
                             {2000, 100}}) {
        const Index rows = size.first, columns = size.second;
        const std::string what = concat("columns of ", rows, " x ", columns);
        const Shape shape{rows, columns};
        check(what, [&](Gpu& gpu) {
            column_sums<float>(gpu.device, gpu.numbers(shape), gpu.numbers({columns}));
        });
        check(what,
              [&](Gpu& gpu) { limit_column_norms<float>(gpu.device, gpu.numbers(shape), 0.5); });
    }
}

void layout() {
    check("transpose 28 x 28", [&](Gpu& gpu) {
        transpose_samples<float>(gpu.device, gpu.numbers({8, 28, 28}), gpu.numbers({8, 28, 28}));
    });
    check("transpose 784 x 3", [&](Gpu& gpu) {
        transpose_samples<float>(gpu.device, gpu.numbers({8, 784, 3}), gpu.numbers({8, 3, 784}));
    });
    check("transpose 196 x 64", [&](Gpu& gpu) {
        transpose_samples<float>(gpu.device, gpu.numbers({8, 196, 64}), gpu.numbers({8, 64, 196}));
    });
    for (const Index c : {1, 3, 32}) {
        check("pad", [&](Gpu& gpu) {
            pad_images<float>(gpu.device, gpu.numbers({8, 28, 28, c}), 2, 2,
                              gpu.numbers({8, 32, 32, c}));
        });
        check("crop", [&](Gpu& gpu) {
            crop_images<float>(gpu.device, gpu.numbers({8, 32, 32, c}), 2, 2,
                               gpu.numbers({8, 28, 28, c}));
        });
    }
    check("copy columns 500 x 64 of 96", [&](Gpu& gpu) {
        copy_columns<float>(gpu.device, gpu.numbers({500, 96}), 32, 64, gpu.numbers({500, 64}), 0);
    });
    check("copy columns 500 x 10 of 20", [&](Gpu& gpu) {
        copy_columns<float>(gpu.device, gpu.numbers({500, 20}), 10, 10, gpu.numbers({500, 10}), 0);
    });
    check("gather 32 x 784", [&](Gpu& gpu) {
        gather_samples<float>(gpu.device, 32, 784, gpu.numbers({500, 784}).data(), 784,
                              gpu.whole<std::int32_t>(500, 500), gpu.whole<std::int32_t>(1, 400),
                              gpu.numbers({32, 784}).data());
    });
    check("gather 500 x 10", [&](Gpu& gpu) {
        gather_samples<float>(gpu.device, 500, 10, gpu.numbers({1000, 10}).data(), 10,
                              gpu.whole<std::int32_t>(1000, 1000), gpu.whole<std::int32_t>(1, 400),
                              gpu.numbers({500, 10}).data());
    });
    check("gather 500 x 1", [&](Gpu& gpu) {
        gather_samples<float>(gpu.device, 500, 1, gpu.numbers({1000, 1}).data(), 1,
                              gpu.whole<std::int32_t>(1000, 1000), gpu.whole<std::int32_t>(1, 400),
                              gpu.numbers({500, 1}).data());
    });
    const auto gather = [](Gpu& gpu, const float* x, const std::uint8_t* bytes) {
        const GatheredColumns<float> batch[] = {
            {x, 784, 784, gpu.numbers({32, 784}).data(), x != nullptr, bytes},
            {gpu.numbers({500}).data(), 1, 1, gpu.numbers({32}).data(), false}};
        gather_batch<float>(gpu.device,
                            {64, gpu.put(std::vector<std::byte>(640)),
                             gpu.whole<std::int32_t>(1, 1), gpu.put(std::vector<std::byte>(64)), 4},
                            true, gpu.whole<std::int32_t>(500, 500), 32, batch, 1,
                            gpu.whole<double>(1, 1));
    };
    check("batch 32 x 784 + 1",
          [&](Gpu& gpu) { gather(gpu, gpu.numbers({500, 784}).data(), nullptr); });
    check("batch 32 x 784 bytes + 1",
          [&](Gpu& gpu) { gather(gpu, nullptr, gpu.whole<std::uint8_t>(Index{500} * 784, 256)); });
    check("change 32 images", [&](Gpu& gpu) {
        std::vector<ImageChange> changes;
        for (int i = 0; i < 32; ++i) {
            changes.push_back({.kind = ImageChange::Kind::flip, .flips_columns = i % 2 == 0});
            changes.push_back({.kind = ImageChange::Kind::map, .map = {.dy = 1, .dx = -2}});
            changes.push_back({.kind = ImageChange::Kind::fill, .rows = 5, .columns = 9});
        }
        change_images<float>(gpu.device, {28, 28, 1}, 32, 3, gpu.put(changes),
                             gpu.whole<std::int32_t>(1, 1), gpu.numbers({32, 784}).data());
    });
    check("next row 24 bytes", [&](Gpu& gpu) {
        copy_next_row(gpu.device, 24, gpu.put(std::vector<std::byte>(240)),
                      gpu.whole<std::int32_t>(1, 1), gpu.put(std::vector<std::byte>(24)));
    });
}

}  // namespace

int main() {
    dense_layers();
    convolutions();
    batch_normalisation();
    pools();
    losses_and_metrics();
    elementwise();
    columns();
    layout();
    for (const Exception& exception : exceptions) {
        if (exception.is_needed) continue;
        std::printf("no kernel needs the exception for %s of %s\n", exception.kernel, exception.of);
        ++kernels_short;
    }
    return kernels_short == 0 ? 0 : 1;
}
