/// \file
/// What debuggers are shown: tests/packaging/check_debuggers.py stops in look().
#include <weft/weft.hpp>

[[gnu::noinline]] void look(const weft::Tensor<float>& tensor) {
    asm volatile("" : : "r"(&tensor));
}

int main() {
    using namespace weft;
    const Shape shape{28, 28}, vector{784}, scalar;
    Tensor<float> tensor({2, 3}, {0, 1, 2, 3, 4, 5.5f});
    const Tensor<double> empty;
    const Tensor<std::uint8_t> large({100, 28, 28, 3});
    const TensorView<const float> view = tensor.sample(1);
    Sequential model{Flatten{}, Dense{.units = 5, .activation = relu}, Dense{.units = 2}};
    const Sequential<float> unbuilt = model;
    model.build({3, 4});
    const LayerDeclaration<float, Cpu> declaration = Dense{.units = 3};
    const Model<float> residual = [] {
        Value x = input({6});
        return Model(x, add(x, x | Dense{.units = 6, .name = "inner"}));
    }();
    look(tensor);
    return shape.rank() + vector.rank() + scalar.rank() == 3 && empty.size() == 0 &&
                   view[2] == 5.5f && large.size() > 0 && model.is_built() && !unbuilt.is_built() &&
                   residual.is_built() && declaration.type() == "Dense"
               ? 0
               : 1;
}
