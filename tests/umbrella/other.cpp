#include <weft/weft.hpp>

weft::Index count(const weft::Tensor<float>& tensor);

weft::Index count(const weft::Tensor<float>& tensor) { return tensor.size(); }
