#include "weft/core/cuda.hpp"

#include "tests/support/cuda.hpp"
#include "tests/support/random_tensor.hpp"
#include "weft/kernels/cuda/merge.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace weft;

TEST_CASE("a tensor on a GPU starts with zeros, and a copy of it is deep") {
    const Cuda device;
    Tensor<float, Cuda> x({300}, device);
    CHECK(identical(from_cuda(device, x), Tensor<float>({300})));
    const auto numbers = random_normal<float>({300}, 1);
    kernels::copy_to_device<float>(device, numbers, x);
    const Tensor<float, Cuda> copy = x;
    kernels::copy_to_device<float>(device, Tensor<float>({300}), x);
    CHECK(identical(from_cuda(device, copy), numbers));
    const Tensor<float, Cuda> moved = std::move(x);
    CHECK(x.size() == 0);
    CHECK(identical(from_cuda(device, moved), Tensor<float>({300})));
    Tensor<float, Cuda> assigned;
    assigned = copy;
    CHECK(identical(from_cuda(device, assigned), numbers));
    CHECK(from_cuda(device, Tensor<float, Cuda>({0}, device)).size() == 0);
}

TEST_CASE("the host may change its numbers as soon as they are on their way to a GPU") {
    const Cuda device;
    auto numbers = random_normal<float>({5000}, 1);
    const auto before = numbers;
    const auto x = to_cuda(device, numbers);
    for (float& number : numbers) number = 0;
    CHECK(identical(from_cuda(device, x), before));

    // More than is on its way at one time, in one go and in many.
    auto many = random_normal<float>({3'000'000}, 2);
    const auto all = many;
    const auto y = to_cuda(device, many);
    std::ranges::fill(many, 0);
    CHECK(identical(from_cuda(device, y), all));
    Tensor<float, Cuda> z({100}, device);
    Tensor<float> one({1});
    for (Index i = 0; i < 100; ++i) {
        one[0] = static_cast<float>(i);
        kernels::copy_to_device<float>(device, one, z.slice(i, 1));
    }
    const auto back = from_cuda(device, z);
    for (Index i = 0; i < 100; ++i) CHECK(back[i] == static_cast<float>(i));
}

TEST_CASE("memory on a GPU outlives its device, and devices live side by side") {
    Tensor<float, Cuda> x, y;
    const auto numbers = random_normal<float>({100}, 1);
    {
        const Cuda one, other;
        x = to_cuda(one, numbers);
        y = to_cuda(other, numbers);
        one.synchronize();
        CHECK(one != other);
    }
    Tensor<float, Cuda> copy = x;
    CHECK(copy.size() == 100);
}

TEST_CASE("a copy of a GPU's device shares its stream, and has scratch of its own") {
    Cuda device({.gpu = 0, .tf32 = false});
    std::byte* const scratch = device.scratch(1000);
    CHECK(device.scratch(10) == scratch);
    Cuda copy = device;
    CHECK(copy == device);
    CHECK(copy.scratch(1000) != scratch);
    copy = device;
    CHECK(copy.scratch(1000) != scratch);
    CHECK_FALSE(device.name().empty());
}

TEST_CASE("a fork of a GPU's device comes behind what was before, and before what waits for it") {
    in_each_order([] {
        Cuda device;
        const Shape shape{300};
        const auto numbers = random_integers<float>(shape, 1, -9, 9);
        auto n = to_cuda(device, numbers);
        Tensor<float, Cuda> x(shape, device), y(shape, device), z(shape, device);
        const auto add = [](Cuda& on, const auto& a, const auto& b, auto& sum) {
            kernels::add_elements<float>(on, a.view(), b.view(), sum.view());
        };
        const auto body = [&] {
            add(device, n, n, x);
            Cuda& fork = device.fork();
            add(fork, x, n, y);
            add(fork, y, y, y);
            add(device, x, x, z);
            device.join();
            add(device, y, z, x);  // writes what both have read
            add(device.fork(), x, n, y);
            add(device, x, n, z);
            device.join();
            add(device, y, z, z);
        };
        const auto is = [&](const auto& tensor, float factor) {
            auto expected = numbers;
            for (float& number : expected) number *= factor;
            return identical(from_cuda(device, tensor), expected);
        };
        body();
        CHECK(is(x, 10));
        CHECK(is(y, 11));
        CHECK(is(z, 22));
        if (!device.records()) return;
        const Cuda::Recording recording = device.record(body);
        CHECK(is(z, 22));
        for (const float factor : {2.0F, 4.0F}) {
            add(device, n, n, n);
            device.repeat(recording);
            CHECK(is(z, 22 * factor));
            CHECK(is(y, 11 * factor));
        }
        body();
        CHECK(is(z, 88));
    });
}

TEST_CASE("a fork of a GPU's device has stream, tickets and scratch of its own, if it is wanted") {
    Cuda device;
    CHECK((&device.fork() != &device) == device.records());  // not where kernels are waited for
    if (device.records()) {
        CHECK(device.fork().scratch(1000) != device.scratch(1000));
        CHECK_FALSE(device.fork() == device);
        Cuda copy = device;
        CHECK(copy == device);
        CHECK(&copy.fork() != &device.fork());
        CHECK_FALSE(copy.fork() == device.fork());
        // It takes memory, so it has to be there before.
        Cuda fresh = device;
        CHECK_THROWS_AS(fresh.record([&] { fresh.fork(); }), CudaError);
        // Nothing is left of a recording that failed between.
        const auto fails = [&] {
            device.fork();
            throw ArgumentError("it fails");
        };
        CHECK_THROWS_AS(device.record(fails), ArgumentError);
        CHECK_NOTHROW(device.fork().scratch(std::size_t{1} << 20));
        device.join();
        CHECK_NOTHROW(device.repeat(device.record([&] {
            device.fork();
            device.join();
        })));
        device.synchronize();
    }
    device.join();
    Cuda plain({.second_stream = false});
    CHECK(&plain.fork() == &plain);
    plain.join();
}

TEST_CASE("a GPU that is not there is named") {
    CHECK(cuda_gpus() >= 1);
    const int gpu = cuda_gpus();
    const std::string expected = concat("Cuda: gpu is ", gpu, ", expected 0 to ", gpu - 1);
    CHECK_THROWS_WITH_AS(Cuda({.gpu = gpu}), expected.c_str(), CudaError);
    CHECK_THROWS_AS(Cuda({.gpu = -1}), CudaError);
}

TEST_CASE("what cannot be repeated is refused while work is recorded") {
    Cuda device;
    const auto numbers = random_normal<float>({100}, 1);
    const auto x = to_cuda(device, numbers);
    Tensor<float, Cuda> y({100}, device);
    Tensor<float> read({100});
    const auto refuses = [&](const auto& body) {
        std::string message;
        try {
            device.record(body);
        } catch (const CudaError& error) {
            message = error.what();
        }
        CHECK(message.find("while work is recorded") != std::string::npos);
        // Nothing is left of it.
        kernels::copy_elements<float>(device, x, y);
        CHECK(identical(from_cuda(device, y), numbers));
    };
    refuses([&] { kernels::copy_to_device<float>(device, numbers, y); });
    refuses([&] { kernels::copy_to_host<float>(device, x, read); });
    refuses([&] { device.synchronize(); });
    refuses([&] { const Tensor<float, Cuda> more({100}, device); });
    refuses([&] { device.scratch(1 << 20); });
    refuses([&] { device.record([] {}); });
    device.fork();
    device.join();
    refuses([&] { device.fork().scratch(1 << 20); });
}
