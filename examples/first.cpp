// Shows: a network that learns the shape of a ring from points, and draws what it learnt.
// Run:   g++ -std=c++20 -O2 -I include -I /usr/include/eigen3 examples/first.cpp && ./a.out
// Its last line: forty dots, the edge of the picture.
#include <weft/weft.hpp>

#include <iostream>

int main() {
    using namespace weft;
    Tensor<float> points({15 * 40, 2}), ring({15 * 40, 1});  // x and y; 1 in the ring, else 0
    for (Index i = 0; i < 15 * 40; ++i) {
        const float x = points(i, 0) = float(i % 40) / 19.5f - 1;  // from -1 to 1
        const float y = points(i, 1) = float(i / 40) / 7 - 1;
        ring[i] = x * x + y * y > 0.25f && x * x + y * y < 0.8f;
    }
    Sequential model{Dense{32, relu}, Dense{32, relu}, Dense{1, sigmoid}};
    Trainer trainer(model, {.loss = BinaryCrossentropy{}});
    trainer.fit(points, ring, {.epochs = 500, .verbosity = Verbosity::silent});
    const Tensor<float> learnt = model.predict(points);
    for (Index i = 0; i < 15 * 40; ++i) {
        std::cout << (learnt[i] > 0.5f ? '#' : '.') << (i % 40 == 39 ? "\n" : "");
    }
    return trainer.evaluate(points, ring)["loss"] < 0.1 ? 0 : 1;
}
