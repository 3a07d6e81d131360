#include "tests/umbrella/other.hpp"

weft::Index count(const weft::Tensor<float>& tensor) { return tensor.size(); }

weft::Sequential<float> make_model() {
    return weft::Sequential<float>{weft::Dense{.units = 2, .activation = weft::tanh},
                                   weft::Dense{.units = 3}};
}

weft::Tensor<float> shared_tensor({2, 3});
