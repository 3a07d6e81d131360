// Prediction by the tutorials' networks: the latency of one picture, and the throughput of many.
#include "weft/model/sequential.hpp"

#include "bench/support/model_work.hpp"
#include "examples/fashion_mnist/models.hpp"

namespace {

using namespace weft;
using namespace weft::bench;

void add_predict(const Tutorial& tutorial, Index images) {
    add(concat("predict/", images == 1 ? "one" : "many", "/", tutorial.id, "-", images, "/weft"),
        [=](benchmark::State& state) {
            const Shape sample = tutorial.is_convolutional ? Shape{28, 28, 1} : Shape{28, 28};
            const Model<float> model = tutorial.build(sample, 1);
            const Tensor<float> x = random_tensor(sample.batch(images));
            Tensor<float> y(model.output_shape().batch(images));
            const double flop = flop_per_sample(model, false) * static_cast<double>(images);
            measure(state, {.flop = flop, .images = static_cast<double>(images)},
                    [&] { model.predict(x, y); });
            count_memory(state, model, std::min<Index>(images, 128), PassKind::inference);
        });
}

[[maybe_unused]] const bool registered = [] {
    for (const char* id : {"mlp", "cnn", "cnn-bn"}) {
        add_predict(tutorial(id), 1);
        add_predict(tutorial(id), 1024);
    }
    return true;
}();

}  // namespace
