/// \file
/// Adds to one variable from every task of a parallel_for. Under the thread sanitizer it must be
/// reported; were it not, silence in the other tests would mean nothing.
#include "weft/core/parallel.hpp"

#include <cstdio>

int main() {
    double sum = 0.0;
    weft::parallel_for(weft::Cpu(4), 1000, [&](weft::Index i, int) { sum += double(i); });
    std::printf("%g\n", sum);
}
