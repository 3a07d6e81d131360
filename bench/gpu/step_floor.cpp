// Prints what a step of each tutorial's network has to compute and to move, as docs/gpu.md shows it.
#include "bench/support/step_floor.hpp"

#include "examples/fashion_mnist/models.hpp"

#include <cstdio>

/// So that three digits count.
int decimals(double amount) { return amount < 1 ? 3 : amount < 10 ? 2 : amount < 100 ? 1 : 0; }

int main() {
    constexpr weft::Index batches[]{32, 500, 4096};
    std::puts("| network | GFLOP a step at 32 / 500 / 4096 | MB a step |\n|---|---|---|");
    for (const Tutorial& tutorial : tutorials()) {
        const weft::Model<float> model = tutorial.build(
            tutorial.is_convolutional ? weft::Shape{28, 28, 1} : weft::Shape{28, 28}, 1);
        std::printf("| `%s` |", tutorial.id.c_str());
        for (const bool is_flop : {true, false}) {
            for (const weft::Index batch : batches) {
                const weft::bench::StepFloor floor = weft::bench::step_floor(model, batch);
                const double amount = is_flop ? floor.flop / 1e9 : floor.bytes / 1e6;
                std::printf(" %.*f%s", decimals(amount), amount, batch == 4096 ? " |" : " /");
            }
        }
        std::puts("");
    }
}
