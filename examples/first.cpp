// Shows: a network that learns the shape of a ring from points, and draws what it learnt.
// Run:   g++ -std=c++20 -O2 -I include -I /usr/include/eigen3 examples/first.cpp && ./a.out
// Its last line: forty dots, the edge of the picture.
#include <weft/weft.hpp>

#include <iostream>

int main() {
    using namespace weft;
    Tensor<float> points({15 * 40, 2});  // x and y, from -1 to 1
    Tensor<int> labels({15 * 40});       // 1: in the ring
    for (Index i = 0; i < 15 * 40; ++i) {
        const float x = points(i, 0) = float(i % 40) / 19.5f - 1;
        const float y = points(i, 1) = float(i / 40) / 7 - 1;
        labels[i] = x * x + y * y > 0.25f && x * x + y * y < 0.8f;
    }

    Sequential model{Dense{32, relu}, Dense{32, relu}, Dense{2, softmax}};
    Trainer trainer(model, {.loss = SparseCategoricalCrossentropy{}});
    trainer.fit(points, labels, {.epochs = 500, .verbosity = Verbosity::silent});

    const Tensor<float> ring = model.predict(points);  // (600, 2)
    for (Index i = 0; i < 15 * 40; ++i) {
        std::cout << (ring(i, 1) > 0.5f ? '#' : '.') << (i % 40 == 39 ? "\n" : "");
    }
    return trainer.evaluate(points, labels)["loss"] < 0.1 ? 0 : 1;
}
