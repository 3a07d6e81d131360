/// \file
/// Two translation units that include all of weft link when they were built alike, so nothing in a
/// header lacks `inline`; and do not link when one was built for other threads or instructions.
#include "tests/umbrella/other.hpp"

int main() {
    weft::Sequential<float> model = make_model();
    model.build(weft::Shape{2});
    return count(model.predict(weft::Tensor<float>({5, 2}))) == 15 && shared_tensor.size() == 6 ? 0
                                                                                                : 1;
}
