// What nothing is launched for: more elements than indices of 32 bits count, and none.
#include "tests/support/cuda.hpp"
#include "weft/kernels/cuda/activation.hpp"
#include "weft/kernels/cuda/convolution.hpp"
#include "weft/kernels/cuda/dense.hpp"
#include "weft/kernels/cuda/image.hpp"
#include "weft/kernels/cuda/loss.hpp"
#include "weft/kernels/cuda/metric.hpp"
#include "weft/kernels/cuda/penalty.hpp"
#include "weft/kernels/cuda/pooling.hpp"
#include "weft/kernels/cuda/reduction.hpp"

#include <doctest/doctest.h>

#include <climits>

using namespace weft;
using kernels::Convolution;
using kernels::WindowAxis;

namespace {

constexpr Index k64 = Index{1} << 16, million = Index{1} << 20;  // 2^32 of 64 K by 64 K

/// A tensor of that shape which is nowhere: a kernel that touched it would crash.
TensorView<float, Cuda> nowhere(const Shape& shape) { return {nullptr, shape}; }
TensorView<const float, Cuda> read_nowhere(const Shape& shape) { return {nullptr, shape}; }

}  // namespace

TEST_CASE("dense layers on a GPU refuse each tensor with more elements than 32 bits count") {
    struct Case {
        Index rows, features, units;
    };
    // x, then w, and then y, is the only one with 2^31 or more.
    for (const Case c : {Case{million, 4096, 1}, Case{1, k64, k64}, Case{k64, 1, k64}}) {
        CAPTURE(c.features);
        Cuda device;
        const auto x = read_nowhere({c.rows, c.features}), w = read_nowhere({c.features, c.units});
        const Shape y{c.rows, c.units};
        CHECK_THROWS_AS(kernels::dense_forward<float>(device, x, w, {}, linear, nowhere(y)),
                        CudaError);
        CHECK_THROWS_AS(kernels::dense_forward_dropping<float>(device, x, w, {}, linear,
                                                               {.rate = 0.5}, nowhere(y)),
                        CudaError);
        CHECK_THROWS_AS(kernels::dense_backward<float>(device, x, w, read_nowhere(y),
                                                       nowhere(w.shape()), {}, nowhere(x.shape())),
                        CudaError);
    }
    // All can be counted, but not to the end of the last tile.
    Cuda device;
    const Shape many{INT_MAX, 1};
    CHECK_THROWS_WITH_AS(
        kernels::dense_forward<float>(device, read_nowhere(many), read_nowhere({1, 1}), {}, linear,
                                      nowhere(many)),
        "cuda: 2147484671 elements, expected at most 2147483647", CudaError);
}

TEST_CASE("convolutions on a GPU refuse each tensor with more elements than 32 bits count") {
    const WindowAxis point{}, strided = kernels::window_axis(64, 1, 64, 1, valid),
                              whole = kernels::window_axis(64, 1, 1, 1, valid);
    // No sum of a place of a tap and what lies before it may be beyond 32 bits either.
    WindowAxis far = kernels::window_axis(8, 2, 1, 1, valid);
    far.dilation = Index{1} << 30;
    struct Case {
        Index images;
        Convolution convolution;
    };
    for (const Case& c : {Case{million, {{strided, strided, 1}, 1}},  // x
                          Case{k64, {{whole, whole, 1}, 8}},          // y
                          Case{1, {{point, point, k64}, k64}},        // w
                          Case{1, {{far, point, 1}, 1}}, Case{1, {{point, far, 1}, 1}}}) {
        const auto& window = c.convolution.window;
        const Shape x{c.images, window.rows.input, window.columns.input, window.channels};
        const Shape y{c.images, window.rows.output, window.columns.output, c.convolution.filters};
        const Shape w{window.rows.window, window.columns.window, window.channels,
                      c.convolution.filters};
        CAPTURE(c.images);
        CAPTURE(window.rows.dilation);
        Cuda device;
        CHECK_THROWS_AS(
            kernels::convolution_forward<float>(device, c.convolution, read_nowhere(x),
                                                read_nowhere(w), {}, linear, nowhere(y)),
            CudaError);
        CHECK_THROWS_AS(kernels::convolution_input_gradient<float>(
                            device, c.convolution, read_nowhere(y), read_nowhere(w), nowhere(x)),
                        CudaError);
        CHECK_THROWS_AS(
            kernels::convolution_filter_gradient<float>(device, c.convolution, read_nowhere(x),
                                                        read_nowhere(y), nowhere(w), {}),
            CudaError);
    }
}

TEST_CASE("pooling on a GPU refuses images, and windows, beyond what 32 bits count") {
    const WindowAxis whole = kernels::window_axis(64, 1, 1, 1, valid);
    WindowAxis far = kernels::window_axis(8, 2, 1, 1, valid);
    far.stride = INT_MAX - 1;
    far.output = 1;
    const WindowAxis strided = kernels::window_axis(64, 1, 64, 1, valid);  // of images alone
    for (const kernels::Window2D& window :
         {kernels::Window2D{whole, whole, 1}, {strided, strided, 1}, {far, {}, 1}, {{}, far, 1}}) {
        CAPTURE(window.rows.stride);
        Cuda device;
        const Shape x{million, window.rows.input, window.columns.input, 1};
        const Shape y{million, window.rows.output, window.columns.output, 1};
        CHECK_THROWS_AS(
            kernels::average_pool_forward<float>(device, window, read_nowhere(x), nowhere(y)),
            CudaError);
        CHECK_THROWS_AS(
            kernels::average_pool_backward<float>(device, window, read_nowhere(y), nowhere(x)),
            CudaError);
    }
}

TEST_CASE("rows, columns and metrics on a GPU refuse more elements than 32 bits count") {
    Cuda device;
    const Shape shape{k64, k64};
    const auto x = read_nowhere(shape);
    Tensor<double, Cuda> sum({2}, device);
    CHECK_THROWS_AS(kernels::activation_forward<float>(device, softmax, x, nowhere(shape)),
                    CudaError);
    CHECK_THROWS_AS(kernels::column_sums<float>(device, x, nowhere({k64})), CudaError);
    CHECK_THROWS_AS(kernels::add_sparse_matches<float>(device, x, read_nowhere({k64}), sum),
                    CudaError);
    CHECK_THROWS_AS(kernels::add_categorical_matches<float>(device, x, x, sum), CudaError);
    CHECK_THROWS_AS(
        kernels::add_top_k_matches<float>(device, x, read_nowhere({k64}), false, 2, sum),
        CudaError);
    CHECK_THROWS_AS(kernels::add_top_k_matches<float>(device, x, x, true, 2, sum), CudaError);
    const TensorView<float, Cuda> losses = nowhere({k64});
    CHECK_THROWS_AS(kernels::mean_squared_error<float>(device, x, x, 1.0F, losses, nowhere(shape)),
                    CudaError);
}

TEST_CASE("an image with more elements than 32 bits count is not changed on a GPU") {
    Cuda device;
    CHECK_THROWS_WITH_AS(
        kernels::change_images<float>(device, {k64, k64, 1}, 1, 1, nullptr, nullptr, nullptr),
        "cuda: 4294967296 elements, expected at most 2147483647", CudaError);
}

TEST_CASE("kernels on a GPU that divide by a shape do nothing without elements") {
    Cuda device;
    Tensor<float, Cuda> none({0}, device);
    kernels::activation_forward<float>(device, softmax, none, none);
    kernels::activation_backward<float>(device, softmax, none, none, none);
    kernels::limit_column_norms<float>(device, none, 1, nullptr);
    kernels::weight_rows<float>(device, none, none, none);
    const WindowAxis pairs = kernels::window_axis(4, 2, 2, 1, valid);
    kernels::average_pool_forward<float>(device, {pairs, pairs, 0}, read_nowhere({2, 4, 4, 0}),
                                         nowhere({2, 2, 2, 0}));
    CHECK(from_cuda(device, none).size() == 0);
}
