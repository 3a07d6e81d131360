/// \file
/// What other.cpp hands to main.cpp: by argument, by return value, and as a variable.
#pragma once

#include <weft/weft.hpp>

weft::Index count(const weft::Tensor<float>& tensor);
weft::Sequential<float> make_model();
extern weft::Tensor<float> shared_tensor;
