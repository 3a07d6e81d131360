/// \file
/// A program that asks for the component data: names the classes of Fashion-MNIST.
#include <weft/data/fashion_mnist.hpp>

int main() { return weft::fashion_mnist_classes.size() == 10 ? 0 : 1; }
