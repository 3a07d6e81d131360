// Writes a report and a log, by way of weft::report.
#include <weft/report/report.hpp>
#include <weft/report/tensorboard_logger.hpp>
#include <weft/weft.hpp>

#include <cstdio>

int main() {
    using namespace weft;

    Tensor<float> x({8, 2});
    for (Index i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i % 5);
    Sequential model{Dense{.units = 3}, Dense{.units = 2}};
    Trainer trainer(model, {.loss = MeanSquaredError{}});
    const History history =
        trainer.fit(x, x,
                    {.epochs = 2,
                     .verbosity = Verbosity::silent,
                     .callbacks = {TensorBoardLogger{.directory = "consumer_report.d/logs"}}});
    write_report("consumer_report.d", {.summary = model.summary(), .history = history});
    std::puts("consumer_report.d/index.html");
}
