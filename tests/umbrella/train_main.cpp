/// \file
/// train.cpp twice in one program, built for different instructions: each runs its own kernels.
#include <cmath>
#include <cstdio>

double train_native();
double train_portable();

int main() {
    const double native = train_native(), portable = train_portable();
    std::printf("%.9g %.9g\n", native, portable);
    // A dozen steps in float, each with another rounding.
    return native > 0 && std::abs(native - portable) < 1e-4 * portable ? 0 : 1;
}
