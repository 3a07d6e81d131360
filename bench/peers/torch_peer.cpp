// Trains a tutorial's network with libtorch.
#include "bench/peers/peer.hpp"

#include <torch/torch.h>
#include <torch/version.h>

namespace {

namespace nn = torch::nn;

nn::Sequential make_network(const std::string& model) {
    nn::Sequential network;
    const auto dense = [&](long in, long out) {
        network->push_back(nn::Linear(in, out));
        network->push_back(nn::ReLU());
    };
    const auto convolution = [&](long in, long filters, long kernel) {
        network->push_back(
            nn::Conv2d(nn::Conv2dOptions(in, filters, kernel).padding(torch::kSame)));
        network->push_back(nn::ReLU());
    };
    if (model == "mlp") {
        network->push_back(nn::Flatten());
        dense(784, 128);
        network->push_back(nn::Linear(128, 10));
    } else if (model == "cnn") {
        convolution(1, 32, 3);
        network->push_back(nn::MaxPool2d(2));
        network->push_back(nn::Flatten());
        dense(6272, 128);
        network->push_back(nn::Linear(128, 10));
    } else if (model == "cnn-deep") {
        long channels = 1;
        for (const long filters : {64, 64, 128, 128}) {
            convolution(channels, filters, 2);
            network->push_back(nn::BatchNorm2d(filters));
            network->push_back(nn::MaxPool2d(2));
            network->push_back(nn::Dropout(0.3));
            channels = filters;
        }
        network->push_back(nn::Flatten());
        dense(128, 1024);
        dense(1024, 512);
        dense(512, 256);
        network->push_back(nn::Dropout(0.5));
        network->push_back(nn::Linear(256, 10));
    } else {
        throw std::invalid_argument("there is no model " + model);
    }
    return network;
}

}  // namespace

int main(int argc, char** argv) {
    const peers::Task task = peers::parse_task(argc, argv);
    torch::set_num_threads(task.threads);
    torch::set_num_interop_threads(1);
    torch::manual_seed(1);
    peers::Data data = peers::load_data(task.samples);
    const auto images = torch::from_blob(data.images.data(), {task.samples, 1, 28, 28});
    const auto labels =
        torch::from_blob(data.labels.data(), {task.samples}, torch::kUInt8).to(torch::kInt64);

    nn::Sequential network = make_network(task.model);
    const bool channels_last = task.variant == "channels_last";
    const auto layout =
        channels_last ? torch::MemoryFormat::ChannelsLast : torch::MemoryFormat::Contiguous;
    std::vector<torch::Tensor> parameters = network->parameters();
    long parameter_count = 0;
    for (auto& p : parameters) {
        if (p.dim() == 4) p.set_data(p.contiguous(layout));
        parameter_count += p.numel();
    }

    torch::optim::Adam optimizer(parameters, torch::optim::AdamOptions(0.001));
    peers::Report report(task, "libtorch", TORCH_VERSION, parameter_count);
    network->train();
    for (int chunk = 0; chunk < task.warm_up + task.chunks; ++chunk) {
        auto loss_sum = torch::zeros({});
        const auto order = torch::randperm(task.samples, torch::kInt64);
        for (const auto& batch : order.split(task.batch)) {
            const auto x = images.index_select(0, batch).contiguous(layout);
            // What zero_grad(set_to_none=True) is in Python.
            for (auto& p : parameters) p.mutable_grad().reset();
            const auto loss =
                nn::functional::cross_entropy(network->forward(x), labels.index_select(0, batch));
            loss.backward();
            optimizer.step();
            loss_sum += loss.detach() * task.batch;
        }
        report.end_chunk(loss_sum.item<double>() / static_cast<double>(task.samples));
    }

    network->eval();
    const torch::InferenceMode no_gradients;
    const auto predict = [&](long i, long count) {
        const auto x = images.narrow(0, i, count).contiguous(layout);
        torch::softmax(network->forward(x), 1);
    };
    report.time_prediction([&](long i) { predict(i, 1); },
                           [&](long i) { predict(i, peers::predict_batch); });
    report.print();
}
