/// \file
/// Two translation units that include all of weft link when they were built alike, so nothing in a
/// header lacks `inline`; and do not link when one was built for other threads or instructions.
#include <weft/weft.hpp>

weft::Index count(const weft::Tensor<float>& tensor);

int main() { return count(weft::Tensor<float>({2, 3})) == 6 ? 0 : 1; }
