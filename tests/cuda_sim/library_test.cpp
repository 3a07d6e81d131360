/// \file
/// What only the simulator can do to the library: no GPU, two of them, no memory.
#include "sim/api.hpp"
#include "sim/control.hpp"
#include "tests/support/cuda.hpp"
#include "tests/support/random_tensor.hpp"
#include "tests/support/window_cases.hpp"
#include "weft/cuda.hpp"
#include "weft/weft.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>

using namespace weft;

namespace {

/// Sets an option of the simulator for as long as it lives.
template <class T>
class Setting {
public:
    Setting(T& option, T value) : option_(option), before_(std::exchange(option, value)) {}
    ~Setting() { option_ = before_; }
    Setting(const Setting&) = delete;
    Setting& operator=(const Setting&) = delete;

private:
    T& option_;
    T before_;
};

/// What the CudaError of body() says.
template <class Body>
std::string cuda_error_of(const Body& body) {
    try {
        body();
    } catch (const CudaError& error) {
        return error.what();
    }
    return "none";
}

}  // namespace

TEST_CASE("without a GPU, asking for one says so") {
    const Setting no_gpu(cuda_sim::options().has_gpu, false);
    CHECK(cuda_gpus() == 0);
    const std::string message = cuda_error_of([] { Sequential<float, Cuda> model(Dense{3}); });
    CHECK(message.starts_with("Cuda: no NVIDIA GPU can be used here (cudaErrorNoDevice"));
}

TEST_CASE("what the driver refuses is said: what it was, the status and the place") {
    const Cuda device;
    device.synchronize();
    const Setting no_gpu(cuda_sim::options().has_gpu, false);
    const std::string message = cuda_error_of([&] { device.synchronize(); });
    CHECK(message.starts_with("cuda: cudaSetDevice: cudaErrorNoDevice, "));
    CHECK(message.find("context.cuh:") != std::string::npos);
}

TEST_CASE("tensor cores for TF32 are asked of GPUs that have them") {
    const Setting old(cuda_sim::options().major, 7);
    CHECK(cuda_error_of([] { Cuda({.tf32 = true}); }).find("tf32 needs compute capability 8.0") !=
          std::string::npos);
    CHECK(cuda_error_of([] { Cuda(); }) == "none");
    cuda_sim::options().major = 8;
    CHECK(cuda_error_of([] { Cuda({.tf32 = true}); }) == "none");
    // Kernels for an older GPU, which the driver compiled for this one.
    const Setting older(cuda_sim::options().ptx_version, 75);
    CHECK(
        cuda_error_of([] { Cuda({.tf32 = true}); }) ==
        "Cuda: tf32 needs kernels for compute capability 8.0, those for simulated GPU are for 7.5; "
        "build weft with CMAKE_CUDA_ARCHITECTURES=80");
    CHECK(cuda_error_of([] { Cuda(); }) == "none");
}

TEST_CASE("with WEFT_CUDA_SYNC=1 each kernel is waited for, and none is recorded") {
    const auto waits = [](const char* value) {
        setenv("WEFT_CUDA_SYNC", value, 1);
        Cuda device;
        unsetenv("WEFT_CUDA_SYNC");
        const Tensor<float, Cuda> x({4}, device);
        Tensor<float, Cuda> y({4}, device);
        cuda_sim::counts() = {};
        kernels::add_elements<float>(device, x, x, y);
        CHECK(device.records() == (cuda_sim::counts().synchronisations == 0));
        return cuda_sim::counts().synchronisations;
    };
    CHECK(waits("1") == 1);
    CHECK(waits("0") == 0);
    CHECK(waits("") == 0);
}

TEST_CASE("products by cuBLASLt are of float, and weft's own where it has no kernel") {
    const auto kernels_of = [](auto scalar, bool cublaslt) {
        using Scalar = decltype(scalar);
        Cuda device({.cublaslt = cublaslt});
        const auto x = to_cuda(device, random_normal<Scalar>({4, 5}, 1));
        const auto w = to_cuda(device, random_normal<Scalar>({5, 3}, 2));
        Tensor<Scalar, Cuda> y({4, 3}, device);
        cuda_sim::counts() = {};
        for (int i = 0; i < 2; ++i) {
            kernels::dense_forward<Scalar>(device, x, w, {}, relu, y);
        }
        device.synchronize();
        return cuda_sim::counts().kernels;
    };
    const auto is_by_library = [](const std::vector<std::string>& kernels) {
        return kernels.size() == 4 && kernels[0] == "cublasLtMatmul" &&
               kernels[1] != "cublasLtMatmul" && kernels[2] == "cublasLtMatmul";
    };
    const auto is_own = [](const std::vector<std::string>& kernels) {
        return kernels.size() == 2 && kernels[0].starts_with("product<");
    };
    CHECK(Cuda::has_cublaslt());
    CHECK(is_by_library(kernels_of(0.0F, true)));
    CHECK(is_own(kernels_of(0.0F, false)));
    CHECK(is_own(kernels_of(0.0, true)));
    {
        const Setting none(cuda_sim::options().library_has_kernels, false);
        CHECK(is_own(kernels_of(0.0F, true)));
    }
    const Setting none(cuda_sim::options().has_library, false);
    CHECK(cuda_error_of([&] { kernels_of(0.0F, true); }) ==
          "cuda: cublasLtCreate: CUBLAS_STATUS_NOT_INITIALIZED");
    CHECK(is_own(kernels_of(0.0F, false)));
}

TEST_CASE("a model whose products are cuBLASLt's trains as with weft's own, recorded or not") {
    const auto x = random_normal<float>({22, 6}, 1);
    const Tensor<float> labels({22});
    const auto train = [&](const CudaOptions& options) {
        Sequential<float> declared{Dense{9, relu}, Dense{7, relu}, Dense{3, softmax}};
        declared.build({6}, 4);
        Model<float, Cuda> model = to<Cuda>(declared, Cuda(options));
        Trainer<float, Cuda> trainer(model, {.loss = SparseCategoricalCrossentropy{}});
        trainer.fit(x, labels,
                    {.epochs = 3, .batch_size = 4, .seed = 3, .verbosity = Verbosity::silent});
        return Tensor<float>(to<Cpu>(model).arena());
    };
    const auto own = train({}), eager = train({.graphs = false, .cublaslt = true});
    CHECK(largest_gap(eager, own, 0.1) < 1e-5);
    CHECK(identical(train({.cublaslt = true}), eager));
    CHECK(identical(train({.second_stream = false, .cublaslt = true}), eager));
    {
        const Setting refuses(cuda_sim::options().library_refuses,
                              true);  // with bias, or its gradient
        CHECK(largest_gap(train({.cublaslt = true}), own, 0.1) < 1e-5);
    }
    const Setting none(cuda_sim::options().library_has_kernels, false);
    CHECK(identical(train({.cublaslt = true}), own));
}

TEST_CASE(
    "convolutions by cuDNN are of float, padded alike in front and behind, and else weft's own") {
    const auto passes_of = [](auto scalar, const ConvolutionCase& c, const CudaOptions& options) {
        using Scalar = decltype(scalar);
        Cuda device(options);
        const auto x = to_cuda(device, random_normal<Scalar>(c.input(), 1));
        const auto w = to_cuda(device, random_normal<Scalar>(c.kernel(), 2));
        const auto g = to_cuda(device, random_normal<Scalar>(c.output(), 3));
        Tensor<Scalar, Cuda> y(c.output(), device), dx(c.input(), device), dw(c.kernel(), device);
        const kernels::Convolution convolution = c.convolution();
        cuda_sim::counts() = {};
        for (int i = 0; i < 2; ++i) {
            kernels::convolution_forward<Scalar>(device, convolution, x, w, {}, linear, y);
            kernels::convolution_input_gradient<Scalar>(device, convolution, g, w, dx);
            kernels::convolution_filter_gradient<Scalar>(device, convolution, x, g, dw, {});
        }
        device.synchronize();
        std::vector<std::string> passes = cuda_sim::counts().kernels;
        std::erase_if(passes,
                      [](const std::string& name) { return name.starts_with("transpose<"); });
        return passes;
    };
    const auto are_by_library = [](const std::vector<std::string>& passes) {
        return passes == std::vector<std::string>{
                             "cudnnConvolutionForward",        "cudnnConvolutionBackwardData",
                             "cudnnConvolutionBackwardFilter", "cudnnConvolutionForward",
                             "cudnnConvolutionBackwardData",   "cudnnConvolutionBackwardFilter"};
    };
    const auto are_own = [](const std::vector<std::string>& passes) {
        return passes.size() == 6 && std::ranges::all_of(passes, [](const std::string& name) {
                   return name.starts_with("product<");
               });
    };
    CHECK(Cuda::has_cudnn());
    const CudaOptions by_library{.cudnn = true};
    const ConvolutionCase even{2, 6, 5, 3, 3, 3, 4, same};
    CHECK(are_by_library(passes_of(0.0F, even, by_library)));
    CHECK(are_own(passes_of(0.0F, even, {})));
    CHECK(are_own(passes_of(0.0, even, by_library)));
    CHECK(are_by_library(passes_of(0.0F, {2, 6, 5, 3, 3, 2, 4}, by_library)));
    CHECK(are_by_library(passes_of(0.0F, {2, 6, 5, 3, 6, 5, 4}, by_library)));  // one window
    // One zero more behind: down, across, and with strides where the library would have as many outputs.
    CHECK(are_own(passes_of(0.0F, {2, 6, 5, 3, 2, 3, 4, same}, by_library)));
    CHECK(are_own(passes_of(0.0F, {2, 6, 5, 3, 3, 2, 4, same}, by_library)));
    CHECK(are_own(passes_of(0.0F, {2, 2, 3, 2, 3, 3, 3, same, 2, 2}, by_library)));
    CHECK(are_own(passes_of(0.0F, {2, 1, 3, 2, 2, 3, 3, same, 2, 1}, by_library)));
    {
        const Setting none(cuda_sim::options().library_has_kernels, false);
        CHECK(are_own(passes_of(0.0F, even, by_library)));
    }
    {
        const Setting refuses(cuda_sim::options().library_refuses, true);
        CHECK(are_own(passes_of(0.0F, even, by_library)));
    }
    const Setting none(cuda_sim::options().has_library, false);
    CHECK(cuda_error_of([&] { passes_of(0.0F, even, by_library); }) ==
          "cuda: cudnnCreate: CUDNN_STATUS_NOT_INITIALIZED");
    CHECK(are_own(passes_of(0.0F, even, {})));
}

TEST_CASE("a model whose convolutions are cuDNN's trains as with weft's own, recorded or not") {
    const auto x = random_normal<float>({22, 6, 7, 3}, 1);
    const Tensor<float> labels({22});
    const auto train = [&](const CudaOptions& options) {
        Sequential<float> declared{
            Conv2D{.filters = 4, .kernel_size = 3, .padding = same, .activation = relu},
            Conv2D{.filters = 5, .kernel_size = 3, .use_bias = false},
            BatchNorm{},
            ReLU{},
            Conv2D{.filters = 4, .kernel_size = 2, .padding = same, .activation = relu},
            Flatten{},
            Dense{3, softmax}};
        declared.build({6, 7, 3}, 4);
        Model<float, Cuda> model = to<Cuda>(declared, Cuda(options));
        Trainer<float, Cuda> trainer(model, {.loss = SparseCategoricalCrossentropy{}});
        trainer.fit(x, labels,
                    {.epochs = 3, .batch_size = 4, .seed = 3, .verbosity = Verbosity::silent});
        return Tensor<float>(to<Cpu>(model).arena());
    };
    const auto own = train({}), eager = train({.graphs = false, .cudnn = true});
    CHECK(largest_gap(eager, own, 0.1) < 1e-4);
    CHECK(identical(train({.cudnn = true}), eager));
    CHECK(identical(train({.second_stream = false, .cudnn = true}), eager));
    {
        const Setting refuses(cuda_sim::options().library_refuses, true);
        CHECK(identical(train({.cudnn = true}), own));
    }
    const Setting none(cuda_sim::options().library_has_kernels, false);
    CHECK(identical(train({.cudnn = true}), own));
}

TEST_CASE("memory that runs out on a GPU is said, and what is there stays") {
    const Cuda device;
    const auto numbers = random_normal<float>({100}, 1);
    const auto x = to_cuda(device, numbers);
    {
        const Setting little(cuda_sim::options().memory_bytes, cuda_sim::memory_in_use() + 1000);
        CHECK(cuda_error_of([&] { Tensor<float, Cuda> y({1000}, device); }) ==
              "cuda: no memory on the GPU for 4000 bytes");
    }
    CHECK(identical(from_cuda(device, x), numbers));
    // What was free in pieces goes to the driver, and comes back as one.
    cuda_sim::options().failing_allocation = 1;
    cuda_sim::counts() = {};
    CHECK_NOTHROW(Tensor<float, Cuda>({1000}, device));
    CHECK(cuda_sim::counts().trims == 1);
}

TEST_CASE("memory that a second stream of a GPU gives back is there for the first") {
    Cuda device;
    Cuda& second = device.fork();
    CHECK_NOTHROW(Tensor<float, Cuda>({100'000}, second));
    const Setting little(cuda_sim::options().memory_bytes, cuda_sim::memory_in_use() + 1000);
    CHECK_NOTHROW(Tensor<float, Cuda>({100'000}, device));
}

TEST_CASE("the GPU that a program has made its own stays its own") {
    const Setting two(cuda_sim::options().gpus, 2);
    const auto current = [] {
        int gpu = -1;
        cudaGetDevice(&gpu);
        return gpu;
    };
    const auto x = random_normal<float>({4, 5}, 1);
    for (const int own : {0, 1}) {
        REQUIRE(cudaSetDevice(own) == cudaSuccess);
        for (const int gpu : {0, 1}) {
            {
                Sequential<float, Cuda> model(Dense{3});
                model.build({5}, 1);
                model.set_device(Cuda({.gpu = gpu}));
                CHECK(current() == own);
                model.predict(x);
                CHECK(current() == own);
                // What has begun beside one GPU goes on beside the other.
                REQUIRE(cudaSetDevice(1 - own) == cudaSuccess);
                model.predict(x);
                CHECK(current() == 1 - own);
                REQUIRE(cudaSetDevice(own) == cudaSuccess);
            }
            CHECK(current() == own);
        }
    }
    REQUIRE(cudaSetDevice(0) == cudaSuccess);
}

TEST_CASE("training on a GPU that is not the current one leaves the bits of the current one") {
    const Setting two(cuda_sim::options().gpus, 2);
    const auto x = random_normal<float>({22, 6, 7, 3}, 1);
    const Tensor<float> labels({22});
    const auto train = [&](const CudaOptions& options) {
        Sequential<float> declared{Conv2D{.filters = 4, .kernel_size = 3}, BatchNorm{}, ReLU{},
                                   Flatten{}, Dense{3, softmax}};
        declared.build({6, 7, 3}, 4);
        Model<float, Cuda> model = to<Cuda>(declared, Cuda(options));
        Trainer<float, Cuda> trainer(model, {.loss = SparseCategoricalCrossentropy{}});
        cuda_sim::counts() = {};
        trainer.fit(x, labels,
                    {.epochs = 3, .batch_size = 4, .seed = 3, .verbosity = Verbosity::silent});
        CHECK(cuda_sim::counts().graphs > 0);
        CHECK(cuda_sim::counts().gpus == std::set{options.gpu});
        return Tensor<float>(to<Cpu>(model).arena());
    };
    CHECK(identical(train({.gpu = 1}), train({})));
}

TEST_CASE("a recording that fails is discarded on its own GPU") {
    const Setting two(cuda_sim::options().gpus, 2);
    Cuda device({.gpu = 1});
    cudaGetLastError();
    CHECK_THROWS_AS(device.record([] { throw ArgumentError("it fails"); }), ArgumentError);
    CHECK(cudaGetLastError() == cudaSuccess);
    CHECK_NOTHROW(device.synchronize());
}

TEST_CASE("a GPU without memory to begin with is said, and may begin later") {
    const std::size_t bytes = cuda_sim::memory_in_use();
    const long objects = cuda_sim::objects_in_use();
    {
        const Cuda device;
        {
            const Setting none(cuda_sim::options().memory_bytes, bytes + 1);
            CHECK(cuda_error_of([&] { Tensor<float, Cuda>({1}, device); }) ==
                  "Cuda: no memory on the GPU to begin with");
        }
        CHECK_NOTHROW(Tensor<float, Cuda>({1}, device));
    }
    CHECK(cuda_sim::memory_in_use() == bytes);
    CHECK(cuda_sim::objects_in_use() == objects);
}

TEST_CASE("all that was made on a GPU is given back, also of recorded steps") {
    const std::size_t bytes = cuda_sim::memory_in_use();
    const long objects = cuda_sim::objects_in_use();
    {
        Sequential<float, Cuda> model{Dense{3, relu}, Dense{1}};
        model.build({5}, 1);
        Trainer<float, Cuda> trainer(model, {.loss = MeanSquaredError{}});
        trainer.fit(random_normal<float>({12, 5}, 1), Tensor<float>({12, 1}),
                    {.epochs = 4, .batch_size = 4, .verbosity = Verbosity::silent});
        CHECK(cuda_sim::objects_in_use() > objects + 4);
        // 16 parts of pinned memory at most, each with an event.
        CHECK(cuda_sim::objects_in_use() < objects + 60);
    }
    CHECK(cuda_sim::memory_in_use() == bytes);
    CHECK(cuda_sim::objects_in_use() == objects);
}

TEST_CASE("handles and descriptors of libraries for a GPU are given back") {
    const long objects = cuda_sim::objects_in_use();
    CHECK_NOTHROW(Cuda({.cublaslt = true, .cudnn = true}));  // which asked them for nothing
    {
        Sequential<float> declared{Conv2D{.filters = 2, .kernel_size = 3}, Flatten{}, Dense{1}};
        declared.build({5, 4, 3}, 1);
        const auto model = to<Cuda>(declared, Cuda({.cublaslt = true, .cudnn = true}));
        const auto x = random_normal<float>({2, 5, 4, 3}, 1);
        for (int pass = 0; pass < 2; ++pass) CHECK_NOTHROW(model.predict(x));
        CHECK(cuda_sim::objects_in_use() > objects);
    }
    CHECK(cuda_sim::objects_in_use() == objects);
}

TEST_CASE("all memory on a GPU is given back") {
    const std::size_t before = cuda_sim::memory_in_use();
    {
        Sequential<float, Cuda> model(Dense{3});
        model.build({5}, 1);
        model.predict(random_normal<float>({4, 5}, 1));
        CHECK(cuda_sim::memory_in_use() > before);
    }
    CHECK(cuda_sim::memory_in_use() == before);
}
