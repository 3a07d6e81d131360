// Moves of elements, by weft and as expressions in plain Eigen (on one thread): the channels of the
// tutorials' images to the front, and zeros around them.
#include "weft/kernels/cpu/layout.hpp"

#include "bench/support/checked.hpp"
#include "bench/support/random_tensor.hpp"
#include "tests/support/reference/layout.hpp"
#include "weft/core/eigen.hpp"

namespace {

using namespace weft;
using namespace weft::bench;

template <class Device>
struct Arrays {
    Arrays(const Shape& from, const Shape& to) : x(random_tensor<Device>(from)), y(to) {}

    Tensor<float, Device> x, y;
};

/// A kernel from one shape to another, which moves numbers as they are.
template <class Kernel>
auto moves(const Shape& from, const Shape& to, const Kernel& kernel) {
    return Task{Work{.bytes = 4.0 * static_cast<double>(from.size() + to.size())},
                [=]<class Device>(Device&) { return Arrays<Device>(from, to); }, kernel,
                [](const auto& a) { return std::tie(a.y); }, 1e-30};
}

void add_transpose(Index samples, Index rows, Index columns) {
    const std::string name = concat("layout/transpose/", samples, "x", rows, "x", columns);
    const auto task =
        moves({samples, rows, columns}, {samples, columns, rows},
              [](auto& device, auto& a) { kernels::transpose_samples<float>(device, a.x, a.y); });
    add_weft(name, task);
    add_contender(name + "/eigen", task, [=](Cpu&, auto& a) {
        return [&a, samples] {
            for (Index n = 0; n < samples; ++n) {
                as_matrix(TensorView<float>(a.y).slice(n, 1)) =
                    as_matrix(TensorView<const float>(a.x).slice(n, 1)).transpose();
            }
        };
    });
}

void add_padding(Index images, Index side, Index channels) {
    const std::string shape = concat(images, "x", side, "x", side, "x", channels);
    const Shape inner{images, side, side, channels}, outer{images, side + 2, side + 2, channels};
    add_weft("layout/pad/" + shape, moves(inner, outer, [](auto& device, auto& a) {
                 pad_images<float>(device, a.x, 1, 1, a.y);
             }));
    add_weft("layout/crop/" + shape, moves(outer, inner, [](auto& device, auto& a) {
                 crop_images<float>(device, a.x, 1, 1, a.y);
             }));
}

[[maybe_unused]] const bool registered = [] {
    add_transpose(32, 49, 128);
    add_transpose(32, 784, 3);
    add_padding(32, 28, 32);
    add_padding(32, 14, 64);
    return true;
}();

}  // namespace
