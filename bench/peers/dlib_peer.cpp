// Trains a tutorial's network with dlib, through its dnn_trainer.
#include "bench/peers/peer.hpp"

#include <dlib/dnn.h>
#include <dlib/revision.h>
#include <dlib/svm.h>

extern "C" void openblas_set_num_threads(int);

namespace {

using namespace dlib;

/// A row and a column of zeros below and to the right: what padding "same" means for a 2 x 2
/// kernel, for which dlib's own padding, equal on both sides, has no name.
class pad_end_ {
public:
    template <class SUBNET>
    void setup(const SUBNET&) {}

    template <class SUBNET>
    void forward(const SUBNET& sub, resizable_tensor& output) {
        const tensor& x = sub.get_output();
        output.set_size(x.num_samples(), x.k(), x.nr() + 1, x.nc() + 1);
        const float* from = x.host();
        float* to = output.host_write_only();
        for (long plane = 0; plane < x.num_samples() * x.k(); ++plane) {
            for (long row = 0; row < x.nr(); ++row, from += x.nc()) {
                to = std::copy_n(from, x.nc(), to);
                *to++ = 0;
            }
            to = std::fill_n(to, x.nc() + 1, 0.0f);
        }
    }

    template <class SUBNET>
    void backward(const tensor& dy, SUBNET& sub, tensor&) {
        tensor& dx = sub.get_gradient_input();
        const float* from = dy.host();
        float* to = dx.host();
        for (long plane = 0; plane < dx.num_samples() * dx.k(); ++plane) {
            for (long row = 0; row < dx.nr(); ++row, from += dx.nc() + 1, to += dx.nc()) {
                std::transform(from, from + dx.nc(), to, to, std::plus<>());
            }
            from += dx.nc() + 1;
        }
    }

    const tensor& get_layer_params() const { return none_; }
    tensor& get_layer_params() { return none_; }

    friend void serialize(const pad_end_&, std::ostream&) {}
    friend void deserialize(pad_end_&, std::istream&) {}
    friend std::ostream& operator<<(std::ostream& out, const pad_end_&) { return out << "pad_end"; }
    friend void to_xml(const pad_end_&, std::ostream& out) { out << "<pad_end/>\n"; }

private:
    resizable_tensor none_;
};

/// dropout_ whose type tells the rate, so that a network needs no arguments.
template <int percent>
struct dropout_at_ : dropout_ {
    dropout_at_() : dropout_(percent / 100.0f) {}
};

// The two kinds of a network with dropout and batch norm: as trained, and as used for inference.
template <int percent>
struct Training {
    template <class S>
    using drop = add_layer<dropout_at_<percent>, S>;
    template <class S>
    using norm = bn_con<S>;
};
template <int>
struct Inference {
    template <class S>
    using drop = multiply<S>;
    template <class S>
    using norm = affine<S>;
};

using image = matrix<float>;

using mlp = loss_multiclass_log<fc<10, relu<fc<128, input<image>>>>>;

using cnn = loss_multiclass_log<
    fc<10, relu<fc<128, max_pool<2, 2, 2, 2, relu<con<32, 3, 3, 1, 1, input<image>>>>>>>>;

template <template <int> class KIND, long filters, class S>
using block = typename KIND<30>::template drop<
    max_pool<2, 2, 2, 2,
             typename KIND<30>::template norm<
                 relu<add_layer<con_<filters, 2, 2, 1, 1, 0, 0>, add_layer<pad_end_, S>>>>>>;
template <template <int> class KIND>
using blocks = block<KIND, 128, block<KIND, 128, block<KIND, 64, block<KIND, 64, input<image>>>>>;
template <template <int> class KIND>
using cnn_deep =
    loss_multiclass_log<fc<10, typename KIND<50>::template drop<
                                   relu<fc<256, relu<fc<512, relu<fc<1024, blocks<KIND>>>>>>>>>>;

/// Network: as trained; InferenceNetwork: made from it, for predictions.
template <class Network, class InferenceNetwork = Network>
void run(const peers::Task& task) {
    peers::Data data = peers::load_data(task.samples);
    std::vector<image> images;
    for (long i = 0; i < task.samples; ++i) images.push_back(mat(data.image(i), 28, 28));
    std::vector<unsigned long> labels(data.labels.begin(), data.labels.end());
    data = {};

    Network network;
    dnn_trainer<Network, adam> trainer(network, adam(0, 0.9f, 0.999f));
    trainer.set_learning_rate(0.001);
    trainer.set_iterations_without_progress_threshold(1'000'000'000);  // the rate stays

    // dlib makes the parameters in its first step.
    trainer.train_one_step(images.begin(), images.begin() + task.batch, labels.begin());
    const auto parameters = static_cast<long>(count_parameters(trainer.get_net()));
    peers::Report report(task, "dlib",
                         std::to_string(DLIB_MAJOR_VERSION) + "." +
                             std::to_string(DLIB_MINOR_VERSION) + " (OpenBLAS)",
                         parameters);
    for (int chunk = 0; chunk < task.warm_up + task.chunks; ++chunk) {
        trainer.clear_average_loss();
        randomize_samples(images, labels);
        for (long first = 0; first < task.samples; first += task.batch) {
            trainer.train_one_step(images.begin() + first, images.begin() + first + task.batch,
                                   labels.begin() + first);
        }
        report.end_chunk(trainer.get_average_loss());  // waits for the trainer's own thread
    }

    InferenceNetwork inference = trainer.get_net();
    resizable_tensor batch;
    report.time_prediction([&](long i) { inference(images[static_cast<std::size_t>(i)]); },
                           [&](long i) {
                               inference.to_tensor(images.begin() + i,
                                                   images.begin() + i + peers::predict_batch,
                                                   batch);
                               inference.subnet().forward(batch).host();
                           });
    report.print();
}

}  // namespace

int main(int argc, char** argv) {
    const peers::Task task = peers::parse_task(argc, argv);
    openblas_set_num_threads(task.threads);
    if (task.model == "mlp")
        run<mlp>(task);
    else if (task.model == "cnn")
        run<cnn>(task);
    else if (task.model == "cnn-deep")
        run<cnn_deep<Training>, cnn_deep<Inference>>(task);
    else
        throw std::invalid_argument("there is no model " + task.model);
}
