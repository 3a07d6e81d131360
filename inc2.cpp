#include <weft/weft.hpp>
#include <weft/data/fashion_mnist.hpp>
