// Trains a tutorial's network with weft; the other programs of this folder do the same with others.
#include "bench/peers/peer.hpp"
#include "examples/fashion_mnist/models.hpp"

namespace {

struct ReportEpochs {
    peers::Report& report;
    void on_epoch_end(const weft::TrainingRun& run) { report.end_chunk(run.scores()["loss"]); }
};

}  // namespace

int main(int argc, char** argv) {
    using namespace weft;

    const peers::Task task = peers::parse_task(argc, argv);
    const peers::Data data = peers::load_data(task.samples);
    const Tutorial network = tutorial(task.model);
    const Shape sample = network.is_convolutional ? Shape{28, 28, 1} : Shape{28, 28};
    const TensorView<const float> images(data.images.data(), sample.batch(task.samples));
    const TensorView<const std::uint8_t> labels(data.labels.data(), Shape{task.samples});

    Model<float> model = network.build(sample);
    model.set_device(Cpu(task.threads));
    Trainer trainer(model, {.loss = SparseCategoricalCrossentropy{}});
    peers::Report report(task, "weft", WEFT_VERSION, model.trainable_parameter_count());
    trainer.fit(images, labels,
                {.epochs = task.warm_up + task.chunks,
                 .batch_size = task.batch,
                 .verbosity = Verbosity::silent,
                 .callbacks = {ReportEpochs{report}}});

    Tensor<float> probabilities({peers::predict_batch, 10});
    report.time_prediction(
        [&](Index i) { model.predict(images.slice(i, 1), probabilities.slice(0, 1)); },
        [&](Index i) { model.predict(images.slice(i, peers::predict_batch), probabilities); });
    report.print();
}
